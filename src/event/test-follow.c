#include "event/follow.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"
#include "event/journal.h"

#include <fcntl.h>
#include <unistd.h>

static char dir[64];
static int dir_fd;

static void begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/pterm-follow-XXXXXX");
	ASSERT(mkdtemp(dir) != NULL);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT(dir_fd >= 0);
}

static void end(void)
{
	fd_close(dir_fd);
	ASSERT_OK(path_remove_tree(AT_FDCWD, dir));
}

static void append(int64_t number)
{
	const struct event ev = { .type = EVENT_warned, .time_ms = 1000, .session = "0123456789ab", .name = "x",
	                          .text = "long enough that the journal is cut by half again and again, and then once more",
	                          .number = number };

	ASSERT_OK(journal_append(dir_fd, &ev));
}

/* Whenever it looks, over many halvings, each event comes exactly once. */
TEST(nothing_twice_and_nothing_missed)
{
	struct follow f;
	int64_t next = 0, seen = 0;

	begin();
	follow_init(&f, dir_fd);
	for (int turn = 0; turn < 200; turn++) {
		_entry_list_ l = { 0 };

		for (uint64_t n = test_rand_below(200); n > 0; n--)
			append(next++);
		ASSERT_OK(follow_read(&f, &l));
		for (size_t i = 0; i < l.len; i++)
			ASSERT_EQ(l.items[i].number, seen++);
		ASSERT_EQ(seen, next);
	}
	follow_fini(&f);
	end();
}

TEST(half_a_line_waits_for_the_rest)
{
	static const char line[] = "{\"time\":\"2026-11-22T15:04:05.123Z\",\"event\":\"session.started\",\"name\":\"a\"}\n";
	struct follow f;
	int fd;

	begin();
	follow_init(&f, dir_fd);
	fd = openat(dir_fd, "events.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	for (size_t i = 0; i + 1 < sizeof(line); i++) {
		_entry_list_ l = { 0 };

		ASSERT_OK(fd_write_all(fd, line + i, 1));
		ASSERT_OK(follow_read(&f, &l));
		ASSERT_EQ(l.len, line[i] == '\n');
	}
	fd_close(fd);
	follow_fini(&f);
	end();
}

TEST(what_is_no_event_is_passed_over)
{
	static const char *const t[] = { "", "{", "[]", "{}", "{\"time\":\"yesterday\",\"event\":\"x\"}", "{\"event\":\"x\"}", "\033[2J" };

	for (size_t i = 0; i < array_len(t); i++) {
		struct entry e;

		ASSERT(entry_parse(t[i], strlen(t[i]), &e) < 0);
	}
}

TEST(sorting_keeps_the_order_of_what_is_equal)
{
	struct entry e[50];
	struct entry_list l = { e, array_len(e), 0 };

	for (size_t i = 0; i < array_len(e); i++)
		e[i] = (struct entry){ .time_ms = test_rand_below(5), .number = (int64_t)i };
	entry_list_sort(&l);
	for (size_t i = 1; i < array_len(e); i++)
		ASSERT(e[i - 1].time_ms < e[i].time_ms ||
		       (e[i - 1].time_ms == e[i].time_ms && e[i - 1].number < e[i].number));
}
