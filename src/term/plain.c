#include "term/plain.h"

enum state { GROUND, ESCAPE, INTERMEDIATE, CSI, STRING, OSC };
enum { COLUMN_MAX = 1000 };                       /* the furthest that a sequence moves: bounds what it costs */
enum { BS = 0x08, LF = 0x0a, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f, BEL = 0x07 };

static bool continues(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

static size_t next_of(const struct plain *p, size_t at)
{
	for (at++; at < p->line.len && continues(p->line.buf[at]); at++)
		;
	return at;
}

static void forward(struct plain *p, size_t n)
{
	n = min_size(n, COLUMN_MAX);
	for (; n > 0 && p->at < p->line.len; n--)
		p->at = next_of(p, p->at);
	p->beyond = min_size(p->beyond + n, COLUMN_MAX);
}

static void back(struct plain *p, size_t n)
{
	const size_t blank = min_size(n, p->beyond);

	p->beyond -= blank;
	for (n -= blank; n > 0 && p->at > 0; n--)
		do
			p->at--;
		while (p->at > 0 && continues(p->line.buf[p->at]));
}

static size_t column(const struct plain *p)
{
	size_t n = p->beyond;

	for (size_t i = 0; i < p->at; i++)
		n += !continues(p->line.buf[i]);
	return n;
}

static void end_line(struct plain *p, struct str *out)
{
	str_add(out, p->line.buf, p->line.len);
	str_addc(out, '\n');
	str_clear(&p->line);
	p->at = p->beyond = 0;
}

/* @n bytes in the place of the @old bytes at the cursor, which stays before them. */
static void splice(struct plain *p, size_t old, const char *data, size_t n)
{
	const size_t tail = p->line.len - p->at - old;

	if (n > old)
		str_grow(&p->line, n - old);
	if (n != old)
		memmove(p->line.buf + p->at + n, p->line.buf + p->at + old, tail);
	memcpy(p->line.buf + p->at, data, n);
	p->line.len = p->at + n + tail;
	if (p->line.cap > 0)
		p->line.buf[p->line.len] = '\0';
}

/* One column's worth, whole. */
static void put(struct plain *p, const char *data, size_t n, struct str *out)
{
	if (p->line.len + p->beyond + n > PLAIN_LINE_MAX)
		end_line(p, out);
	for (; p->beyond > 0; p->beyond--) {
		str_addc(&p->line, ' ');
		p->at++;
	}
	if (p->at < p->line.len)
		splice(p, next_of(p, p->at) - p->at, data, n);
	else
		str_add(&p->line, data, n);
	p->at += n;
}

static void tab(struct plain *p, struct str *out)
{
	if (p->at == p->line.len)
		put(p, "\t", 1, out);
	else
		forward(p, 8 - column(p) % 8);
}

static void control(struct plain *p, unsigned char c, struct str *out)
{
	switch (c) {
	case LF: end_line(p, out); break;
	case '\r': p->at = p->beyond = 0; break;
	case BS: back(p, 1); break;
	case '\t': tab(p, out); break;
	}
}

static void erase(struct plain *p)
{
	size_t col;

	if (p->number == 0) {                     /* from the cursor on */
		splice(p, p->line.len - p->at, "", 0);
	} else if (p->number == 2) {              /* all of it; the cursor stays where it is */
		col = column(p);
		str_clear(&p->line);
		p->at = 0;
		p->beyond = min_size(col, COLUMN_MAX);
	}
}

static void insert(struct plain *p, size_t n)
{
	char blanks[COLUMN_MAX];

	n = min_size(n, COLUMN_MAX);
	if (p->at == p->line.len || p->line.len + n > PLAIN_LINE_MAX)
		return;
	memset(blanks, ' ', n);
	splice(p, 0, blanks, n);
}

static void remove_columns(struct plain *p, size_t n)
{
	size_t end = p->at;

	for (n = min_size(n, COLUMN_MAX); n > 0 && end < p->line.len; n--)
		end = next_of(p, end);
	splice(p, end - p->at, "", 0);
}

/* The end of a CSI sequence: those which edit one line are obeyed. */
static void dispatch(struct plain *p, unsigned char final)
{
	const size_t n = p->number > 0 ? p->number : 1;

	switch (final) {
	case '@': insert(p, n); break;
	case 'C': forward(p, n); break;
	case 'D': back(p, n); break;
	case 'G':
		p->at = p->beyond = 0;
		forward(p, n - 1);
		break;
	case 'J':
		if (p->number == 0)
			erase(p);
		break;
	case 'K': erase(p); break;
	case 'P': remove_columns(p, n); break;
	}
}

static void csi(struct plain *p, unsigned char c)
{
	if (c >= '0' && c <= '9') {
		if (!p->is_later && p->number <= COLUMN_MAX)
			p->number = p->number * 10 + (c - '0');
	} else if (c == ';' || c == ':') {
		p->is_later = true;
	} else if (c < 0x40) {                    /* private markers and intermediates make it another sequence */
		p->is_foreign = true;
	} else {
		p->state = GROUND;
		if (!p->is_foreign)
			dispatch(p, c);
	}
}

/* What begins here, by the last byte of the 7-bit form: ESC [ is CSI. */
static void begin(struct plain *p, unsigned char c)
{
	p->number = 0;
	p->is_later = p->is_foreign = false;
	switch (c) {
	case '[': p->state = CSI; break;
	case ']': p->state = OSC; break;
	case 'P': case 'X': case '^': case '_': p->state = STRING; break;
	default: p->state = c < 0x30 ? INTERMEDIATE : GROUND; break;
	}
}

static void put_invalid(struct plain *p, struct str *out)
{
	const size_t n = p->held_len;

	p->held_len = 0;
	for (size_t i = 0; i < n; i++)
		put(p, "\xEF\xBF\xBD", 3, out);
}

static size_t wanted_len(unsigned char first)
{
	return first < 0xC2 || first > 0xF4 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* A byte of a character that has several. False: it does not belong to the one that was begun. */
static bool multibyte(struct plain *p, unsigned char c, struct str *out)
{
	if (p->held_len > 0 && !continues((char)c)) {
		put_invalid(p, out);
		return false;
	}
	p->held[p->held_len++] = (char)c;
	if (p->held_len < wanted_len((unsigned char)p->held[0]))
		return true;
	if (utf8_len(p->held, p->held_len) != p->held_len) {
		put_invalid(p, out);
	} else if (p->held_len == 2 && (unsigned char)p->held[0] == 0xC2 && c < 0xA0) {
		p->held_len = 0;
		begin(p, c - 0x40);               /* a C1 control: ESC and another byte in one */
	} else {
		put(p, p->held, p->held_len, out);
		p->held_len = 0;
	}
	return true;
}

/* In a string that is not shown. It ends with BEL (OSC only), ESC (seen to by the caller) or ST, C2 9C. */
static void string(struct plain *p, unsigned char c)
{
	const bool is_end = p->held_len > 0 && c == 0x9C;

	p->held_len = c == 0xC2;
	if (is_end || (c == BEL && p->state == OSC))
		p->state = GROUND;
}

static void feed_byte(struct plain *p, unsigned char c, struct str *out)
{
	const bool in_string = p->state == STRING || p->state == OSC;

	if (p->state == GROUND && (c >= 0x80 || p->held_len > 0) && multibyte(p, c, out))
		return;
	if (c == CAN || c == SUB || c == ESC) {
		p->state = c == ESC ? ESCAPE : GROUND;
		p->held_len = 0;
	} else if (in_string) {
		string(p, c);
	} else if (c < 0x20) {
		control(p, c, out);
	} else if (c >= 0x80) {                   /* no sequence has such a byte */
		p->state = GROUND;
		(void)multibyte(p, c, out);
	} else if (p->state == CSI) {
		if (c != DEL)
			csi(p, c);
	} else if (p->state == ESCAPE) {
		if (c != DEL)
			begin(p, c);
	} else if (p->state == INTERMEDIATE) {
		p->state = c < 0x30 || c == DEL ? INTERMEDIATE : GROUND;
	} else if (c != DEL) {
		put(p, (const char *)&c, 1, out);
	}
}

/* Ordinary text at the end of a line, taken at once: how many bytes. */
static size_t feed_text(struct plain *p, const unsigned char *data, size_t n)
{
	size_t len = 0;

	if (p->state != GROUND || p->held_len > 0 || p->beyond > 0 || p->at < p->line.len)
		return 0;
	n = min_size(n, PLAIN_LINE_MAX - p->line.len);
	while (len < n && data[len] >= 0x20 && data[len] < DEL)
		len++;
	if (len > 0)
		str_add(&p->line, data, len);
	p->at = p->line.len;
	return len;
}

void plain_feed(struct plain *p, const void *data, size_t n, struct str *out)
{
	const unsigned char *at = data, *end = at + n;

	while (at < end) {
		at += feed_text(p, at, (size_t)(end - at));
		if (at < end)
			feed_byte(p, *at++, out);
	}
}

void plain_finish(struct plain *p, struct str *out)
{
	if (p->state == GROUND)
		put_invalid(p, out);
	str_add(out, p->line.buf, p->line.len);
	str_release(&p->line);
	*p = (struct plain)PLAIN_INIT;
}
