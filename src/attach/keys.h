/*
 * The keys that detach. What was typed goes through at once, but for a beginning of the sequence: that is held until
 * the next key decides, and for at most KEYS_HOLD_MS, so that no key is ever swallowed.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { KEYS_MAX = 16, KEYS_HOLD_MS = 1000 };

struct keys { uint8_t sequence[KEYS_MAX]; size_t len, matched; };

/*
 * "ctrl-\,d": keys separated by commas, each one character or ctrl- and a letter or one of @[\]^_. "none": no keys.
 */
int keys_parse(const char *text, struct keys *ret, struct err *err);
/*
 * Feed what was typed. What may go on to the session is appended to @pass. True when the sequence is complete (what
 * follows it is dropped).
 */
bool keys_feed(struct keys *k, const void *data, size_t n, struct str *pass);
static inline bool keys_holds(const struct keys *k) { return k->matched > 0; }
/* The time is over: what was held goes on. */
void keys_release(struct keys *k, struct str *pass);
