#include "term/answers.h"

#include <stdlib.h>

enum { CSI_MAX = 64, STRING_MAX = 64 * 1024, MODIFIERS_MAX = 16 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the CSI at @p, whole; 0: it is none, or not whole. */
static size_t csi_len(const char *p, size_t n)
{
	size_t i = 2;

	while (i < n && i < CSI_MAX && p[i] >= 0x20 && p[i] < 0x40)
		i++;
	return i < n && i < CSI_MAX && p[i] >= 0x40 && p[i] < 0x7F ? i + 1 : 0;
}

/* Row and column of the cursor, and not F3 with modifiers, which begins in 1;2 and ends in 1;16. */
static bool is_position(const char *p)
{
	char *rest;
	const unsigned long row = strtoul(p, &rest, 10);
	const unsigned long column = *rest == ';' && is_digit(rest[1]) ? strtoul(rest + 1, &rest, 10) : 0;

	return row >= 1 && column >= 1 && *rest == 'R' && (row > 1 || column < 2 || column > MODIFIERS_MAX);
}

/* Is the whole CSI at @p an answer? */
static bool is_csi_answer(const char *p, size_t len)
{
	const char last = p[len - 1], before = p[len - 2];

	if (!is_digit(p[2]))
		return false;
	switch (last) {
	case 'R':
		return is_position(p + 2);
	case 'c': case 'n': case 't': case 'x':
		return is_digit(before);
	case 'y':
		return before == '$';
	case 'w':
		return before == '"';
	}
	return false;
}

/* After "ESC P": what the answers to questions begin with. */
static bool is_dcs_answer(const char *p, size_t n)
{
	size_t i = 0;

	if (n >= 2 && p[0] == '>' && p[1] == '|')
		return true;
	while (i < n && i < 6 && is_digit(p[i]))
		i++;
	return i + 1 < n && ((p[i] == '!' && (p[i + 1] == '|' || p[i + 1] == '~')) ||
	                     (p[i] == '$' && (p[i + 1] == 'r' || p[i + 1] == 'u')) || (p[i] == '+' && p[i + 1] == 'r'));
}

/* After "ESC ]". Titles have no number before them; a terminal says them whole. */
static bool is_osc_answer(const char *p, size_t n)
{
	size_t i = 0;
	unsigned number = 0;

	if (n > 0 && (p[0] == 'l' || p[0] == 'L'))
		return n > 2 && (memchr(p, '\a', n) != NULL || memmem(p, n, "\033\\", 2) != NULL);
	for (; i < n && i < 3 && is_digit(p[i]); i++)
		number = number * 10 + (unsigned)(p[i] - '0');
	return i > 0 && i < n && p[i] == ';' &&
	       (number == 4 || number == 5 || (number >= 10 && number <= 19) || number == 52);
}

/* How many of the @n bytes of the answer that we are inside of belong to it; its end may be among them. */
static size_t inside_len(struct answers *a, const char *p, size_t n)
{
	size_t i = 0;

	if (a->inside == ANSWERS_CSI) {
		while (i < n && p[i] >= 0x20 && p[i] < 0x40)
			i++;
		if (i == n)
			return n;
		a->inside = ANSWERS_NONE;
		return p[i] >= 0x40 && p[i] < 0x7F ? i + 1 : i;
	}
	if (a->inside == ANSWERS_ESCAPE) {
		a->inside = ANSWERS_NONE;
		return p[0] == '\\';
	}
	for (; i < n && p[i] != '\a' && p[i] != '\033' && p[i] != 0x18; i++)
		;
	if (i == n)
		return n;
	if (p[i] == '\033' && i + 1 == n) {
		a->inside = ANSWERS_ESCAPE;              /* the first half of its end */
		return n;
	}
	a->inside = ANSWERS_NONE;
	return p[i] == '\a' ? i + 1 : p[i] == '\033' && p[i + 1] == '\\' ? i + 2 : i;
}

/* The bytes of an answer at @p, which is an ESC; 0: it is none. */
static size_t begins(struct answers *a, const char *p, size_t n)
{
	size_t len;

	if (n < 3)
		return 0;
	if ((p[1] == 'P' && is_dcs_answer(p + 2, n - 2)) || (p[1] == ']' && is_osc_answer(p + 2, n - 2))) {
		a->inside = ANSWERS_STRING;
		return 2;
	}
	if (p[1] != '[')
		return 0;
	if (p[2] == '?' || p[2] == '>' || p[2] == '=') {
		a->inside = ANSWERS_CSI;
		return 3;
	}
	len = csi_len(p, n);
	if (len == 6 && memcmp(p, "\033[200~", 6) == 0)
		a->in_paste = true;
	return len > 0 && is_csi_answer(p, len) ? len : 0;
}

/* What is pasted, up to the end of the paste. */
static size_t paste_len(struct answers *a, const char *p, size_t n)
{
	static const char end[] = "\033[201~";
	const char *at = memmem(p, n, end, sizeof(end) - 1);

	if (at == NULL)
		return n;
	a->in_paste = false;
	return (size_t)(at - p) + sizeof(end) - 1;
}

static size_t drop(struct answers *a, const char *p, size_t n)
{
	const size_t len = inside_len(a, p, n);

	a->dropped += len;
	if (a->inside != ANSWERS_NONE && a->dropped > (a->inside == ANSWERS_CSI ? (size_t)CSI_MAX : (size_t)STRING_MAX))
		a->inside = ANSWERS_NONE;                /* that was none */
	return len;
}

void answers_drop(struct answers *a, const char *data, size_t n, struct str *keys)
{
	while (n > 0) {
		const char *esc;
		size_t len, pass;

		if (a->inside != ANSWERS_NONE) {
			len = drop(a, data, n);
			data += len;
			n -= len;
			continue;
		}
		if (a->in_paste) {
			pass = paste_len(a, data, n);
		} else {
			esc = memchr(data, '\033', n);
			pass = esc != NULL ? (size_t)(esc - data) : n;
		}
		str_add(keys, data, pass);
		data += pass;
		n -= pass;
		if (n == 0 || data[0] != '\033')
			continue;
		a->dropped = 0;
		len = begins(a, data, n);
		if (len == 0) {
			str_addc(keys, *data);
			len = 1;
		}
		data += len;
		n -= len;
	}
}
