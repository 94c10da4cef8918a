#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "base/test.h"
#include "event/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];

static int open_top(void)
{
	int fd;

	snprintf(top, sizeof(top), "/tmp/pterm-test-XXXXXX");
	ASSERT(mkdtemp(top) != NULL);
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_OK(fd);
	return fd;
}

static void close_top(int fd)
{
	fd_close(fd);
	ASSERT_OK(path_remove_tree(AT_FDCWD, top));
}

static void read_journal(int dir, struct str *ret)
{
	ASSERT_OK(file_read(dir, "events.jsonl", 4 * JOURNAL_MAX, ret));
}

TEST(a_line_an_event_whatever_is_in_it)
{
	const int dir = open_top();
	const struct event plain = { .type = EVENT_started, .time_ms = 0, .session = "0123456789ab", .name = "box", .number = -1 };
	const struct event hostile = { .type = EVENT_exited, .time_ms = 1700000000123, .session = "0123456789ab", .name = "box",
	                               .number = 3, .text = "two\nlines \"quoted\" \033[31m" };
	_str_ text = STR_INIT;

	ASSERT_OK(journal_append(dir, &plain));
	ASSERT_OK(journal_append(dir, &hostile));
	read_journal(dir, &text);
	ASSERT_STREQ(text.buf,
	             "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"session.started\",\"session\":\"0123456789ab\","
	             "\"name\":\"box\"}\n"
	             "{\"time\":\"2023-11-14T22:13:20.123Z\",\"event\":\"session.exited\",\"session\":\"0123456789ab\","
	             "\"name\":\"box\",\"number\":3,\"text\":\"two\\nlines \\\"quoted\\\" \\u001b[31m\"}\n");
	close_top(dir);
}

TEST(nobody_else_reads_it_and_no_link_is_followed)
{
	const int dir = open_top();
	const struct event ev = { .type = EVENT_started, .session = "0123456789ab", .name = "box", .number = -1 };
	struct stat st;

	ASSERT_OK(journal_append(dir, &ev));
	ASSERT_OK(fstatat(dir, "events.jsonl", &st, 0));
	ASSERT_EQ(st.st_mode & 07777, 0600);
	ASSERT_OK(renameat(dir, "events.jsonl", dir, "elsewhere"));
	ASSERT_OK(symlinkat("elsewhere", dir, "events.jsonl"));
	ASSERT_EQ(journal_append(dir, &ev), -ELOOP);
	journal_write(&ev, (void *)&dir);        /* lost silently: an event must not end a session */
	ASSERT_OK(fstatat(dir, "elsewhere", &st, 0));
	ASSERT(st.st_size > 0 && st.st_size < 200);
	close_top(dir);
}

/* The lines are whole, their numbers follow each other, and the last is @last. How many there are. */
static size_t check_numbers(const struct str *text, int last)
{
	size_t lines = 0;
	int expected = -1;

	for (const char *line = text->buf; *line != '\0'; lines++) {
		const char *end = strchr(line, '\n'), *number = strstr(line, "\"number\":");

		ASSERT(*line == '{' && end != NULL && end[-1] == '}' && number != NULL && number < end);
		if (expected >= 0)
			ASSERT_EQ(atoi(number + 9), expected);
		expected = atoi(number + 9) + 1;
		line = end + 1;
	}
	ASSERT_EQ(expected, last + 1);
	return lines;
}

TEST(the_older_half_goes_when_it_is_full)
{
	const int dir = open_top();
	char text[2001];
	struct event ev = { .type = EVENT_exited, .session = "0123456789ab", .name = "box", .text = text };
	off_t before = 0, most = 0;
	int halved = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 2 * JOURNAL_MAX / 2000; i++) {
		struct stat st;

		ev.number = i;
		ASSERT_OK(journal_append(dir, &ev));
		ASSERT_OK(fstatat(dir, "events.jsonl", &st, 0));
		most = st.st_size > most ? st.st_size : most;
		if (st.st_size < before) {
			_str_ rest = STR_INIT;

			halved++;
			read_journal(dir, &rest);
			ASSERT(check_numbers(&rest, i) >= JOURNAL_MAX / 2 / 2200);
			ASSERT(rest.len <= JOURNAL_MAX / 2 + 2200);
		}
		before = st.st_size;
	}
	ASSERT(halved >= 2);
	ASSERT(most <= JOURNAL_MAX);
	close_top(dir);
}
