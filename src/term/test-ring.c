#include "base/fd.h"
#include "base/test.h"
#include "pterm/ring.h"
#include "term/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SMALL = 2 * RING_RESERVE, READERS = 3 };

/* What stands at a position. The period is prime, so that a byte of another lap is another byte. */
enum { PERIOD = 65521 };
static uint8_t wheel[PERIOD + 4 * SMALL];

static const uint8_t *truth(uint64_t pos)
{
	if (wheel[0] == 0) {
		uint32_t x = 1;

		for (size_t i = 0; i < sizeof(wheel); i++) {
			if (i >= PERIOD) {
				wheel[i] = wheel[i - PERIOD];
				continue;
			}
			x = x * 1664525u + 1013904223u;
			wheel[i] = (uint8_t)(x >> 24) % 254 + 1;      /* neither 0 nor 0xFF, which mean "never published" */
		}
	}
	return wheel + pos % PERIOD;
}

/* Each seed: a ring, writes of all kinds, and three readers; one has the writer's own mapping. */
struct model { struct ring *writer; const struct ring *view[READERS]; uint64_t pos[READERS]; uint64_t base, head; };

static void step_write(struct model *m)
{
	size_t room, n;
	uint8_t *to;

	if (test_rand_below(2) == 0) {
		n = test_rand_below(16) == 0 ? test_rand_below(3 * SMALL) : test_rand_below(5000);
		ring_write(m->writer, truth(m->head), n);
	} else {
		to = ring_space(m->writer, &room);
		ASSERT(room > 0 && room <= RING_RESERVE);
		ASSERT_EQ(to - m->writer->data, m->head % SMALL);
		ASSERT(to + room <= m->writer->data + SMALL);
		memset(to, 0xFF, room);                   /* as a supervisor that arms it */
		n = test_rand_below(room + 1);
		memcpy(to, truth(m->head), n);
		ring_publish(m->writer, n);
	}
	m->head += n;
}

static void step_read(struct model *m, size_t who)
{
	static uint8_t got[2 * SMALL];
	const size_t want = test_rand_below(8) == 0 ? test_rand_below(sizeof(got) + 1) : test_rand_below(4000);
	const uint64_t keep = SMALL - RING_RESERVE, before = m->pos[who];
	const uint64_t oldest = m->head - m->base > keep ? m->head - keep : m->base;
	const uint64_t from = before > oldest ? before : oldest;
	uint64_t lost = 99;
	size_t n;

	ASSERT_EQ(ring_oldest(m->view[who]), oldest);
	n = ring_read(m->view[who], &m->pos[who], got, want, &lost);
	if (want == 0)
		return;
	ASSERT_EQ(lost, before >= m->head ? 0 : from - before);
	ASSERT_EQ(n, before >= m->head ? 0 : min_u64(want, m->head - from));
	ASSERT_EQ(m->pos[who], before + lost + n);
	ASSERT_MEMEQ(got, truth(m->pos[who] - n), n);
}

TEST(random_runs_agree_with_a_model)
{
	for (int run = 0; run < 2000; run++) {
		_cleanup_(ring_freep) struct ring *w = NULL, *a = NULL, *b = NULL;
		struct model m = { .base = test_rand_below(3) == 0 ? 0 : test_rand() >> 8 };

		ASSERT_OK(ring_create(&w, SMALL, m.base, NULL));
		ASSERT_OK(ring_map(&a, ring_reader_fd(w), NULL));
		ASSERT_OK(ring_map(&b, ring_reader_fd(w), NULL));
		m.writer = w;
		m.view[0] = w;
		m.view[1] = a;
		m.view[2] = b;
		m.head = m.pos[0] = m.pos[1] = m.pos[2] = m.base;
		m.pos[2] -= min_u64(m.base, test_rand_below(1000));       /* one asks for what never was here */
		for (int i = 0; i < 40; i++) {
			step_write(&m);
			ASSERT_EQ(ring_head(a), m.head);
			for (size_t who = 0; who < READERS; who++)
				if (test_rand_below(who + 1) == 0)
					step_read(&m, who);
		}
	}
}

/*
 * The one moment that chance does not find: the writer comes while a reader is in the middle of copying. The buffer's
 * second page cannot be written, so the copy stops there; the signal handler is the writer.
 */
static struct { struct ring *w; uint8_t *page; size_t page_size; uint64_t head; size_t n; int calls; } intruder;

static void on_fault(int signo)
{
	intruder.calls++;
	if (mprotect(intruder.page, intruder.page_size, PROT_READ | PROT_WRITE) != 0)
		_exit(99);
	ring_write(intruder.w, truth(intruder.head), min_size(intruder.n, 3 * SMALL));
	intruder.head += intruder.n;
}

static void read_while_written(struct ring *w, uint8_t *out, size_t size)
{
	_cleanup_(ring_freep) struct ring *r = NULL;
	const uint64_t keep = SMALL - RING_RESERVE, before = intruder.head - test_rand_below(keep + 1);
	uint64_t pos = before, lost, oldest;
	size_t n;

	ASSERT_OK(ring_map(&r, ring_reader_fd(w), NULL));
	intruder.n = test_rand_below(3) == 0 ? test_rand_below(3 * SMALL) : test_rand_below(SMALL);
	ASSERT_EQ(mprotect(intruder.page, intruder.page_size, PROT_NONE), 0);
	n = ring_read(r, &pos, out, size, &lost);
	ASSERT_EQ(mprotect(intruder.page, intruder.page_size, PROT_READ | PROT_WRITE), 0);
	oldest = ring_oldest(w);
	ASSERT_EQ(pos, before + lost + n);
	ASSERT_EQ(lost, before < oldest ? oldest - before : 0);
	ASSERT(n > 0 || before == intruder.head);
	ASSERT_MEMEQ(out, truth(pos - n), n);
}

TEST(a_writer_comes_while_a_reader_copies)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct sigaction act = { .sa_handler = on_fault };
	_cleanup_(ring_freep) struct ring *w = NULL;
	struct sigaction before;
	uint8_t *out = mmap(NULL, SMALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(out != MAP_FAILED);
	ASSERT_OK(ring_create(&w, SMALL, 0, NULL));
	ring_write(w, truth(0), SMALL);
	memset(&intruder, 0, sizeof(intruder));
	intruder.w = w;
	intruder.page = out + page;
	intruder.page_size = page;
	intruder.head = SMALL;
	ASSERT_EQ(sigaction(SIGSEGV, &act, &before), 0);
	for (int i = 0; i < 1000; i++)
		read_while_written(w, out, SMALL);
	ASSERT_EQ(sigaction(SIGSEGV, &before, NULL), 0);
	ASSERT(intruder.calls > 500);
	munmap(out, SMALL);
}

/* In another process: every byte delivered is right, and delivered and lost add up. 0 when all was well. */
static int follow(int fd, uint64_t base, uint64_t end, size_t chunk)
{
	_cleanup_(ring_freep) struct ring *r = NULL;
	_free_ uint8_t *got = xcalloc(1, chunk);
	uint64_t pos = base;

	if (ring_map(&r, fd, NULL) < 0)
		return 1;
	while (pos < end) {
		const uint64_t before = pos;
		uint64_t lost;
		const size_t n = ring_read(r, &pos, got, chunk, &lost);

		if (before + lost + n != pos || pos > ring_head(r))
			return 2;
		for (size_t done = 0; done < n; ) {
			const size_t step = min_size(n - done, 4 * SMALL);

			if (memcmp(got + done, truth(pos - n + done), step) != 0)
				return 3;
			done += step;
		}
	}
	return 0;
}

static pid_t start_follower(struct ring *w, uint64_t base, uint64_t end, size_t chunk)
{
	const int fd = ring_reader_fd(w);
	pid_t pid;

	ASSERT_OK(fd);
	pid = fork();
	if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
		_exit(follow(fd, base, end, chunk));
	ASSERT(pid > 0);
	fd_close(fd);
	return pid;
}

TEST(readers_in_other_processes_under_a_fast_writer)
{
	static const size_t chunks[] = { 777, 64 * 1024, SMALL };
	const uint64_t base = test_rand() >> 20, end = base + 100 * 1024 * 1024;
	_cleanup_(ring_freep) struct ring *w = NULL;
	pid_t pids[array_len(chunks)];
	uint64_t head = base;

	(void)truth(0);
	ASSERT_OK(ring_create(&w, SMALL, base, NULL));
	for (size_t i = 0; i < array_len(chunks); i++)
		pids[i] = start_follower(w, base, end, chunks[i]);
	while (head < end) {
		size_t room;
		uint8_t *to = ring_space(w, &room);

		room = (size_t)min_u64(min_size(room, 1 + test_rand_below(RING_RESERVE)), end - head);
		memset(to, 0xFF, min_size(room, 4096));
		memcpy(to, truth(head), room);
		ring_publish(w, room);
		head += room;
	}
	for (size_t i = 0; i < array_len(chunks); i++) {
		int status;

		ASSERT_EQ(waitpid(pids[i], &status, 0), pids[i]);
		ASSERT_EQ(status, 0);
	}
}

/* A ring that is all right, open for writing on the side. */
static struct pterm_ring_header *forge(int *ret_fd, size_t size, bool sealed)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const int fd = memfd_create("forged", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct pterm_ring_header *h;

	ASSERT_OK(fd);
	ASSERT_EQ(ftruncate(fd, (off_t)(page + size)), 0);
	h = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT(h != MAP_FAILED);
	*h = (struct pterm_ring_header){ .version = PTERM_RING_VERSION, .data_offset = (uint32_t)page, .data_size = size,
	                                 .reserve = RING_RESERVE, .head = 1000 };
	memcpy(h->magic, PTERM_RING_MAGIC, sizeof(h->magic));
	if (sealed)
		ASSERT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	*ret_fd = fd;
	return h;
}

static uint64_t odd_number(void)
{
	static const uint64_t odd[] = { 0, 1, 2, 127, 4095, 4096, 4097, SMALL - 1, SMALL, SMALL + 1, 2 * SMALL, 1ULL << 32,
	                                1ULL << 63, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 4095 };

	return test_rand_below(2) ? odd[test_rand_below(array_len(odd))] : test_rand() >> test_rand_below(64);
}

static void spoil(struct pterm_ring_header *h)
{
	switch (test_rand_below(7)) {
	case 0: h->magic[test_rand_below(8)] = (char)test_rand(); break;
	case 1: h->version = (uint32_t)odd_number(); break;
	case 2: h->data_offset = (uint32_t)odd_number(); break;
	case 3: h->data_size = odd_number(); break;
	case 4: h->reserve = odd_number(); break;
	case 5: h->base = odd_number(); break;
	default: h->head = odd_number(); break;
	}
}

static void read_spoiled(const struct ring *r)
{
	static uint8_t got[3 * SMALL];
	const uint8_t *end = (const uint8_t *)r->h + r->map_size;
	uint64_t pos = odd_number(), lost;

	ASSERT(r->data > (const uint8_t *)r->h && r->data + r->data_size <= end);
	ASSERT(r->data_size <= r->map_size && r->reserve < r->data_size);
	for (int i = 0; i < 4; i++)
		ASSERT(ring_read(r, &pos, got, test_rand_below(sizeof(got)), &lost) <= r->data_size);
	(void)ring_oldest(r);
}

TEST(a_corrupt_header_leads_nowhere)
{
	int mapped = 0;

	for (int run = 0; run < 3000; run++) {
		_cleanup_(ring_freep) struct ring *r = NULL;
		struct pterm_ring_header *h;
		int fd;

		h = forge(&fd, SMALL, true);
		for (uint64_t i = test_rand_below(3); i > 0; i--)
			spoil(h);
		if (ring_map(&r, fd, NULL) == 0) {
			mapped++;
			read_spoiled(r);
			for (int i = 0; i < 20; i++) {            /* and under our hands */
				spoil(h);
				read_spoiled(r);
			}
		}
		munmap(h, (size_t)sysconf(_SC_PAGESIZE) + SMALL);
	}
	ASSERT(mapped > 500 && mapped < 2900);
}

TEST(what_is_no_ring_is_refused)
{
	_cleanup_(ring_freep) struct ring *r = NULL;
	_err_ err = ERR_INIT;
	int fd, ends[2];

	munmap(forge(&fd, SMALL, false), (size_t)sysconf(_SC_PAGESIZE) + SMALL);
	ASSERT_EQ(ring_map(&r, fd, &err), -EINVAL);               /* not sealed: it could shrink under us */
	ASSERT_EQ(fcntl(fd, F_GETFD), -1);                        /* consumed */
	fd = memfd_create("short", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_EQ(ftruncate(fd, 40), 0);
	ASSERT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	ASSERT_EQ(ring_map(&r, fd, &err), -EINVAL);
	ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
	ASSERT_EQ(ring_map(&r, ends[0], &err), -EINVAL);
	fd_close(ends[1]);
	ASSERT_EQ(ring_map(&r, -1, &err), -EINVAL);
	ASSERT_EQ(ring_create(&r, SMALL + 1, 0, &err), -EINVAL);
	ASSERT_EQ(ring_create(&r, RING_RESERVE, 0, &err), -EINVAL);
	ASSERT(r == NULL);
}

TEST(readers_cannot_write_and_nobody_can_resize)
{
	_cleanup_(ring_freep) struct ring *w = NULL;
	_fd_ fd = -1;

	ASSERT_OK(ring_create(&w, SMALL, 0, NULL));
	fd = ring_reader_fd(w);
	ASSERT_OK(fd);
	ASSERT(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	ASSERT_EQ(write(fd, "x", 1), -1);
	ASSERT_EQ(ftruncate(w->fd, 0), -1);
	ASSERT_EQ(ftruncate(w->fd, 1 << 24), -1);
	ASSERT(fcntl(w->fd, F_GETFD) & FD_CLOEXEC);
	ASSERT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST(another_writer_goes_on_where_the_first_was)
{
	_cleanup_(ring_freep) struct ring *first = NULL, *second = NULL, *reader = NULL;
	uint64_t pos = 5000, lost;
	char got[16];

	ASSERT_OK(ring_create(&first, SMALL, 5000, NULL));
	ring_write(first, "one ", 4);
	ASSERT_OK(ring_map(&reader, ring_reader_fd(first), NULL));
	ASSERT(ring_adopt(&second, ring_reader_fd(first), NULL) < 0);      /* needs one that may write */
	ASSERT_OK(ring_adopt(&second, fcntl(first->fd, F_DUPFD_CLOEXEC, 0), NULL));
	first = ring_free(first);
	ring_write(second, "two", 3);
	ASSERT_EQ(ring_read(reader, &pos, got, sizeof(got), &lost), 7);
	ASSERT_MEMEQ(got, "one two", 7);
	ASSERT_EQ(pos, 5007);
	ASSERT_EQ(lost, 0);
}

TEST(a_ring_costs_what_was_printed)
{
	_cleanup_(ring_freep) struct ring *w = NULL;
	struct stat st;
	_fd_ fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
	char mode = '0';

	if (read(fd, &mode, 1) == 1 && mode == '2')
		test_skip("this machine accounts for every page: rings are allocated at once");
	ASSERT_OK(ring_create(&w, 1024 * 1024, 0, NULL));
	ring_write(w, "$ ", 2);
	ASSERT_EQ(fstat(w->fd, &st), 0);
	ASSERT_EQ(st.st_blocks * 512, 2 * sysconf(_SC_PAGESIZE));         /* the header, and the prompt */
}
