#include "term/cast.h"

#include "base/json.h"

enum { SECOND_MS = 1000 };

/*
 * How many bytes of @p begin a character: all of one, some of one (*ret_is_cut), or of one that fails there. At least
 * 1.
 */
static size_t sequence_len(const uint8_t *p, size_t n, bool *ret_is_cut, bool *ret_is_valid)
{
	const size_t want = p[0] < 0x80 ? 1 : p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 :
	                    p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : 0;
	size_t len = 1;

	*ret_is_cut = *ret_is_valid = false;
	while (len < want && len < n) {
		/* what may come second depends on the first: neither overlong nor a surrogate nor beyond U+10FFFF */
		const uint8_t low = len > 1 ? 0x80 : p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
		const uint8_t high = len > 1 ? 0xBF : p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;

		if (p[len] < low || p[len] > high)
			return len;
		len++;
	}
	*ret_is_valid = want > 0 && len == want;
	*ret_is_cut = len < want;
	return len;
}

static void add_character(struct str *out, const char *p, size_t n)
{
	if (n == 1 && (*p == '"' || *p == '\\'))
		str_addf(out, "\\%c", *p);
	else if (n == 1 && *p == '\n')
		str_adds(out, "\\n");
	else if (n == 1 && *p == '\r')
		str_adds(out, "\\r");
	else if (n == 1 && ((uint8_t)*p < 0x20 || *p == 0x7F))
		str_addf(out, "\\u%04x", (uint8_t)*p);
	else
		str_add(out, p, n);
}

/* Bytes as the inside of a JSON string; what they end in the middle of is held, unless this is the end. */
static void add_text(struct cast_text *t, const char *data, size_t n, bool is_end, struct str *out)
{
	_str_ all = STR_INIT;

	str_add(&all, t->held, t->len);
	str_add(&all, data, n);
	t->len = 0;
	for (size_t at = 0, len; at < all.len; at += len) {
		bool is_cut, is_valid;

		len = sequence_len((const uint8_t *)all.buf + at, all.len - at, &is_cut, &is_valid);
		if (is_cut && !is_end) {
			memcpy(t->held, all.buf + at, len);
			t->len = (uint8_t)len;
		} else if (is_valid) {
			add_character(out, all.buf + at, len);
		} else {
			str_adds(out, "\xEF\xBF\xBD");
		}
	}
}

/* Of the session's time, the cast's: pauses are cut. */
static void go_to(struct cast *c, uint64_t time_ms)
{
	uint64_t pause = time_ms > c->seen_ms ? time_ms - c->seen_ms : 0;

	if (c->idle_max_ms > 0)
		pause = min_u64(pause, c->idle_max_ms);
	c->at_ms += pause;
	c->seen_ms += time_ms > c->seen_ms ? time_ms - c->seen_ms : 0;
}

/* "[1.234, "o", "": version 2 has the time since the beginning, version 3 since the event before. */
static void add_start(struct cast *c, char code, struct str *out)
{
	const uint64_t ms = c->version == 2 ? c->at_ms : c->at_ms - c->told_ms;

	c->told_ms = c->at_ms;
	str_addf(out, "[%llu.%03llu, \"%c\", \"", (unsigned long long)(ms / SECOND_MS),
	         (unsigned long long)(ms % SECOND_MS), code);
}

void cast_begin(struct cast *c, const struct cast_header *h, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	c->seen_ms = h->time_ms;
	json_begin(&w, NULL, '{');
	json_put_int(&w, "version", c->version);
	if (c->version == 2) {
		json_put_int(&w, "width", h->size.cols);
		json_put_int(&w, "height", h->size.rows);
	} else {
		json_begin(&w, "term", '{');
		json_put_int(&w, "cols", h->size.cols);
		json_put_int(&w, "rows", h->size.rows);
		json_put_str(&w, "type", h->term);
		json_end(&w, '}');
	}
	if (h->time_ms > 0)
		json_put_int(&w, "timestamp", (int64_t)(h->time_ms / SECOND_MS));
	json_put_str(&w, "title", h->title);
	json_put_str(&w, "command", h->command);
	if (c->version == 2 && h->term != NULL) {
		json_begin(&w, "env", '{');
		json_put_str(&w, "TERM", h->term);
		json_end(&w, '}');
	}
	json_end(&w, '}');
	str_addc(out, '\n');
}

static void add_event(struct cast *c, char code, struct cast_text *t, const void *data, size_t n, bool is_end,
                      struct str *out)
{
	_str_ text = STR_INIT;

	add_text(t, data, n, is_end, &text);
	if (text.len == 0)
		return;
	add_start(c, code, out);
	str_add(out, text.buf, text.len);
	str_adds(out, "\"]\n");
}

void cast_output(struct cast *c, uint64_t time_ms, const void *data, size_t n, struct str *out)
{
	go_to(c, time_ms);
	add_event(c, 'o', &c->output, data, n, false, out);
}

void cast_input(struct cast *c, uint64_t time_ms, const void *data, size_t n, struct str *out)
{
	go_to(c, time_ms);
	add_event(c, 'i', &c->input, data, n, false, out);
}

void cast_resize(struct cast *c, uint64_t time_ms, struct term_size size, struct str *out)
{
	go_to(c, time_ms);
	add_start(c, 'r', out);
	str_addf(out, "%ux%u\"]\n", size.cols, size.rows);
}

void cast_marker(struct cast *c, uint64_t time_ms, const char *label, struct str *out)
{
	struct cast_text none = { .len = 0 };

	go_to(c, time_ms);
	add_event(c, 'm', &none, label, strlen(label), true, out);
}

void cast_end(struct cast *c, uint64_t time_ms, int exit_code, struct str *out)
{
	go_to(c, time_ms);
	add_event(c, 'i', &c->input, "", 0, true, out);
	add_event(c, 'o', &c->output, "", 0, true, out);
	if (c->version < 3 || exit_code < 0)
		return;
	add_start(c, 'x', out);
	str_addf(out, "%d\"]\n", exit_code);
}
