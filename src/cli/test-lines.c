#include "cli/lines.h"

#include "base/test.h"

static uint64_t position_is_ms(void *data, uint64_t position)
{
	(void)data;
	return position;
}

#define T(ms) "1970-01-01T00:00:00." ms "Z "

/* However the bytes are cut, the same comes out. */
TEST(lines_of_every_kind)
{
	static const struct { bool is_plain, has_times; const char *in, *want; } t[] = {
		{ false, false, "a\r\n\033[1mb", "a\r\n\033[1mb" },
		{ false, true, "a\r\nbc\r\n", T("000") "a\r\n" T("003") "bc\r\n" },
		{ false, true, "a\nb", T("000") "a\n" T("002") "b" },
		{ false, true, "\n\n", T("000") "\n" T("001") "\n" },
		{ true, false, "\033[31mred\033[0m\r\nx", "red\nx" },
		{ true, true, "\033[31mred\033[0m\r\nx\r\n", T("000") "red\n" T("014") "x\n" },
		{ true, true, "ab\r\ncd", T("000") "ab\n" T("004") "cd" },
		{ true, true, "", "" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const size_t n = strlen(t[i].in);

		for (size_t step = 1; step <= n + 1; step++) {
			struct lines l = { .is_plain = t[i].is_plain, .has_times = t[i].has_times, .time_at = position_is_ms,
			                   .plain = PLAIN_INIT };
			_str_ out = STR_INIT;

			for (size_t at = 0; at < n; at += step)
				lines_feed(&l, at, t[i].in + at, min_size(step, n - at), &out);
			lines_finish(&l, &out);
			ASSERT_STREQ(out.buf, t[i].want);
		}
	}
}
