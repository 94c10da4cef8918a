/*
 * Streams as a hostile or broken program would print them: every function with any parameters, modes, strings, text
 * of every width, all
 * of it cut off anywhere. With test_rand, so $TEST_SEED repeats them.
 */
#pragma once

#include "base/str.h"
#include "base/test.h"

static inline void stream_add_number(struct str *out)
{
	static const unsigned likely[] = { 0, 1, 2, 3, 4, 5, 7, 8, 10, 20, 38, 48, 58, 255, 1000, 65535, 99999 };

	if (test_rand_below(6) > 0)
		str_addf(out, "%u", test_rand_below(2) ? (unsigned)test_rand_below(12) : likely[test_rand_below(array_len(likely))]);
}

static inline void stream_add_csi(struct str *out)
{
	static const char *const plain = "@ABCDEFGHIJKLMPSTXZ`abdefghlmnrstux^mmmmHHH";
	static const char *const others[] = {
		"$v", "$x", "$z", "${", "$r", "$t", "*x", "\"q", "\"p", " q", "'}", "'~", "!p", " @", " A", "#{", "#}", "*y", "$w", "$p",
	};
	static const char *const marked[] = { "?h", "?l", "?s", "?r", "?J", "?K", ">u", "<u", "=u", ">m", ">n", "?n", "?W", ">c", ">q" };
	const char *final = NULL;

	str_adds(out, test_rand_below(20) ? "\033[" : "\xc2\x9b");
	if (test_rand_below(5) == 0) {
		final = marked[test_rand_below(array_len(marked))];
		str_addc(out, *final++);
	} else if (test_rand_below(4) == 0) {
		final = others[test_rand_below(array_len(others))];
	}
	for (uint64_t n = test_rand_below(7); n > 0; n--) {
		stream_add_number(out);
		if (n > 1)
			str_addc(out, test_rand_below(8) ? ';' : ':');
	}
	if (final)
		str_adds(out, final);
	else
		str_addc(out, plain[test_rand_below(strlen(plain))]);
}

static inline void stream_add_mode(struct str *out)
{
	static const unsigned modes[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 25, 40, 42, 45, 47, 66, 67, 69, 95, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015,
		1016, 1034, 1035, 1036, 1039, 1042, 1043, 1047, 1048, 1049, 2004, 2026, 2027, 2031, 2048, 69, 6, 7, 2027, 1049,
	};

	str_addf(out, "\033[?%u%c", modes[test_rand_below(array_len(modes))], "hhllsr"[test_rand_below(6)]);
}

static inline void stream_add_string(struct str *out)
{
	static const char *const strings[] = {
		"]0;a title", "]2;t\xc3\xaftle", "]1;icon", "]4;1;rgb:12/34/56", "]4;1;?", "]10;#abc", "]11;?", "]104", "]104;1", "]110",
		"]7;file://host/tmp", "]8;;http://example.org/1", "]8;id=a;http://example.org/2", "]8;;", "]52;c;aGk=", "]133;A",
		"]133;B", "]133;C", "]133;D;3", "]133;D", "P$qm", "P+q544e", "P1;2q#0;2;0;0;0~-", "P2$t5/9", "_app", "^pm", "Xsos",
	};

	str_addf(out, "\033%s", strings[test_rand_below(array_len(strings))]);
	if (test_rand_below(10) > 0)
		str_adds(out, test_rand_below(3) == 0 ? "\007" : test_rand_below(2) ? "\033\\" : "\xc2\x9c");
}

static inline void stream_add_escape(struct str *out)
{
	static const char *const escapes[] = {
		"6", "7", "8", "9", "=", ">", "D", "E", "H", "M", "N", "O", "V", "W", "Z", "n", "o", "|", "}", "~", "#3", "#4", "#5",
		"#6", "#8", "(0", "(B", ")0", "*A", "+B", "-A", ".A", "(%5", "c", "\\",
	};

	str_addf(out, "\033%s", escapes[test_rand_below(array_len(escapes))]);
}

static inline void stream_add_text(struct str *out)
{
	static const char *const texts[] = {
		"a", "bc", "hello world", "qqqxxx", "\xc3\xa4", "\xe4\xb8\xad", "\xe6\x96\x87\xe5\xad\x97", "e\xcc\x81", "\xcc\x88",
		"\xf0\x9f\x98\x80", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", "\xe2\x9d\xa4\xef\xb8\x8f", "\xf0\x9f\x87\xa9",
		"\xf0\x9f\x87\xaa", "\xff", "\xe2\x82", "\xf0\x9f", "\xc2", "0123456789012345678901234567890123456789", " ", "#",
	};

	str_adds(out, texts[test_rand_below(array_len(texts))]);
}

static inline void stream_add_any(struct str *out)
{
	static const char controls[] = "\r\n\n\n\b\t\013\016\017\005\030\032\033\177\0";

	switch (test_rand_below(12)) {
	case 0: case 1: case 2: stream_add_csi(out); break;
	case 3: stream_add_mode(out); break;
	case 4: stream_add_string(out); break;
	case 5: stream_add_escape(out); break;
	case 6: case 7: str_addc(out, controls[test_rand_below(sizeof(controls))]); break;
	case 8: str_addc(out, (char)test_rand()); break;
	default: stream_add_text(out); break;
	}
}

static inline void stream_random(struct str *out, unsigned pieces)
{
	while (pieces-- > 0)
		stream_add_any(out);
}
