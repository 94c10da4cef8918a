#include "base/args.h"

#include "base/text.h"
#include "base/units.h"

#include <errno.h>

static const struct arg_option *by_name(const struct arg_parser *p, const char *name, size_t n)
{
	for (size_t i = 0; i < p->count; i++)
		if (strlen(p->options[i].name) == n && strncmp(p->options[i].name, name, n) == 0)
			return &p->options[i];
	return NULL;
}

static const struct arg_option *by_letter(const struct arg_parser *p, char letter)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->options[i].letter == letter)
			return &p->options[i];
	return NULL;
}

static int bad_value(struct err *err, const struct arg_option *o, const char *value, const char *wanted)
{
	_free_ char *shown = visible(value);

	return err_set(err, EINVAL, "bad-option", "--%s: '%s' is not %s", o->name, shown, wanted);
}

/* Is @value @choice, or @choice and a colon and more, where that may be? */
static bool is_choice(const struct arg_option *o, const char *choice, const char *value, const char **ret_rest)
{
	const size_t n = strlen(choice);

	*ret_rest = NULL;
	if (o->rest == 0 || !str_starts(value, choice) || value[n] != ':')
		return str_eq(choice, value);
	*ret_rest = value + n + 1;
	return true;
}

static int set_choice(const struct arg_option *o, const char *value, void *out, struct err *err)
{
	const char *rest;
	_str_ all = STR_INIT;

	for (int i = 0; o->choices[i] != NULL; i++) {
		if (is_choice(o, o->choices[i], value, &rest)) {
			*(int *)((char *)out + o->offset) = i;
			if (o->rest != 0)
				*(const char **)((char *)out + o->rest) = rest;
			return 0;
		}
		str_addf(&all, "%s%s", i ? ", " : "one of ", o->choices[i]);
	}
	return bad_value(err, o, value, all.buf);
}

static int set_value(const struct arg_option *o, const char *value, void *out, struct err *err)
{
	void *slot = (char *)out + o->offset;
	int r;

	if (o->given > 0)
		*((bool *)out + o->given) = true;
	switch (o->type) {
	case ARG_FLAG:
		*(bool *)slot = true;
		return 0;
	case ARG_STR:
		*(const char **)slot = value;
		return 0;
	case ARG_STRV:
		strv_push(slot, value);
		return 0;
	case ARG_UINT:
		r = parse_uint(value, o->min, o->max, slot);
		if (r == -ERANGE)
			return err_set(err, EINVAL, "bad-option", "--%s: %s is not between %llu and %llu", o->name,
			               value, (unsigned long long)o->min, (unsigned long long)o->max);
		return r < 0 ? bad_value(err, o, value, "a whole number") : 0;
	case ARG_SIZE:
		r = parse_size(value, slot);
		return r < 0 ? bad_value(err, o, value, "a size such as 512m or 2g") : 0;
	case ARG_SPAN:
		r = parse_span_ms(value, slot);
		return r < 0 ? bad_value(err, o, value, "a span of time such as 10s, 5m or 7d") : 0;
	case ARG_CHOICE:
		return set_choice(o, value, out, err);
	}
	return -EINVAL;
}

/* What is being read. Each argument gives at most as many options as it has letters. */
struct reading { const struct arg_parser *p; void *out; struct arg_words w; };

static int take(struct reading *rd, const struct arg_option *o, const char *value, struct err *err)
{
	rd->w.given = xrealloc(rd->w.given, (rd->w.given_len + 1) * sizeof(*rd->w.given));
	rd->w.given[rd->w.given_len++] = (struct arg_given){ o, value };
	return o != NULL ? set_value(o, value, rd->out, err) : 0;
}

static int parse_long(struct reading *rd, char **argv, int argc, int *i, struct err *err)
{
	const char *text = argv[*i] + 2;
	const size_t n = strcspn(text, "=");
	const struct arg_option *o = by_name(rd->p, text, n);

	if (o == NULL) {
		_free_ char *shown = visible(argv[*i]);

		return err_set(err, EINVAL, "bad-option", "unknown option '%.*s': see --help", (int)n + 2, shown);
	}
	if (o->value == NULL && text[n] == '=')
		return err_set(err, EINVAL, "bad-option", "--%s takes no value", o->name);
	if (o->value == NULL)
		return take(rd, o, NULL, err);
	if (text[n] == '=')
		return take(rd, o, text + n + 1, err);
	if (*i + 1 >= argc)
		return err_set(err, EINVAL, "bad-option", "--%s needs a value: --%s %s", o->name, o->name, o->value);
	return take(rd, o, argv[++*i], err);
}

static int parse_letters(struct reading *rd, char **argv, int argc, int *i, struct err *err)
{
	for (const char *c = argv[*i] + 1; *c != '\0'; c++) {
		const struct arg_option *o = by_letter(rd->p, *c);
		int r;

		if (o == NULL) {
			_free_ char *shown = visible(argv[*i]);

			return err_set(err, EINVAL, "bad-option", "unknown option '%s': see --help", shown);
		}
		if (o->value == NULL) {
			r = take(rd, o, NULL, err);
			if (r < 0)
				return r;
			continue;
		}
		if (c[1] != '\0')
			return take(rd, o, c + 1, err);
		if (*i + 1 >= argc)
			return err_set(err, EINVAL, "bad-option", "-%c needs a value: -%c %s", *c, *c, o->value);
		return take(rd, o, argv[++*i], err);
	}
	return 0;
}

int args_parse(const struct arg_parser *p, int argc, char **argv, void *out, struct arg_words *ret, struct err *err)
{
	struct reading rd = { .p = p, .out = out, .w = { .items = xcalloc((size_t)argc + 1, sizeof(*rd.w.items)) } };
	struct arg_words *w = &rd.w;
	bool raw = false;
	int r = 0;

	for (int i = 1; i < argc && r == 0; i++) {
		if (p->stop_after > 0 && w->len >= p->stop_after && !str_eq(argv[i], "--"))
			raw = true;
		if (!raw && str_eq(argv[i], "--")) {
			raw = w->has_dashes = true;
			w->before_dashes = w->len;
		} else if (!raw && str_starts(argv[i], "--")) {
			r = parse_long(&rd, argv, argc, &i, err);
		} else if (!raw && argv[i][0] == '-' && argv[i][1] != '\0') {
			r = parse_letters(&rd, argv, argc, &i, err);
		} else {
			w->items[w->len++] = argv[i];
			r = take(&rd, NULL, argv[i], err);
		}
	}
	if (!w->has_dashes)
		w->before_dashes = w->len;
	if (r < 0) {
		arg_words_release(w);
		return r;
	}
	*ret = *w;
	return 0;
}

void arg_words_release(struct arg_words *w)
{
	free(w->items);
	free(w->given);
	*w = (struct arg_words){ 0 };
}

static void option_head(const struct arg_option *o, struct str *out)
{
	if (o->letter)
		str_addf(out, "  -%c, ", o->letter);
	else
		str_adds(out, "      ");
	str_addf(out, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
}

void args_help(const struct arg_parser *p, struct str *out)
{
	enum { LEFT_MAX = 30 };                          /* a longer head has its help on the next line */
	size_t left = 0;

	for (size_t i = 0; i < p->count; i++) {
		_str_ head = STR_INIT;

		option_head(&p->options[i], &head);
		if (head.len + 2 <= LEFT_MAX)
			left = max_size(left, head.len + 2);
	}
	left = left ? left : LEFT_MAX;
	for (size_t i = 0; i < p->count; i++) {
		_str_ head = STR_INIT;

		option_head(&p->options[i], &head);
		str_adds(out, head.buf);
		if (head.len + 2 > left)
			str_addc(out, '\n');
		text_pad(out, head.len + 2 > left ? left : left - head.len);
		text_wrap(out, p->options[i].help, left, left, TEXT_COLUMNS);
	}
}
