#include "base/json-tree.h"

#include "base/fd.h"
#include "base/json.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

struct reader {
	const char *p, *end;
	struct json_at at;               /* where @p is */
	struct err *err;
	int depth;
};

int json_at_error(const struct json_at *at, struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_setv(err, EINVAL, "bad-json", fmt, ap);
	va_end(ap);
	err_wrap(err, "%s:%d:%d", at->file, at->line, at->column);
	return -EINVAL;
}

#define fail(r, ...) (json_at_error(&(r)->at, (r)->err, __VA_ARGS__), (struct json_node *)NULL)

/* One byte further; a character's other bytes are no columns. */
static void step(struct reader *r)
{
	if (*r->p == '\n') {
		r->at.line++;
		r->at.column = 1;
	} else if (((unsigned char)*r->p & 0xc0) != 0x80) {
		r->at.column++;
	}
	r->p++;
}

static void skip_space(struct reader *r)
{
	while (r->p < r->end && strchr(" \t\r\n", *r->p) != NULL && *r->p != '\0')
		step(r);
}

static bool is_next(const struct reader *r, char c)
{
	return r->p < r->end && *r->p == c;
}

/* What stands here, for an error: a character, or the end. */
static char *shown_here(const struct reader *r)
{
	const size_t n = r->p < r->end ? utf8_len(r->p, (size_t)(r->end - r->p)) : 0;
	_str_ s = STR_INIT, quoted = STR_INIT;

	if (r->p >= r->end)
		return xstrdup("the end of the file");
	str_add_visible(&s, r->p, n ? n : 1);
	str_addf(&quoted, "'%s'", s.buf);
	return str_take(&quoted);
}

static struct json_node *fail_expected(struct reader *r, const char *wanted)
{
	_free_ char *here = shown_here(r);

	return fail(r, "%s is expected here, not %s", wanted, here);
}

static struct json_node *new_node(enum node_kind kind, const struct json_at *at)
{
	struct json_node *n = xcalloc(1, sizeof(*n));

	n->kind = kind;
	n->at = *at;
	return n;
}

/* --- strings --- */

/* Four hexadecimal digits; -1: they are none. */
static int read_hex(struct reader *r)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		const char c = r->p < r->end ? *r->p : '\0';

		if (!isxdigit((unsigned char)c))
			return -1;
		v = v * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		step(r);
	}
	return v;
}

static void add_character(struct str *out, unsigned c)
{
	if (c < 0x80) {
		str_addc(out, (char)c);
	} else if (c < 0x800) {
		str_addc(out, (char)(0xc0 | c >> 6));
		str_addc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		str_addc(out, (char)(0xe0 | c >> 12));
		str_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		str_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		str_addc(out, (char)(0xf0 | c >> 18));
		str_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		str_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		str_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* After "\u": a character, or two of them that are one. False: see the error. */
static bool read_unicode(struct reader *r, struct str *out)
{
	const struct json_at begin = r->at;
	int c = read_hex(r), low;

	if (c < 0) {
		(void)fail(r, "\\u needs four hexadecimal digits");
		return false;
	}
	if (c >= 0xd800 && c < 0xdc00 && r->end - r->p >= 2 && r->p[0] == '\\' && r->p[1] == 'u') {
		step(r);
		step(r);
		low = read_hex(r);
		c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xd800;
	}
	if (c == 0 || (c >= 0xd800 && c < 0xe000)) {
		json_at_error(&begin, r->err, c == 0 ? "a text cannot hold the character NUL"
		                                     : "\\u names half a character here");
		return false;
	}
	add_character(out, (unsigned)c);
	return true;
}

/* After a backslash. False: see the error. */
static bool read_escape(struct reader *r, struct str *out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name = r->p < r->end && *r->p != '\0' ? strchr(names, *r->p) : NULL;

	if (is_next(r, 'u')) {
		step(r);
		return read_unicode(r, out);
	}
	if (name == NULL) {
		(void)fail(r, "there is no such escape: a backslash in a text is written \\\\");
		return false;
	}
	str_addc(out, values[name - names]);
	step(r);
	return true;
}

/* A string with its quotes, the caller's; NULL: see the error. */
static char *read_string(struct reader *r)
{
	const struct json_at begin = r->at;
	_str_ out = STR_INIT;

	step(r);
	while (!is_next(r, '"')) {
		const size_t n = r->p < r->end ? utf8_len(r->p, (size_t)(r->end - r->p)) : 0;

		if (r->p >= r->end || *r->p == '\n') {
			json_at_error(&begin, r->err, "this text has no end: its closing '\"' is missing");
			return NULL;
		}
		if (n == 0 || (unsigned char)*r->p < 0x20) {
			(void)fail(r, n == 0 ? "this is no valid UTF-8"
			                     : "a control character in a text is written as \\n, \\t or \\u00XX");
			return NULL;
		}
		if (*r->p == '\\') {
			step(r);
			if (!read_escape(r, &out))
				return NULL;
			continue;
		}
		str_add(&out, r->p, n);
		for (size_t i = 0; i < n; i++)
			step(r);
	}
	step(r);
	return out.len > 0 ? str_take(&out) : xstrdup("");
}

/* --- numbers and words --- */

static size_t read_digits(struct reader *r)
{
	size_t n = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; n++)
		step(r);
	return n;
}

static struct json_node *read_number(struct reader *r)
{
	const struct json_at begin = r->at;
	const char *from = r->p;
	_free_ char *text = NULL;
	struct json_node *n;
	bool is_real = false, is_zero;
	size_t digits;

	if (*r->p == '-')
		step(r);
	is_zero = is_next(r, '0');
	digits = read_digits(r);
	if (digits == 0 || (is_zero && digits > 1))
		return fail(r, digits == 0 ? "a digit is expected after '-'" : "a number does not begin with 0");
	if (is_next(r, '.')) {
		is_real = true;
		step(r);
		if (read_digits(r) == 0)
			return fail_expected(r, "a digit");
	}
	if (is_next(r, 'e') || is_next(r, 'E')) {
		is_real = true;
		step(r);
		if (is_next(r, '+') || is_next(r, '-'))
			step(r);
		if (read_digits(r) == 0)
			return fail_expected(r, "a digit");
	}
	text = xstrndup(from, (size_t)(r->p - from));
	n = new_node(is_real ? NODE_REAL : NODE_INT, &begin);
	n->real = strtod(text, NULL);
	errno = 0;
	n->number = is_real ? 0 : strtoll(text, NULL, 10);
	if (is_real && n->real == floor(n->real) && fabs(n->real) < 9e15) {      /* as in JSON Schema, 1.0 is one */
		n->kind = NODE_INT;
		n->number = (int64_t)n->real;
	} else if ((!is_real && errno == ERANGE) || isinf(n->real)) {
		json_at_error(&begin, r->err, "this number is too large");
		return json_tree_free(n);
	}
	return n;
}

static struct json_node *read_word(struct reader *r)
{
	static const struct { const char *word; enum node_kind kind; bool truth; } words[] = {
		{ "true", NODE_BOOL, true }, { "false", NODE_BOOL, false }, { "null", NODE_NULL, false },
	};

	for (size_t i = 0; i < array_len(words); i++) {
		const size_t n = strlen(words[i].word);

		if ((size_t)(r->end - r->p) >= n && memcmp(r->p, words[i].word, n) == 0) {
			struct json_node *node = new_node(words[i].kind, &r->at);

			node->truth = words[i].truth;
			for (size_t k = 0; k < n; k++)
				step(r);
			return node;
		}
	}
	return fail_expected(r, "a value");
}

/* --- lists and maps --- */

static struct json_node *read_value(struct reader *r);

/* After a member: is there another? 1, 0 with the closing bracket read, or -EINVAL. */
static int read_comma(struct reader *r, char close)
{
	skip_space(r);
	if (is_next(r, close)) {
		step(r);
		return 0;
	}
	if (!is_next(r, ',')) {
		(void)fail_expected(r, close == ']' ? "',' or ']'" : "',' or '}'");
		return -EINVAL;
	}
	step(r);
	skip_space(r);
	if (is_next(r, close)) {
		(void)fail(r, "after the last ',' something is missing");
		return -EINVAL;
	}
	return 1;
}

static struct json_node *read_list(struct reader *r)
{
	_json_tree_ *list = new_node(NODE_LIST, &r->at);
	int more = 1;

	step(r);
	skip_space(r);
	if (is_next(r, ']')) {
		step(r);
		return TAKE(list);
	}
	while (more > 0) {
		struct json_node *item = read_value(r);

		if (item == NULL)
			return NULL;
		vec_push(&list->items, item);
		more = read_comma(r, ']');
	}
	return more < 0 ? NULL : TAKE(list);
}

/* "key": value, into @map. False: see the error. */
static bool read_member(struct reader *r, struct json_node *map)
{
	const struct json_at key_at = r->at;
	const struct json_node *earlier;
	_free_ char *key = NULL;
	struct json_node *value;

	if (!is_next(r, '"'))
		return fail_expected(r, "a key in quotes") != NULL;
	key = read_string(r);
	if (key == NULL)
		return false;
	earlier = json_tree_get(map, key);
	if (earlier != NULL || map->items.len >= JSON_KEYS_MAX) {
		_free_ char *shown = visible(key);

		if (earlier != NULL)
			json_at_error(&key_at, r->err, "'%s' stands here a second time: the first is in line %d",
			              shown, earlier->key_at.line);
		else
			json_at_error(&key_at, r->err, "there are more than %d keys in one object", JSON_KEYS_MAX);
		return false;
	}
	skip_space(r);
	if (!is_next(r, ':'))
		return fail_expected(r, "':'") != NULL;
	step(r);
	skip_space(r);
	value = read_value(r);
	if (value == NULL)
		return false;
	value->key = TAKE(key);
	value->key_at = key_at;
	vec_push(&map->items, value);
	return true;
}

static struct json_node *read_map(struct reader *r)
{
	_json_tree_ *map = new_node(NODE_MAP, &r->at);
	int more = 1;

	step(r);
	skip_space(r);
	if (is_next(r, '}')) {
		step(r);
		return TAKE(map);
	}
	while (more > 0) {
		if (!read_member(r, map))
			return NULL;
		more = read_comma(r, '}');
	}
	return more < 0 ? NULL : TAKE(map);
}

static struct json_node *read_value(struct reader *r)
{
	struct json_node *n;

	if (r->depth >= JSON_DEPTH_MAX)
		return fail(r, "this is nested more than %d deep", JSON_DEPTH_MAX);
	if (r->p >= r->end)
		return fail_expected(r, "a value");
	r->depth++;
	if (*r->p == '{') {
		n = read_map(r);
	} else if (*r->p == '[') {
		n = read_list(r);
	} else if (*r->p == '"') {
		n = new_node(NODE_STRING, &r->at);
		n->text = read_string(r);
		if (n->text == NULL)
			n = json_tree_free(n);
	} else if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) {
		n = read_number(r);
	} else {
		n = read_word(r);
	}
	r->depth--;
	return n;
}

struct json_node *json_tree_parse(const char *text, size_t n, const char *file, struct err *err)
{
	struct reader r = { .p = text, .end = text + n, .at = { file, 1, 1 }, .err = err };
	_json_tree_ *root = NULL;

	if (n > JSON_TEXT_MAX) {
		err_set(err, EFBIG, "bad-json", "%s: it is larger than %d KiB", file, JSON_TEXT_MAX / 1024);
		return NULL;
	}
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return fail(&r, "it begins with a byte order mark: save it as UTF-8 without one");
	skip_space(&r);
	root = read_value(&r);
	if (root == NULL)
		return NULL;
	skip_space(&r);
	return r.p < r.end ? fail_expected(&r, "the end of the file") : TAKE(root);
}

struct json_node *json_tree_read(int dirfd, const char *path, const char *file, struct err *err)
{
	_str_ text = STR_INIT;
	const int r = file_read(dirfd, path, JSON_TEXT_MAX, &text);

	if (r == -EFBIG)
		err_set(err, EFBIG, "bad-json", "%s: it is larger than %d KiB", file, JSON_TEXT_MAX / 1024);
	else if (r < 0)
		err_set(err, -r, "bad-json", "cannot read '%s': %m", file);
	return r < 0 ? NULL : json_tree_parse(text.buf, text.len, file, err);
}

/* --- trees --- */

struct json_node *json_tree_free(struct json_node *n)
{
	if (n == NULL)
		return NULL;
	for (size_t i = 0; i < n->items.len; i++)
		json_tree_free(n->items.items[i]);
	vec_release(&n->items);
	free(n->key);
	free(n->text);
	free(n);
	return NULL;
}

struct json_node *json_tree_copy(const struct json_node *n)
{
	struct json_node *to = xcalloc(1, sizeof(*to));

	*to = *n;
	to->key = n->key ? xstrdup(n->key) : NULL;
	to->text = n->text ? xstrdup(n->text) : NULL;
	memset(&to->items, 0, sizeof(to->items));
	for (size_t i = 0; i < n->items.len; i++)
		vec_push(&to->items, json_tree_copy(n->items.items[i]));
	return to;
}

struct json_node *json_tree_get(const struct json_node *map, const char *key)
{
	for (size_t i = 0; map != NULL && map->kind == NODE_MAP && i < map->items.len; i++)
		if (str_eq(map->items.items[i]->key, key))
			return map->items.items[i];
	return NULL;
}

struct json_node *json_tree_take(struct json_node *map, const char *key)
{
	struct json_node *found = json_tree_get(map, key);

	for (size_t i = 0, kept = 0; found != NULL && i < map->items.len; i++)
		if (map->items.items[i] != found)
			map->items.items[kept++] = map->items.items[i];
	if (found != NULL)
		map->items.len--;
	return found;
}

static void write_node(struct json_writer *w, const char *key, const struct json_node *n)
{
	switch (n->kind) {
	case NODE_NULL:
		json_put_raw(w, key, "null");
		break;
	case NODE_BOOL:
		json_put_bool(w, key, n->truth);
		break;
	case NODE_INT:
		json_put_int(w, key, n->number);
		break;
	case NODE_REAL:
		json_put_real(w, key, n->real);
		break;
	case NODE_STRING:
		json_put_str(w, key, n->text);
		break;
	case NODE_LIST:
	case NODE_MAP:
		json_begin(w, key, n->kind == NODE_MAP ? '{' : '[');
		for (size_t i = 0; i < n->items.len; i++)
			write_node(w, n->kind == NODE_MAP ? n->items.items[i]->key : NULL, n->items.items[i]);
		json_end(w, n->kind == NODE_MAP ? '}' : ']');
		break;
	}
}

void json_tree_write(const struct json_node *n, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	write_node(&w, NULL, n);
}
