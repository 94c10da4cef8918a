#include "term/key-encode.h"

#include "term/unicode.h"

#include <errno.h>

enum { SHIFT = 1, ALT = 2, CTRL = 4, SUPER = 8 };
enum { DISAMBIGUATE = 1, EVENTS = 2, ALTERNATES = 4, ALL_KEYS = 8, TEXT = 16 };

/*
 * How a key is sent: as CSI number ~, CSI letter, SS3 letter; @kitty is its number where it has one of its own
 * there.
 */
static const struct named {
	const char *name;
	char letter;                     /* CSI letter; 0: none */
	uint8_t number;                  /* CSI number ~ */
	bool is_cursor;                  /* the letter comes with SS3 in application mode */
	bool is_ss3;                     /* and always without modifiers (F1 to F4) */
} named_keys[] = {
	{ "up", 'A', 0, true, false }, { "down", 'B', 0, true, false }, { "right", 'C', 0, true, false },
	{ "left", 'D', 0, true, false }, { "home", 'H', 0, true, false }, { "end", 'F', 0, true, false },
	{ "begin", 'E', 0, true, false },
	{ "insert", 0, 2, false, false }, { "delete", 0, 3, false, false }, { "pageup", 0, 5, false, false },
	{ "pagedown", 0, 6, false, false },
	{ "f1", 'P', 11, false, true }, { "f2", 'Q', 12, false, true }, { "f3", 'R', 13, false, true },
	{ "f4", 'S', 14, false, true }, { "f5", 0, 15, false, false }, { "f6", 0, 17, false, false },
	{ "f7", 0, 18, false, false }, { "f8", 0, 19, false, false }, { "f9", 0, 20, false, false },
	{ "f10", 0, 21, false, false }, { "f11", 0, 23, false, false }, { "f12", 0, 24, false, false },
	{ "f13", 0, 25, false, false }, { "f14", 0, 26, false, false }, { "f15", 0, 28, false, false },
	{ "f16", 0, 29, false, false }, { "f17", 0, 31, false, false }, { "f18", 0, 32, false, false },
	{ "f19", 0, 33, false, false }, { "f20", 0, 34, false, false },
};

/* Keys that send a character. */
static const struct { const char *name; uint32_t c; } characters[] = {
	{ "enter", '\r' }, { "return", '\r' }, { "tab", '\t' }, { "backspace", 0x7F }, { "escape", 0x1B }, { "esc", 0x1B },
	{ "space", ' ' }, { "minus", '-' }, { "plus", '+' }, { "comma", ',' },
};

static const struct { const char *name; char plain, application; } keypad[] = {
	{ "kp0", '0', 'p' }, { "kp1", '1', 'q' }, { "kp2", '2', 'r' }, { "kp3", '3', 's' }, { "kp4", '4', 't' },
	{ "kp5", '5', 'u' }, { "kp6", '6', 'v' }, { "kp7", '7', 'w' }, { "kp8", '8', 'x' }, { "kp9", '9', 'y' },
	{ "kp-minus", '-', 'm' }, { "kp-comma", ',', 'l' }, { "kp-dot", '.', 'n' }, { "kp-enter", '\r', 'M' },
	{ "kp-plus", '+', 'k' }, { "kp-multiply", '*', 'j' }, { "kp-divide", '/', 'o' }, { "kp-equal", '=', 'X' },
};

static unsigned take_modifiers(const char **name)
{
	static const struct { const char *name; unsigned bit; } modifiers[] = {
		{ "ctrl-", CTRL }, { "c-", CTRL }, { "alt-", ALT }, { "meta-", ALT }, { "m-", ALT }, { "shift-", SHIFT },
		{ "s-", SHIFT }, { "super-", SUPER },
	};
	unsigned bits = 0;

	for (bool found = true; found;) {
		found = false;
		for (size_t i = 0; i < array_len(modifiers) && !found; i++) {
			const size_t n = strlen(modifiers[i].name);

			if (strncasecmp(*name, modifiers[i].name, n) == 0 && (*name)[n] != '\0') {
				bits |= modifiers[i].bit;
				*name += n;
				found = true;
			}
		}
	}
	return bits;
}

static void add_named(const struct screen *s, const struct named *k, unsigned modifiers, struct str *out)
{
	const bool is_application = k->is_cursor && screen_mode(s, 1) == 1;

	if (k->letter == 0 && modifiers == 0)
		str_addf(out, "\033[%u~", k->number);
	else if (k->letter == 0)
		str_addf(out, "\033[%u;%u~", k->number, modifiers + 1);
	else if (modifiers == 0)
		str_addf(out, "\033%c%c", is_application || (k->is_ss3 && screen_kitty_flags(s) == 0) ? 'O' : '[', k->letter);
	else if (k->letter == 'R' && screen_kitty_flags(s) != 0)         /* CSI R is the answer to where the cursor is */
		str_addf(out, "\033[13;%u~", modifiers + 1);
	else
		str_addf(out, "\033[1;%u%c", modifiers + 1, k->letter);
}

/* What Ctrl makes of a character: as a VT100 did, with the digits as xterm has them. -1: nothing. */
static int control_of(uint32_t c)
{
	static const char from[] = "2345678/", to[] = "\0\033\034\035\036\037\177\037";
	const char *at;

	if (c == ' ')
		return 0;
	if (c >= '@' && c <= '~')
		return (int)(c & 0x1F);
	if (c == '?')
		return 0x7F;
	at = c < 0x80 && c != 0 ? strchr(from, (int)c) : NULL;
	return at ? (unsigned char)to[at - from] : -1;
}

/* Under these flags a key that is no plain text is sent as CSI code u, so that nothing is ambiguous. */
static bool kitty_wants(unsigned flags, uint32_t c, unsigned modifiers)
{
	if (flags & ALL_KEYS)
		return true;
	if (!(flags & DISAMBIGUATE))
		return false;
	if (c == 0x1B)
		return true;
	if (c == '\r' || c == '\t' || c == 0x7F)
		return modifiers != 0;
	return (modifiers & ~SHIFT) != 0;
}

/* modifyOtherKeys: 1 where there is no other way to send it, 2 always when it is modified. */
static bool other_wants(int level, uint32_t c, unsigned modifiers)
{
	const bool is_special = c == '\r' || c == '\t' || c == 0x7F || c == 0x1B;

	if (level == 0 || modifiers == 0 || (modifiers == SHIFT && !is_special) || (c == '\t' && modifiers == SHIFT))
		return false;
	if (level >= 2)
		return true;
	return is_special ? modifiers != ALT && c != 0x1B && c != 0x7F : modifiers & CTRL && control_of(c) < 0;
}

static uint32_t shifted(uint32_t c)
{
	return c >= 'a' && c <= 'z' ? c - 32 : c;
}

static void add_legacy(const struct screen *s, uint32_t c, unsigned modifiers, struct str *out)
{
	char text[4];
	int control;

	if (c == '\t' && modifiers & SHIFT) {
		str_adds(out, modifiers & ALT ? "\033\033[Z" : "\033[Z");
		return;
	}
	if (modifiers & ALT)
		str_addc(out, '\033');
	if (c == 0x7F && (screen_mode(s, 67) == 1) != ((modifiers & CTRL) != 0)) {
		str_addc(out, '\b');
		return;
	}
	control = modifiers & CTRL && c >= 0x20 && c != 0x7F ? control_of(c) : -1;
	if (control >= 0)
		str_addc(out, (char)control);
	else
		str_add(out, text, unicode_encode(modifiers & SHIFT ? shifted(c) : c, text));
	if (c == '\r' && screen_ansi_mode(s, 20))
		str_addc(out, '\n');
}

/* With the text that it stands for; no number where nothing is held. */
static void add_text_key(uint32_t key, unsigned modifiers, struct str *out)
{
	if (modifiers == 0)
		str_addf(out, "\033[%u;;%uu", key, key);
	else
		str_addf(out, "\033[%u;%u;%uu", key, modifiers + 1, shifted(key));
}

static void add_character(const struct screen *s, uint32_t c, unsigned modifiers, struct str *out)
{
	const unsigned flags = screen_kitty_flags(s);

	if (c >= 'A' && c <= 'Z' && flags != 0 && !(modifiers & CTRL)) {
		modifiers |= SHIFT;               /* the protocol names the key, not what it prints */
		c += 32;
	}
	if (kitty_wants(flags, c, modifiers)) {
		const uint32_t key = c >= 'A' && c <= 'Z' ? c + 32 : c;

		if (modifiers == 0 && !(flags & TEXT && c >= 0x20 && c != 0x7F))
			str_addf(out, "\033[%uu", key);
		else if (flags & TEXT && flags & ALL_KEYS && !(modifiers & ~SHIFT) && c >= 0x20 && c != 0x7F)
			add_text_key(key, modifiers, out);
		else
			str_addf(out, "\033[%u;%uu", key, modifiers + 1);
	} else if (other_wants(screen_modify_keys(s), c, modifiers)) {
		str_addf(out, "\033[27;%u;%u~", modifiers + 1, modifiers & SHIFT ? shifted(c) : c);
	} else {
		add_legacy(s, c, modifiers, out);
	}
}

/* The one character that @name is, or 0. */
static uint32_t only_character(const char *name)
{
	const size_t n = utf8_len(name, strlen(name));
	uint32_t c = (unsigned char)name[0];

	if (n == 0 || name[n] != '\0')
		return 0;
	if (n > 1)
		c &= 0xFFu >> (n + 1);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)name[i] & 0x3F);
	return c;
}

int key_encode(const struct screen *s, const char *name, struct str *out, struct err *err)
{
	const char *key = name;
	const unsigned modifiers = take_modifiers(&key);
	uint32_t c = only_character(key);
	_free_ char *shown = NULL;

	for (size_t i = 0; i < array_len(named_keys); i++)
		if (strcasecmp(key, named_keys[i].name) == 0) {
			add_named(s, &named_keys[i], modifiers, out);
			return 0;
		}
	for (size_t i = 0; i < array_len(keypad); i++)
		if (strcasecmp(key, keypad[i].name) == 0) {
			if (screen_mode(s, 66) == 1 && modifiers == 0)
				str_addf(out, "\033O%c", keypad[i].application);
			else
				add_character(s, (uint32_t)keypad[i].plain, modifiers, out);
			return 0;
		}
	for (size_t i = 0; i < array_len(characters); i++)
		if (strcasecmp(key, characters[i].name) == 0)
			c = characters[i].c;
	if (c != 0) {
		add_character(s, c, modifiers, out);
		return 0;
	}
	shown = visible(name);
	return err_set(err, EINVAL, "bad-key", "there is no key '%s': write it as in ctrl-c, up, f5, alt-x, shift-tab", shown);
}

void key_paste(const struct screen *s, const char *text, size_t n, struct str *out)
{
	const bool is_bracketed = screen_mode(s, 2004) == 1;

	if (is_bracketed)
		str_adds(out, "\033[200~");
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c == '\n' || c == '\r') {
			i += c == '\r' && i + 1 < n && text[i + 1] == '\n';
			str_addc(out, '\r');
		} else if (c == 0xC2 && (i + 1 == n || ((unsigned char)text[i + 1] & 0xE0) != 0xA0)) {
			/* C1, or no character: one that stayed could become C1 with what follows that which is left out */
			i += i + 1 < n && ((unsigned char)text[i + 1] & 0xE0) == 0x80;
		} else if (c == '\t' || (c >= 0x20 && c != 0x7F)) {
			str_addc(out, (char)c);
		}
	}
	if (is_bracketed)
		str_adds(out, "\033[201~");
}
