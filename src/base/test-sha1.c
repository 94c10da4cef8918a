#include "base/sha1.h"

#include "base/str.h"
#include "base/test.h"

static char *hex_of(const char *data, size_t n)
{
	_str_ out = STR_INIT;
	uint8_t sum[SHA1_SIZE];

	sha1(data, n, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		str_addf(&out, "%02x", sum[i]);
	return str_take(&out);
}

/* The first three are in RFC 3174 and FIPS 180; the others are where the padding begins a block of its own. */
TEST(sums_that_are_known)
{
	static const struct { const char *text; size_t times; const char *want; } t[] = {
		{ "", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
		{ "a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
		{ "a", 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
		{ "a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ text = STR_INIT;
		_free_ char *got = NULL;

		for (size_t k = 0; k < t[i].times; k++)
			str_adds(&text, t[i].text);
		got = hex_of(text.buf, text.len);
		ASSERT_STREQ(got, t[i].want);
	}
}
