/*
 * Follow a session's output through shared memory: a whole program, with nothing of pterm but <pterm/ring.h>.
 *
 *     ring-reader [--once] [FD]
 *
 * FD is a descriptor of the ring, as it came over the session's socket; without it, $PTERM_RING_FD. What the session
 * prints is written to stdout, beginning with the oldest byte that is still there; --once stops at the newest.
 *
 * The three things to know, marked below: check the header once (1), copy and then see whether it was still true (2),
 * and what to do when there is nothing new (3).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pterm/ring.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct view {
	const struct pterm_ring_header *header;          /* shared: only head is read again after the check */
	const uint8_t *data;
	uint64_t size, keep, base;                       /* keep: how many bytes before head can be trusted */
};

/*
 * (1) The writer is another program. Memory that could shrink would kill us with SIGBUS, so it has to be sealed; and
 * each number is copied, checked, and never looked at again, so that it cannot change between the check and the use.
 */
static bool open_view(struct view *v, int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS), wanted = F_SEAL_SHRINK | F_SEAL_GROW;
	struct pterm_ring_header h;
	struct stat st;
	void *map;

	if (seals < 0 || (seals & wanted) != wanted || fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof(h))
		return false;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	memcpy(&h, map, sizeof(h));
	if (memcmp(h.magic, PTERM_RING_MAGIC, sizeof(h.magic)) != 0 || h.version != PTERM_RING_VERSION)
		return false;
	if (h.data_offset < sizeof(h) || h.data_offset > (uint64_t)st.st_size)
		return false;
	if (h.data_size == 0 || (h.data_size & (h.data_size - 1)) != 0 || h.reserve >= h.data_size)
		return false;
	if (h.data_size > (uint64_t)st.st_size - h.data_offset)
		return false;
	*v = (struct view){ .header = map, .data = (const uint8_t *)map + h.data_offset,
	                    .size = h.data_size, .keep = h.data_size - h.reserve, .base = h.base };
	return true;
}

static uint64_t oldest(const struct view *v, uint64_t head)
{
	const uint64_t at = head > v->keep ? head - v->keep : 0;

	return at > v->base ? at : v->base;
}

/*
 * (2) Copy up to @n bytes from *pos on. Positions count from the session's birth and never wrap; only the index is
 * masked. The writer does not wait for us: after copying, look at head once more, and drop what may have been
 * overwritten meanwhile. The bytes that we did not get are counted in *lost.
 */
static size_t take(const struct view *v, uint64_t *pos, uint8_t *out, size_t n, uint64_t *lost)
{
	const uint64_t head = __atomic_load_n(&v->header->head, __ATOMIC_ACQUIRE);
	uint64_t from = *pos, first = oldest(v, head);

	*lost = 0;
	if (from >= head || first > head)
		return 0;
	if (from < first)
		from = first;
	if (n > head - from)
		n = (size_t)(head - from);
	for (size_t i = 0; i < n; i++)
		out[i] = v->data[(from + i) & (v->size - 1)];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	first = oldest(v, __atomic_load_n(&v->header->head, __ATOMIC_RELAXED));
	if (first > from + n) {                           /* all of it is too old: begin again from there */
		n = 0;
		from = first;
	} else if (first > from) {
		n -= first - from;
		memmove(out, out + (first - from), n);
		from = first;
	}
	*lost = from - *pos;
	*pos = from + n;
	return n;
}

static bool write_all(const uint8_t *data, size_t n)
{
	while (n > 0) {
		const ssize_t w = write(STDOUT_FILENO, data, n);

		if (w < 0 && errno != EINTR)
			return false;
		if (w > 0) {
			data += w;
			n -= (size_t)w;
		}
	}
	return true;
}

/*
 * (3) Somebody who has the session's socket sleeps until its doorbell message comes. We have only the memory, so we
 * look fifty times a second; and since memory does not say that its writer is gone, we end when stdout does.
 */
static int follow(const struct view *v, bool once)
{
	static const struct timespec moment = { .tv_nsec = 20 * 1000 * 1000 };
	static uint8_t data[64 * 1024];
	uint64_t pos = v->base, lost;

	for (;;) {
		const size_t n = take(v, &pos, data, sizeof(data), &lost);

		if (lost > 0)
			fprintf(stderr, "ring-reader: %" PRIu64 " bytes were gone before they could be read\n", lost);
		if (!write_all(data, n))
			return EXIT_SUCCESS;
		if (n == 0 && lost == 0 && once)
			return EXIT_SUCCESS;
		if (n == 0 && lost == 0)
			(void)nanosleep(&moment, NULL);
	}
}

int main(int argc, char **argv)
{
	const bool once = argc > 1 && strcmp(argv[1], "--once") == 0;
	const char *number = argc > 1 + once ? argv[1 + once] : getenv("PTERM_RING_FD");
	struct view v;

	if (number == NULL || number[0] < '0' || number[0] > '9') {
		fprintf(stderr, "usage: ring-reader [--once] [FD]\nFD is a descriptor of a session's ring; "
		                "without it, $PTERM_RING_FD\n");
		return 2;
	}
	if (!open_view(&v, atoi(number))) {
		fprintf(stderr, "ring-reader: descriptor %s is no ring of this version\n", number);
		return EXIT_FAILURE;
	}
	return follow(&v, once);
}
