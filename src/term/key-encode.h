/*
 * Named keys as the bytes that a terminal would send, by the modes that a program set: cursor keys, keypad, backspace,
 * modifyOtherKeys, the flags of the kitty keyboard protocol. Source of fact: ctlseqs, "PC-Style Function Keys";
 * sw.kovidgoyal.net/kitty/keyboard-protocol.
 */
#pragma once

#include "term/screen.h"

/*
 * Append what typing @name sends. A name is modifiers (ctrl- alt- shift- super-, any order) and a key: one character, or one
 * of up down left right home end insert delete pageup pagedown f1 to f20 enter tab backspace escape space, kp0 to kp9,
 * kp-enter and the like. Case does not matter, but for a single character. 0, or -EINVAL with @err (code "bad-key").
 */
int key_encode(const struct screen *s, const char *name, struct str *out, struct err *err);
/*
 * Append @text as pasted: between the brackets when the program asked for them (mode 2004), with newlines as Enter sends
 * them, and without the controls that would end the paste or do worse (all C0 but tab and newline; C1).
 */
void key_paste(const struct screen *s, const char *text, size_t n, struct str *out);
