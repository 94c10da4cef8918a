#include "term/parse.h"

#include "term/unicode.h"

enum { BEL = 0x07, CAN = 0x18, SUB = 0x1A, ESC = 0x1B, DEL = 0x7F, ST_FIRST = 0xC2, ST_SECOND = 0x9C };

enum action {
	NONE, EXECUTE, PRINT, CLEAR, COLLECT, MARK, PARAM, ESCAPE_END, CSI_END, HOOK, PUT, BEGIN_STRING, END_STRING, ABORT,
	SWALLOW, ACTION_COUNT,
};

/* One byte an entry: what to do, and the state after it. */
#define DO(action, state) ((action) << 4 | (state))
#define STAY(action, at) DO(action, PARSE_##at)
#define CONTROLS(at) \
	[0x00 ... 0x17] = STAY(EXECUTE, at), [0x19] = STAY(EXECUTE, at), [0x1C ... 0x1F] = STAY(EXECUTE, at), ANYWHERE
#define ANYWHERE [CAN] = DO(ABORT, PARSE_GROUND), [SUB] = DO(ABORT, PARSE_GROUND), [ESC] = DO(CLEAR, PARSE_ESCAPE)
#define QUIET(at) [0x00 ... 0x17] = STAY(NONE, at), [0x19] = STAY(NONE, at), [0x1C ... 0x1F] = STAY(NONE, at)
#define STRING_END [CAN] = DO(ABORT, PARSE_GROUND), [SUB] = DO(ABORT, PARSE_GROUND), [ESC] = DO(END_STRING, PARSE_ESCAPE)

static const uint8_t table[PARSE_STATE_COUNT][128] = {
	[PARSE_GROUND] = { CONTROLS(GROUND), [0x20 ... 0x7E] = STAY(PRINT, GROUND), [DEL] = STAY(NONE, GROUND) },
	[PARSE_ESCAPE] = {
		CONTROLS(ESCAPE), [0x20 ... 0x2F] = DO(COLLECT, PARSE_ESCAPE_INTERMEDIATE),
		[0x30 ... 0x4F] = DO(ESCAPE_END, PARSE_GROUND), ['P'] = DO(CLEAR, PARSE_DCS_ENTRY),
		[0x51 ... 0x57] = DO(ESCAPE_END, PARSE_GROUND), ['X'] = DO(BEGIN_STRING, PARSE_STRING),
		[0x59 ... 0x5A] = DO(ESCAPE_END, PARSE_GROUND), ['['] = DO(CLEAR, PARSE_CSI_ENTRY),
		['\\'] = DO(ESCAPE_END, PARSE_GROUND), [']'] = DO(BEGIN_STRING, PARSE_OSC_STRING),
		['^'] = DO(BEGIN_STRING, PARSE_STRING), ['_'] = DO(BEGIN_STRING, PARSE_STRING),
		[0x60 ... 0x7E] = DO(ESCAPE_END, PARSE_GROUND), [DEL] = STAY(NONE, ESCAPE),
	},
	[PARSE_ESCAPE_INTERMEDIATE] = {
		CONTROLS(ESCAPE_INTERMEDIATE), [0x20 ... 0x2F] = STAY(COLLECT, ESCAPE_INTERMEDIATE),
		[0x30 ... 0x7E] = DO(ESCAPE_END, PARSE_GROUND), [DEL] = STAY(NONE, ESCAPE_INTERMEDIATE),
	},
	[PARSE_CSI_ENTRY] = {
		CONTROLS(CSI_ENTRY), [0x20 ... 0x2F] = DO(COLLECT, PARSE_CSI_INTERMEDIATE),
		[0x30 ... 0x3B] = DO(PARAM, PARSE_CSI_PARAM), [0x3C ... 0x3F] = DO(MARK, PARSE_CSI_PARAM),
		[0x40 ... 0x7E] = DO(CSI_END, PARSE_GROUND), [DEL] = STAY(NONE, CSI_ENTRY),
	},
	[PARSE_CSI_PARAM] = {
		CONTROLS(CSI_PARAM), [0x20 ... 0x2F] = DO(COLLECT, PARSE_CSI_INTERMEDIATE),
		[0x30 ... 0x3B] = STAY(PARAM, CSI_PARAM), [0x3C ... 0x3F] = DO(NONE, PARSE_CSI_IGNORE),
		[0x40 ... 0x7E] = DO(CSI_END, PARSE_GROUND), [DEL] = STAY(NONE, CSI_PARAM),
	},
	[PARSE_CSI_INTERMEDIATE] = {
		CONTROLS(CSI_INTERMEDIATE), [0x20 ... 0x2F] = STAY(COLLECT, CSI_INTERMEDIATE),
		[0x30 ... 0x3F] = DO(NONE, PARSE_CSI_IGNORE), [0x40 ... 0x7E] = DO(CSI_END, PARSE_GROUND),
		[DEL] = STAY(NONE, CSI_INTERMEDIATE),
	},
	[PARSE_CSI_IGNORE] = {
		CONTROLS(CSI_IGNORE), [0x20 ... 0x3F] = STAY(NONE, CSI_IGNORE), [0x40 ... 0x7E] = DO(NONE, PARSE_GROUND),
		[DEL] = STAY(NONE, CSI_IGNORE),
	},
	[PARSE_DCS_ENTRY] = {
		QUIET(DCS_ENTRY), ANYWHERE, [0x20 ... 0x2F] = DO(COLLECT, PARSE_DCS_INTERMEDIATE),
		[0x30 ... 0x3B] = DO(PARAM, PARSE_DCS_PARAM), [0x3C ... 0x3F] = DO(MARK, PARSE_DCS_PARAM),
		[0x40 ... 0x7E] = DO(HOOK, PARSE_DCS_PASSTHROUGH), [DEL] = STAY(NONE, DCS_ENTRY),
	},
	[PARSE_DCS_PARAM] = {
		QUIET(DCS_PARAM), ANYWHERE, [0x20 ... 0x2F] = DO(COLLECT, PARSE_DCS_INTERMEDIATE),
		[0x30 ... 0x3B] = STAY(PARAM, DCS_PARAM), [0x3C ... 0x3F] = DO(NONE, PARSE_DCS_IGNORE),
		[0x40 ... 0x7E] = DO(HOOK, PARSE_DCS_PASSTHROUGH), [DEL] = STAY(NONE, DCS_PARAM),
	},
	[PARSE_DCS_INTERMEDIATE] = {
		QUIET(DCS_INTERMEDIATE), ANYWHERE, [0x20 ... 0x2F] = STAY(COLLECT, DCS_INTERMEDIATE),
		[0x30 ... 0x3F] = DO(NONE, PARSE_DCS_IGNORE), [0x40 ... 0x7E] = DO(HOOK, PARSE_DCS_PASSTHROUGH),
		[DEL] = STAY(NONE, DCS_INTERMEDIATE),
	},
	[PARSE_DCS_PASSTHROUGH] = {
		[0x00 ... 0x17] = STAY(PUT, DCS_PASSTHROUGH), [0x19] = STAY(PUT, DCS_PASSTHROUGH),
		[0x1C ... 0x7E] = STAY(PUT, DCS_PASSTHROUGH), [DEL] = STAY(NONE, DCS_PASSTHROUGH), STRING_END,
	},
	[PARSE_DCS_IGNORE] = { QUIET(DCS_IGNORE), [0x20 ... DEL] = STAY(NONE, DCS_IGNORE), ANYWHERE },
	[PARSE_OSC_STRING] = {
		[0x00 ... 0x06] = STAY(NONE, OSC_STRING), [BEL] = DO(END_STRING, PARSE_GROUND),
		[0x08 ... 0x17] = STAY(NONE, OSC_STRING), [0x19] = STAY(NONE, OSC_STRING),
		[0x1C ... 0x1F] = STAY(NONE, OSC_STRING), [0x20 ... DEL] = STAY(PUT, OSC_STRING), STRING_END,
	},
	[PARSE_STRING] = { QUIET(STRING), [0x20 ... DEL] = STAY(NONE, STRING), ANYWHERE },
	[PARSE_TAIL] = {
		CONTROLS(GROUND), [0x20 ... 0x5B] = DO(PRINT, PARSE_GROUND), ['\\'] = DO(SWALLOW, PARSE_GROUND),
		[0x5D ... 0x7E] = DO(PRINT, PARSE_GROUND),
	},
};

struct feed {
	struct parser *p;
	const struct parse_ops *ops;
	void *ctx;
	const uint8_t *begin, *at, *end;         /* @at: behind the byte that is being looked at */
};

static bool is_string_state(unsigned state)
{
	return state >= PARSE_DCS_PASSTHROUGH && state <= PARSE_STRING;
}

static void cancel(struct feed *f, uint8_t with)
{
	f->ops->cancel(f->ctx, (size_t)(f->at - 1 - f->begin), with);
}

static void clear(struct parser *p)
{
	p->marker = p->intermediate_count = p->count = 0;
	p->subs = 0;
	p->is_full = false;
}

static void begin_string(struct parser *p, uint8_t kind)
{
	p->final = kind;
	p->is_wanted = true;
	p->is_too_long = false;
	str_clear(&p->string);
}

static void put(struct parser *p, const void *data, size_t n)
{
	const size_t room = PARSE_STRING_MAX - p->string.len;

	if (!p->is_wanted)
		return;
	p->is_too_long |= n > room;
	str_add(&p->string, data, min_size(n, room));
}

/* In a string: the C2 that was held does not begin ST. */
static void put_held(struct parser *p)
{
	if (p->held_len > 0 && p->state != PARSE_STRING && p->state != PARSE_DCS_IGNORE)
		put(p, p->held, p->held_len);
	p->held_len = 0;
}

static void begin_param(struct parser *p)
{
	if (p->count == PARSE_PARAMS_MAX)
		p->is_full = true;
	else
		p->params[p->count++] = PARSE_OMITTED;
}

static inline void param(struct parser *p, uint8_t c)
{
	if (p->count == 0)
		begin_param(p);
	if (c >= ':') {
		begin_param(p);
		if (c == ':' && !p->is_full)
			p->subs |= UINT32_C(1) << (p->count - 1);
	} else if (!p->is_full) {
		const int32_t v = p->params[p->count - 1];

		p->params[p->count - 1] = v < 0 ? c - '0' : v >= PARSE_VALUE_MAX / 10 ? PARSE_VALUE_MAX : v * 10 + (c - '0');
	}
}

static void collect(struct parser *p, uint8_t c)
{
	if (p->intermediate_count < 2)
		p->intermediates[p->intermediate_count++] = c;
	else
		p->intermediate_count = 3;
}

static void csi_end(struct feed *f, uint8_t c)
{
	if (f->p->count == 0)
		begin_param(f->p);
	if (f->ops->csi(f->ctx, f->p, c))
		cancel(f, CAN);
}

static void hook(struct feed *f, uint8_t c)
{
	if (f->p->count == 0)
		begin_param(f->p);
	begin_string(f->p, c);
	f->p->is_wanted = f->ops->dcs_begin(f->ctx, f->p, c);
}

/* The string has ended: with BEL, ESC or the second byte of ST. */
static void end_string(struct feed *f, uint8_t c)
{
	struct parser *const p = f->p;
	const bool is_osc = p->state == PARSE_OSC_STRING;
	bool answered;

	if (c != ST_SECOND)
		put_held(p);
	p->held_len = 0;
	p->state = c == ESC ? PARSE_ESCAPE : PARSE_GROUND;
	if (!p->is_wanted || p->is_too_long)
		answered = false;
	else
		answered = is_osc ? f->ops->osc(f->ctx, p) : f->ops->dcs(f->ctx, p);
	str_release(&p->string);
	clear(p);
	if (answered) {
		cancel(f, CAN);
		p->state = c == ESC ? PARSE_TAIL : PARSE_GROUND;
	}
}

/* U+0080 to U+009F: ESC and another byte in one. DECID is left out: its last byte could not be cancelled. */
static void c1(struct feed *f, uint8_t c)
{
	static const uint8_t begins[32] = {
		[0x10] = PARSE_DCS_ENTRY, [0x18] = PARSE_STRING, [0x1B] = PARSE_CSI_ENTRY, [0x1D] = PARSE_OSC_STRING,
		[0x1E] = PARSE_STRING, [0x1F] = PARSE_STRING,
	};
	const uint8_t state = begins[c & 0x1F];

	clear(f->p);
	f->p->state = state;
	if (state == PARSE_OSC_STRING || state == PARSE_STRING)
		begin_string(f->p, c - 0x40);
	else if (state == PARSE_GROUND && c != 0x9A)
		(void)f->ops->escape(f->ctx, f->p, c - 0x40);
}

static void character(struct feed *f, uint32_t c)
{
	if (c < 0xA0)
		c1(f, (uint8_t)c);
	else
		f->ops->character(f->ctx, c);
}

/* How many bytes a character has that begins so; 0: none does. */
static unsigned length_of(uint8_t first)
{
	return first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Whether @c can be the second byte after @first: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static bool can_follow(uint8_t first, uint8_t c)
{
	const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

	return c >= low && c <= high;
}

static uint32_t decode(const uint8_t *b, unsigned n)
{
	uint32_t c = b[0] & (0xFF >> (n + 1));

	for (unsigned i = 1; i < n; i++)
		c = c << 6 | (b[i] & 0x3F);
	return c;
}

/* The longest beginning of a character that is broken off is one U+FFFD, as Unicode recommends. */
static void give_up_held(struct feed *f)
{
	if (f->p->held_len > 0) {
		f->p->held_len = 0;
		f->ops->character(f->ctx, UNICODE_REPLACEMENT);
	}
}

/* One byte from 0x80 up, outside of strings. */
static void multibyte(struct feed *f, uint8_t c)
{
	struct parser *const p = f->p;

	p->state = PARSE_GROUND;
	if (p->held_len == 1 ? !can_follow(p->held[0], c) : p->held_len > 0 && (c & 0xC0) != 0x80)
		give_up_held(f);
	if (p->held_len == 0 && length_of(c) == 0) {
		f->ops->character(f->ctx, UNICODE_REPLACEMENT);
		return;
	}
	p->held[p->held_len++] = c;
	if (p->held_len == length_of(p->held[0])) {
		p->held_len = 0;
		character(f, decode(p->held, length_of(p->held[0])));
	}
}

/* A whole character that lies before us: how many bytes, 0 when it must be looked at byte by byte. */
static unsigned whole_character(const uint8_t *at, size_t n, uint32_t *ret)
{
	const unsigned len = length_of(at[0]);

	if (len == 0 || len > n || !can_follow(at[0], at[1]))
		return 0;
	for (unsigned i = 2; i < len; i++)
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	*ret = decode(at, len);
	return *ret < 0xA0 ? 0 : len;
}

static void high_in_string(struct feed *f, uint8_t c)
{
	struct parser *const p = f->p;
	const bool has_content = p->state == PARSE_OSC_STRING || p->state == PARSE_DCS_PASSTHROUGH;

	if (p->held_len > 0 && c == ST_SECOND) {
		if (has_content)
			end_string(f, c);
		p->held_len = 0;
		p->state = PARSE_GROUND;
		return;
	}
	put_held(p);
	if (c == ST_FIRST)
		p->held[p->held_len++] = c;
	else if (has_content)
		put(p, &c, 1);
}

static void act(struct feed *f, enum action action, uint8_t c)
{
	struct parser *const p = f->p;

	switch (action) {
	case EXECUTE:
		if (c != '\0' && f->ops->control(f->ctx, c))
			cancel(f, '\0');              /* it may stand within a sequence, which goes on */
		break;
	case PRINT: f->ops->text(f->ctx, &c, 1); break;
	case CLEAR:
		clear(p);
		p->held_len = 0;
		break;
	case COLLECT: collect(p, c); break;
	case MARK: p->marker = c; break;
	case PARAM: param(p, c); break;
	case ESCAPE_END:
		if (f->ops->escape(f->ctx, p, c))
			cancel(f, CAN);
		break;
	case CSI_END: csi_end(f, c); break;
	case HOOK: hook(f, c); break;
	case PUT: put(p, &c, 1); break;
	case BEGIN_STRING: begin_string(p, c); break;
	case ABORT:
		p->held_len = 0;
		str_release(&p->string);
		(void)f->ops->control(f->ctx, c);
		break;
	case SWALLOW: cancel(f, '\0'); break;
	default: break;
	}
}

static void step(struct feed *f, uint8_t c)
{
	struct parser *const p = f->p;
	uint8_t entry;

	if (c >= 0x80) {
		if (is_string_state(p->state))
			high_in_string(f, c);
		else
			multibyte(f, c);
		return;
	}
	if (p->held_len > 0) {
		if (is_string_state(p->state)) {
			if (c != CAN && c != SUB)
				put_held(p);
		} else {
			give_up_held(f);
		}
	}
	entry = table[p->state][c];
	if (entry >> 4 == END_STRING) {
		end_string(f, c);
		return;
	}
	p->state = entry & 0x0F;
	act(f, entry >> 4, c);
}

/* How many bytes from @at on are 0x20 to 0x7E. */
static inline size_t text_run(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *const begin = at;

	for (uint64_t w; end - at >= 8; at += 8) {
		uint64_t bad;

		memcpy(&w, at, 8);
		/* a byte below 0x20 borrows, one from 0x7F up has or gets the high bit: the first mark is exact */
		bad = ((w - UINT64_C(0x2020202020202020)) | (w + UINT64_C(0x0101010101010101)) | w) &
		      UINT64_C(0x8080808080808080);
		if (bad != 0)
			break;
	}
	while (at < end && *at >= 0x20 && *at < DEL)
		at++;
	return (size_t)(at - begin);
}

/* Text as it comes: true when there was some. */
static bool take_text(struct feed *f)
{
	const size_t run = text_run(f->at, f->end);
	uint32_t c;
	unsigned len;

	if (run > 0) {
		f->ops->text(f->ctx, f->at, run);
		f->at += run;
		return true;
	}
	if (*f->at < 0xC2)
		return false;
	len = whole_character(f->at, (size_t)(f->end - f->at), &c);
	f->at += len;
	if (len > 0)
		f->ops->character(f->ctx, c);
	return len > 0;
}

/* The content of a string, many bytes at once. */
static bool take_string(struct feed *f)
{
	const size_t run = text_run(f->at, f->end);

	if (run > 0 && (f->p->state == PARSE_OSC_STRING || f->p->state == PARSE_DCS_PASSTHROUGH))
		put(f->p, f->at, run);
	f->at += run;
	return run > 0;
}

/* Digits and separators of a control sequence, without a look at the table. */
static bool take_params(struct feed *f)
{
	const uint8_t *const begin = f->at;

	while (f->at < f->end && *f->at >= '0' && *f->at <= ';')
		param(f->p, *f->at++);
	if (f->at > begin)
		f->p->state = PARSE_CSI_PARAM;
	return f->at > begin;
}

/* ESC and [ at once. */
static bool take_csi(struct feed *f)
{
	if (*f->at != ESC || f->end - f->at < 2 || f->at[1] != '[')
		return false;
	clear(f->p);
	f->p->state = PARSE_CSI_ENTRY;
	f->at += 2;
	return true;
}

void parse_feed(struct parser *p, const void *data, size_t n, const struct parse_ops *ops, void *ctx)
{
	struct feed f = { .p = p, .ops = ops, .ctx = ctx, .begin = data, .at = data, .end = (const uint8_t *)data + n };

	while (f.at < f.end) {
		if (p->held_len == 0) {
			if (p->state == PARSE_GROUND && (take_text(&f) || take_csi(&f)))
				continue;
			if ((p->state == PARSE_CSI_PARAM || p->state == PARSE_CSI_ENTRY) && take_params(&f))
				continue;
			if (is_string_state(p->state) && take_string(&f))
				continue;
		}
		f.at++;
		step(&f, f.at[-1]);
	}
}

static void add_params(const struct parser *p, struct str *out)
{
	if (p->marker != 0)
		str_addc(out, (char)p->marker);
	for (unsigned i = 0; i < p->count; i++) {
		if (i > 0)
			str_addc(out, p->subs >> i & 1 ? ':' : ';');
		if (p->params[i] != PARSE_OMITTED)
			str_addf(out, "%d", p->params[i]);
	}
	if (p->is_full)
		str_addc(out, ';');
	for (unsigned i = 0; i < p->intermediate_count; i++)
		str_addc(out, (char)p->intermediates[i < 2 ? i : 1]);
}

static void add_string(const struct parser *p, struct str *out)
{
	if (p->is_wanted && p->string.len > 0)
		str_add(out, p->string.buf, p->string.len);
	if (p->is_wanted && p->is_too_long)
		str_addc(out, '~');
}

void parse_add_unfinished(const struct parser *p, struct str *out)
{
	static const char *const begins[PARSE_STATE_COUNT] = {
		[PARSE_ESCAPE] = "\033", [PARSE_ESCAPE_INTERMEDIATE] = "\033",
		[PARSE_CSI_ENTRY] = "\033[", [PARSE_CSI_PARAM] = "\033[", [PARSE_CSI_INTERMEDIATE] = "\033[",
		[PARSE_CSI_IGNORE] = "\033[0?", [PARSE_DCS_ENTRY] = "\033P", [PARSE_DCS_PARAM] = "\033P",
		[PARSE_DCS_INTERMEDIATE] = "\033P", [PARSE_DCS_PASSTHROUGH] = "\033P", [PARSE_DCS_IGNORE] = "\033P0?",
		[PARSE_OSC_STRING] = "\033]", [PARSE_STRING] = "\033",
	};

	str_adds(out, begins[p->state] ? begins[p->state] : "");
	switch (p->state) {
	case PARSE_ESCAPE_INTERMEDIATE:
	case PARSE_CSI_PARAM:
	case PARSE_CSI_INTERMEDIATE:
	case PARSE_DCS_PARAM:
	case PARSE_DCS_INTERMEDIATE:
		add_params(p, out);
		break;
	case PARSE_DCS_PASSTHROUGH:
		add_params(p, out);
		str_addc(out, (char)p->final);
		add_string(p, out);
		break;
	case PARSE_OSC_STRING:
		add_string(p, out);
		break;
	case PARSE_STRING:
		str_addc(out, (char)p->final);
		break;
	}
	str_add(out, p->held, p->held_len);
}

bool parse_is_idle(const struct parser *p)
{
	return (p->state == PARSE_GROUND || p->state == PARSE_TAIL) && p->held_len == 0;
}

void parse_copy(struct parser *to, const struct parser *from)
{
	parse_release(to);
	*to = *from;
	to->string = (struct str)STR_INIT;
	str_add(&to->string, from->string.buf, from->string.len);
}

void parse_release(struct parser *p)
{
	str_release(&p->string);
	*p = (struct parser)PARSER_INIT;
}
