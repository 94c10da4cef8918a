#include "attach/keys.h"
#include "base/test.h"

#include <errno.h>

TEST(sequences_are_parsed)
{
	static const struct { const char *in; int want; size_t len; uint8_t first; } t[] = {
		{ "ctrl-\\,d", 0, 2, 0x1c }, { "ctrl-a,ctrl-d", 0, 2, 1 }, { "CTRL-^", 0, 1, 0x1e }, { "q", 0, 1, 'q' },
		{ "none", 0, 0, 0 }, { "", -EINVAL, 0, 0 }, { "ctrl-", -EINVAL, 0, 0 }, { "ctrl-1", -EINVAL, 0, 0 },
		{ "a,", -EINVAL, 0, 0 }, { "ab", -EINVAL, 0, 0 }, { ",,a", 0, 2, ',' },
		{ "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct keys k = { 0 };

		ASSERT_EQ(keys_parse(t[i].in, &k, NULL), t[i].want);
		ASSERT_EQ(k.len, t[i].len);
		ASSERT_EQ(k.sequence[0], t[i].first);
	}
}

TEST(keys_pass_or_detach)
{
	static const struct { const char *keys, *typed, *passed; bool detaches; } t[] = {
		{ "ctrl-\\,d", "ls\r", "ls\r", false },
		{ "ctrl-\\,d", "ab\034d", "ab", true },
		{ "ctrl-\\,d", "ab\034x", "ab\034x", false },
		{ "ctrl-\\,d", "\034\034d", "\034", true },
		{ "a,a,b", "aaab", "a", true },
		{ "a,b,a,c", "abababac", "abab", true },
		{ "none", "\034d", "\034d", false },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		for (size_t cut = 0; cut <= strlen(t[i].typed); cut++) {
			struct keys k = { 0 };
			_str_ pass = STR_INIT;
			bool gone;

			ASSERT_OK(keys_parse(t[i].keys, &k, NULL));
			gone = keys_feed(&k, t[i].typed, cut, &pass);
			if (!gone)
				gone = keys_feed(&k, t[i].typed + cut, strlen(t[i].typed) - cut, &pass);
			if (!gone)
				keys_release(&k, &pass);
			ASSERT_EQ(gone, t[i].detaches);
			ASSERT_STREQ(pass.buf, t[i].passed);
		}
	}
}

TEST(nothing_is_swallowed)
{
	for (int round = 0; round < 2000; round++) {
		struct keys k = { .len = 1 + test_rand_below(4) };
		_str_ in = STR_INIT, out = STR_INIT;

		for (size_t i = 0; i < k.len; i++)
			k.sequence[i] = (uint8_t)('a' + test_rand_below(2));
		for (int i = 0; i < 30; i++)
			str_addc(&in, (char)('a' + test_rand_below(2)));
		if (keys_feed(&k, in.buf, in.len, &out)) {
			ASSERT_MEMEQ(in.buf, out.buf, out.len);
			ASSERT_MEMEQ(in.buf + out.len, k.sequence, k.len);
		} else {
			keys_release(&k, &out);
			ASSERT_STREQ(out.buf, in.buf);
		}
	}
}
