#include "base/test.h"
#include "term/answers.h"

/* NULL: nothing is left of it. */
static const struct { const char *in, *keys; } table[] = {
	/* keys, mice, focus, pastes */
	{ "a", "a" }, { "\033", "\033" }, { "\033\033", "\033\033" },
	{ "\033[A", "\033[A" }, { "\033OR", "\033OR" }, { "\033[", "\033[" },
	{ "\033]", "\033]" }, { "\033P", "\033P" },
	{ "\033]x", "\033]x" }, { "\033P1", "\033P1" }, { "\033[1;5A", "\033[1;5A" },
	{ "\033[13;5~", "\033[13;5~" }, { "\033[R", "\033[R" },
	{ "\033[1;2R", "\033[1;2R" }, { "\033[1;16R", "\033[1;16R" },
	{ "\033[27;5;13~", "\033[27;5;13~" }, { "\033[97;5u", "\033[97;5u" }, { "\033[97;;97u", "\033[97;;97u" },
	{ "\033[I", "\033[I" }, { "\033[O", "\033[O" },
	{ "\033[M !!", "\033[M !!" }, { "\033[<0;3;4M", "\033[<0;3;4M" },
	{ "\033[<0;3;4m", "\033[<0;3;4m" }, { "\033[1;5P", "\033[1;5P" },
	{ "\033[1;2S", "\033[1;2S" }, { "\033[Z", "\033[Z" },
	{ "\033[200~\033[?1;2c\033]11;?\a\033[201~x\033[?1;2cy", "\033[200~\033[?1;2c\033]11;?\a\033[201~xy" },
	/*
	 * answers: DA1, DA2, DA3, DSR, CPR, DECXCPR, DECRPM, window, DECREQTPARM, DECRQDE, kitty flags, XTQMODKEYS,
	 * XTSMGRAPHICS
	 */
	{ "\033[?64;1;2c", NULL }, { "\033[>41;370;0c", NULL }, { "\033P!|00000000\033\\", NULL }, { "\033[0n", NULL },
	{ "\033[?13n", NULL }, { "\033[3;4R", NULL },
	{ "\033[1;1R", NULL }, { "\033[1;17R", NULL }, { "\033[24;80R", NULL },
	{ "\033[?1;5;1R", NULL }, { "\033[?2004;1$y", NULL }, { "\033[4;2$y", NULL }, { "\033[8;24;80t", NULL },
	{ "\033[2;1;1;112;112;1;0x", NULL }, { "\033[24;80;1;1;1\"w", NULL },
	{ "\033[?0u", NULL }, { "\033[?1;3;0S", NULL },
	{ "\033[>4;2m", NULL }, { "\033[?997;1n", NULL },
	/* DECRQSS, XTGETTCAP, XTVERSION, DECRQCRA, DECCIR, OSC 4, 10, 11, 52, titles */
	{ "\033P1$r0m\033\\", NULL }, { "\033P1+r544e=787465726d\033\\", NULL }, { "\033P>|XTerm(370)\033\\", NULL },
	{ "\033P1!~0000\033\\", NULL },
	{ "\033P1$u1;1;1;@;@;@;0;2;@;BB0B\033\\", NULL }, { "\033]4;1;rgb:cdcd/0000/0000\a", NULL },
	{ "\033]10;rgb:ffff/ffff/ffff\033\\", NULL },
	{ "\033]11;rgb:0000/0000/0000\a", NULL }, { "\033]52;c;aGVsbG8=\a", NULL },
	{ "\033]ltitle\033\\", NULL }, { "\033]Licon\a", NULL },
	/* answers to what the supervisor does not speak: the program has asked the viewer */
	{ "\033_Gi=31;OK\033\\", "\033_Gi=31;OK\033\\" }, { "\033]21;foreground=rgb\a", "\033]21;foreground=rgb\a" },
	/* among keys */
	{ "ab\033[?1;2ccd\033[Ae", "abcd\033[Ae" },
	{ "\033\033[?1;2cx", "\033x" }, { "\033]11;rgb:0/0/0\033\\\033[Ax", "\033[Ax" },
	{ "\033P1$r0m\033[Ax", "\033[Ax" }, { "\033[?1\nx", "\nx" },
};

TEST(answers_go_and_keys_stay)
{
	for (size_t i = 0; i < array_len(table); i++) {
		struct answers a = { 0 };
		_str_ keys = STR_INIT;
		_free_ char *is = NULL, *want = visible(table[i].keys ? table[i].keys : "");

		answers_drop(&a, table[i].in, strlen(table[i].in), &keys);
		is = visible(keys.buf);
		ASSERT_STREQ(is, want);
		ASSERT_EQ(a.inside, ANSWERS_NONE);
	}
}

/* Once it is known to be an answer, its rest may come later, byte by byte. */
TEST(the_rest_of_an_answer_may_come_later)
{
	static const char *const answers[] = { "\033[?64;1;2c", "\033P1$r0m\033\\",
	                                       "\033]11;rgb:0000/0000/0000\a", "\033]4;1;rgb:1/2/3\033\\" };

	for (size_t i = 0; i < array_len(answers); i++) {
		const size_t n = strlen(answers[i]);

		for (size_t cut = 6; cut < n; cut++) {
			struct answers a = { 0 };
			_str_ keys = STR_INIT;

			answers_drop(&a, answers[i], cut, &keys);
			for (size_t k = cut; k < n; k++)
				answers_drop(&a, answers[i] + k, 1, &keys);
			answers_drop(&a, "x", 1, &keys);
			ASSERT_STREQ(keys.buf, "x");
		}
	}
}

/* What only looks like the beginning of one does not swallow what is typed for ever. */
TEST(one_that_never_ends_is_given_up)
{
	struct answers a = { 0 };
	_str_ keys = STR_INIT;

	answers_drop(&a, "\033P1$r", 6, &keys);
	for (int i = 0; i < 100000; i++)
		answers_drop(&a, "x", 1, &keys);
	ASSERT(keys.len > 30000);
	str_clear(&keys);
	answers_drop(&a, "\033[?", 3, &keys);
	for (int i = 0; i < 100; i++)
		answers_drop(&a, "1", 1, &keys);
	ASSERT(keys.len > 30);
}

/* Each key in a piece of its own, as people type: nothing of it is lost, whatever the keys are. */
TEST(what_is_typed_key_by_key_stays)
{
	static const char typed[] = "\033[?\033]11;\033P1$r~\033[1;5c\033[3;4R";
	struct answers a = { 0 };
	_str_ keys = STR_INIT;

	for (size_t i = 0; i < sizeof(typed) - 1; i++)
		answers_drop(&a, typed + i, 1, &keys);
	ASSERT_STREQ(keys.buf, typed);
}
