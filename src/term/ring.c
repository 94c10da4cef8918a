/*
 * The output ring (include/pterm/ring.h has the layout, ring.h the promises).
 *
 * Memory. A ring costs what has been printed into it, up to its size: pages come when they are first written.
 * fallocate of 1 MiB when it is made took 0.3 ms and no proportional set size, but 1 MiB of the machine's memory for
 * every session that only shows a prompt. What allocation would protect from is a page that cannot be had later. On a
 * memfd that is SIGBUS only where the kernel counts each page (vm.overcommit_memory = 2): there, and only there, all
 * is allocated at once, and a ring that cannot be had fails when it is made. Elsewhere a page that is not to be had
 * waits for the OOM killer like any other, and the fault never returns an error.
 *
 * Order. The writer stores head (release), then a release fence, then fills what follows; a reader copies, then an
 * acquire fence, then loads head again. So a reader that saw one byte of a later lap also sees the head that allowed
 * it.
 */
#include "term/ring.h"

#include "base/fd.h"
#include "pterm/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U                   /* Linux 6.3 */
#endif

enum {
	RING_SEALS = F_SEAL_GROW | F_SEAL_SHRINK,
	RING_TRIES = 8,                           /* laps that a reader lets itself be lapped in one call */
};

#define HEAD UINT64_MAX                           /* an end: all that is published */

static bool is_power_of_two(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* Does the kernel account for every page of shared memory, so that touching one can fail? */
static bool pages_can_be_refused(void)
{
	_fd_ fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
	char mode = 0;

	return fd >= 0 && read(fd, &mode, 1) == 1 && mode == '2';
}

static int make_memory(size_t size, struct err *err)
{
	static const char name[] = "pterm-ring";
	_fd_ fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)            /* an older kernel */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_set(err, errno, "ring-create", "cannot create the output ring: %m");
	if (ftruncate(fd, (off_t)size) < 0)
		return err_set(err, errno, "ring-create", "cannot size the output ring: %m");
	if (pages_can_be_refused() && fallocate(fd, 0, 0, (off_t)size) < 0)
		return err_set(err, errno, "ring-create", "cannot allocate the output ring: %m");
	if (fcntl(fd, F_ADD_SEALS, RING_SEALS | F_SEAL_SEAL) < 0)
		return err_set(err, errno, "ring-create", "cannot seal the output ring: %m");
	return TAKE_FD(fd);
}

int ring_create(struct ring **ret, size_t size, uint64_t base, struct err *err)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct ring *r;
	_fd_ fd = -1;
	void *at;

	if (!is_power_of_two(size) || size < 2 * RING_RESERVE)
		return err_set(err, EINVAL, "ring-create", "a ring cannot have %zu bytes", size);
	fd = make_memory(page + size, err);
	if (fd < 0)
		return fd;
	at = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return err_set(err, errno, "ring-create", "cannot map the output ring: %m");
	r = xcalloc(1, sizeof(*r));
	*r = (struct ring){ .h = at, .data = (uint8_t *)at + page, .map_size = page + size, .data_size = size,
	                    .reserve = RING_RESERVE, .base = base, .fd = TAKE_FD(fd) };
	*r->h = (struct pterm_ring_header){ .version = PTERM_RING_VERSION, .data_offset = (uint32_t)page,
	                                    .data_size = size, .reserve = RING_RESERVE, .base = base };
	memcpy(r->h->magic, PTERM_RING_MAGIC, sizeof(r->h->magic));
	__atomic_store_n(&r->h->head, base, __ATOMIC_RELEASE);
	*ret = r;
	return 0;
}

/* The values that never change, read once: what stands in the shared memory later is not looked at again. */
static bool take_header(struct ring *r, size_t page)
{
	const struct pterm_ring_header h = *r->h;

	if (memcmp(h.magic, PTERM_RING_MAGIC, sizeof(h.magic)) != 0 || h.version != PTERM_RING_VERSION)
		return false;
	if (h.data_offset < sizeof(h) || h.data_offset % page != 0 || h.data_offset >= r->map_size)
		return false;
	if (!is_power_of_two(h.data_size) || h.data_size > r->map_size - h.data_offset || h.reserve >= h.data_size)
		return false;
	r->data = (uint8_t *)r->h + h.data_offset;
	r->data_size = h.data_size;
	r->reserve = h.reserve;
	r->base = h.base;
	return true;
}

static int map_memory(struct ring **ret, int fd, int prot, struct err *err)
{
	_cleanup_(ring_freep) struct ring *r = xcalloc(1, sizeof(*r));
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *at;

	r->fd = fd;
	if (seals < 0 || (seals & RING_SEALS) != RING_SEALS)
		return err_set(err, EINVAL, "ring-map", "this is no ring: its memory is not sealed");
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "ring-map", "cannot look at the ring: %m");
	if ((uint64_t)st.st_size < sizeof(struct pterm_ring_header) || (uint64_t)st.st_size > SIZE_MAX / 2)
		return err_set(err, EINVAL, "ring-map", "this is no ring: it has %lld bytes", (long long)st.st_size);
	at = mmap(NULL, (size_t)st.st_size, prot, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return err_set(err, errno, "ring-map", "cannot map the ring: %m");
	r->h = at;
	r->map_size = (size_t)st.st_size;
	if (!take_header(r, page))
		return err_set(err, EINVAL, "ring-map", "this is no ring, or of another version");
	*ret = TAKE(r);
	return 0;
}

int ring_map(struct ring **ret, int fd, struct err *err)
{
	const int r = map_memory(ret, fd, PROT_READ, err);

	if (r == 0)
		(*ret)->fd = fd_close(fd);        /* the mapping is enough */
	return r;
}

int ring_adopt(struct ring **ret, int fd, struct err *err)
{
	_cleanup_(ring_freep) struct ring *r = NULL;
	const int e = map_memory(&r, fd, PROT_READ | PROT_WRITE, err);

	if (e < 0)
		return e;
	if (r->reserve != RING_RESERVE || r->data_size < 2 * RING_RESERVE || ring_head(r) < r->base)
		return err_set(err, EINVAL, "ring-adopt", "this ring was made by a different version");
	*ret = TAKE(r);
	return 0;
}

int ring_reader_fd(const struct ring *r)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct ring *ring_free(struct ring *r)
{
	if (r == NULL)
		return NULL;
	if (r->h != NULL)
		(void)munmap(r->h, r->map_size);
	fd_close(r->fd);
	free(r);
	return NULL;
}

uint64_t ring_head(const struct ring *r)
{
	return __atomic_load_n(&r->h->head, __ATOMIC_ACQUIRE);
}

static uint64_t oldest_at(const struct ring *r, uint64_t head)
{
	const uint64_t keep = r->data_size - r->reserve;
	const uint64_t oldest = head > keep ? head - keep : 0;

	if (oldest >= r->base)
		return oldest;
	return min_u64(r->base, head);            /* a head before the base is nonsense: nothing to read then */
}

uint64_t ring_oldest(const struct ring *r)
{
	return oldest_at(r, ring_head(r));
}

uint8_t *ring_space(struct ring *r, size_t *ret_n)
{
	const uint64_t at = __atomic_load_n(&r->h->head, __ATOMIC_RELAXED) & (r->data_size - 1);

	*ret_n = (size_t)min_u64(RING_RESERVE, r->data_size - at);
	return r->data + at;
}

int ring_fd(const struct ring *r)
{
	return r->fd;
}

void ring_arm(struct ring *r, size_t at, size_t n)
{
	const uint64_t head = __atomic_load_n(&r->h->head, __ATOMIC_RELAXED);

	memset(r->data + (head & (r->data_size - 1)) + at, 0xFF, n);
	__atomic_store_n(&r->h->armed, head + at + n, __ATOMIC_RELEASE);
}

size_t ring_unpublished(const struct ring *r)
{
	const uint64_t head = ring_head(r), armed = __atomic_load_n(&r->h->armed, __ATOMIC_ACQUIRE);
	const uint64_t at = head & (r->data_size - 1);
	size_t n;

	if (armed <= head || armed - head > min_u64(r->reserve, r->data_size - at))
		return 0;
	for (n = (size_t)(armed - head); n > 0 && r->data[at + n - 1] == 0xFF; n--)
		;
	return n;
}

void ring_publish(struct ring *r, size_t n)
{
	const uint64_t head = __atomic_load_n(&r->h->head, __ATOMIC_RELAXED);

	__atomic_store_n(&r->h->head, head + n, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);  /* head before what is written next: see above */
}

void ring_write(struct ring *r, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		size_t room;
		uint8_t *to = ring_space(r, &room);

		room = min_size(room, n);
		memcpy(to, p, room);
		ring_publish(r, room);
		p += room;
		n -= room;
	}
}

const uint8_t *ring_at(const struct ring *r, uint64_t pos, size_t *ret_n)
{
	const uint64_t at = pos & (r->data_size - 1);

	*ret_n = (size_t)min_u64(ring_head(r) - pos, r->data_size - at);
	return r->data + at;
}

/* Bytes of @n from position @pos, whatever stands there: the index is masked, so it never leaves the memory. */
static void copy_out(const struct ring *r, uint64_t pos, uint8_t *out, size_t n)
{
	while (n > 0) {
		const uint64_t at = pos & (r->data_size - 1);
		const size_t step = (size_t)min_u64(n, r->data_size - at);

		memcpy(out, r->data + at, step);
		out += step;
		pos += step;
		n -= step;
	}
}

/* One try, up to @end: bytes copied and still right. 0 with *pos moved when the writer lapped us meanwhile. */
static size_t read_once(const struct ring *r, uint64_t *pos, uint64_t end, void *out, size_t n, uint64_t *lost)
{
	const uint64_t head = ring_head(r);
	uint64_t start = oldest_at(r, head), late;

	end = end == HEAD ? head : end;
	if (*pos >= end)
		return 0;
	start = min_u64(max_u64(start, *pos), end);
	n = (size_t)min_u64(n, end - start);
	copy_out(r, start, out, n);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	late = oldest_at(r, __atomic_load_n(&r->h->head, __ATOMIC_RELAXED));
	late = min_u64(late > start ? late - start : 0, end - start);
	*lost += start + late - *pos;
	*pos = start + late;
	if (late >= n)
		return 0;
	memmove(out, (uint8_t *)out + late, n - late);
	*pos += n - late;
	return n - late;
}

size_t ring_read(const struct ring *r, uint64_t *pos, void *out, size_t n, uint64_t *ret_lost)
{
	return ring_read_own(r, pos, HEAD, out, n, ret_lost);
}

size_t ring_read_own(const struct ring *r, uint64_t *pos, uint64_t end, void *out, size_t n, uint64_t *ret_lost)
{
	*ret_lost = 0;
	for (int i = 0; i < RING_TRIES && n > 0; i++) {
		const uint64_t before = *pos;
		const size_t got = read_once(r, pos, end, out, n, ret_lost);

		if (got > 0 || *pos == before)
			return got;
	}
	return 0;
}
