/*
 * What scrolls away need not be printed. A stretch that only prints, with more line feeds than the screen has rows,
 * leaves nothing of what was there before its last rows, so only these are fed: the state is the same, and so it
 * stays wherever a stream is cut.
 */
#include "term/screen-state.h"

enum { ESC = 0x1B, C1_LEAD = 0xC2, BLOCK = 16 };

typedef uint8_t block __attribute__((vector_size(BLOCK)));

/* May it be more than a character, a tab, CR or LF? C2 leads in U+0080 to U+009F, which are controls. */
static inline bool is_special(uint8_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == C1_LEAD;
}

/* The first special byte from @at on, or @end. */
static const uint8_t *find_special(const uint8_t *at, const uint8_t *end)
{
	for (; end - at >= BLOCK; at += BLOCK) {
		uint64_t found[2];
		block b, bad;

		memcpy(&b, at, BLOCK);
		bad = (block)(((b < 0x20) & (b != '\t') & (b != '\n') & (b != '\r')) | (b == C1_LEAD));
		memcpy(found, &bad, sizeof(found));
		if ((found[0] | found[1]) != 0)
			break;
	}
	while (at < end && !is_special(*at))
		at++;
	return at;
}

/* Behind an SGR or EL that begins at @at; NULL: it is something else, or not all of it is here. */
static const uint8_t *behind_styling(const uint8_t *at, const uint8_t *end)
{
	if (end - at < 3 || at[0] != ESC || at[1] != '[')
		return NULL;
	for (at += 2; at < end && *at >= '0' && *at <= ';'; at++)
		;
	return at < end && (*at == 'm' || *at == 'K') ? at + 1 : NULL;
}

/* Behind the special byte at @at and what belongs to it, if it only prints; else NULL. */
static const uint8_t *behind_special(const uint8_t *at, const uint8_t *end)
{
	if (*at == ESC)
		return behind_styling(at, end);
	if (*at != C1_LEAD || end - at < 2 || at[1] < 0xA0)
		return NULL;
	return at[1] < 0xC0 ? at + 2 : at + 1;    /* a broken character; what comes next begins one */
}

size_t screen_printing(const void *data, size_t n)
{
	const uint8_t *const begin = data, *const end = begin + n, *at = begin, *next;

	while ((at = find_special(at, end)) < end && (next = behind_special(at, end)) != NULL)
		at = next;
	return (size_t)(at - begin);
}

bool screen_is_idle(const struct screen *s)
{
	return s->parser.state == PARSE_GROUND && s->parser.held_len == 0;
}

/* Every line feed at the bottom moves all there is up, and nobody asked to be told what leaves. */
static bool is_simple(const struct screen *s)
{
	return screen_is_idle(s) && s->cursor.charsets.shift == SINGLE_SHIFT_NONE && s->top == 0 && s->left == 0 &&
	       s->bottom == s->row_count - 1u && s->right == s->col_count - 1u && s->ops->scrolled_off == NULL &&
	       s->ops->cancel == NULL;
}

/* Where the last @lines line feeds of these bytes begin; NULL: there are fewer. */
static const uint8_t *last_lines(const uint8_t *begin, const uint8_t *end, unsigned lines)
{
	for (; lines > 0 && end != NULL; lines--)
		end = memrchr(begin, '\n', (size_t)(end - begin));
	return end;
}

static bool has_lines(const uint8_t *begin, const uint8_t *end, unsigned lines)
{
	for (; lines > 0 && begin < end; lines--) {
		const uint8_t *lf = memchr(begin, '\n', (size_t)(end - begin));

		if (lf == NULL)
			return false;
		begin = lf + 1;
	}
	return lines == 0;
}

/* The last SGR of these bytes that resets everything; NULL: there is none. */
static const uint8_t *last_reset(const uint8_t *begin, const uint8_t *end)
{
	const uint8_t *at = end;

	while ((at = memrchr(begin, ESC, (size_t)(at - begin))) != NULL) {
		const size_t n = (size_t)(end - at);

		if ((n >= 3 && memcmp(at, "\033[m", 3) == 0) || (n >= 4 && memcmp(at, "\033[0m", 4) == 0))
			break;
	}
	return at;
}

/*
 * Everything before a carriage return with as many line feeds behind it as there are rows is gone in the end, if the
 * cursor was in the last row there, a new one; and what the column was then does not matter. The pen does: with SGR
 * before it, what is fed begins at one that resets the pen, and the text from there to the carriage return goes the
 * same way.
 */
size_t screen_skip(struct screen *s, const uint8_t *data, size_t n)
{
	const uint8_t *end, *from, *reset;

	if (n < 4u * s->row_count || !is_simple(s) || last_lines(data, data + n, s->row_count) == NULL)
		return 0;
	end = data + screen_printing(data, n);
	from = last_lines(data, end, s->row_count);
	if (from != NULL)
		from = memrchr(data, '\r', (size_t)(from - data));
	if (from == NULL)
		return 0;
	reset = last_reset(data, from);
	if (reset == NULL && memchr(data, ESC, (size_t)(from - data)) != NULL)
		return 0;
	from = reset ? reset : from;
	if (!has_lines(data, from, s->row_count - s->cursor.row))
		return 0;
	row_clear(s, row_at(s, s->row_count - 1u), 0);
	cursor_to(s, s->row_count - 1u, 0);
	return (size_t)(from - data);
}
