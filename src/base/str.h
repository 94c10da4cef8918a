/*
 * One growable string. @buf is never NULL and always ends in NUL; @len is the truth, bytes may be anything.
 */
#pragma once

#include "base/macros.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

struct str { char *buf; size_t len, cap; };
extern char str_empty[1];
#define STR_INIT { .buf = str_empty }
#define _str_ _cleanup_(str_release) struct str

void str_grow(struct str *s, size_t n);                   /* room for @n more bytes and the NUL */
void str_add(struct str *s, const void *data, size_t n);
void str_addc(struct str *s, char c);
void str_adds(struct str *s, const char *z);
void str_addf(struct str *s, const char *fmt, ...) _printf_(2, 3);
void str_addfv(struct str *s, const char *fmt, va_list ap) _printf_(2, 0) __attribute__((nonnull(2)));
void str_clear(struct str *s);                            /* empty, keeps its memory */
void str_release(struct str *s);
void str_wipe(struct str *s);                             /* overwritten, then as str_release */
char *str_take(struct str *s);                            /* the caller frees; @s is empty again */

/*
 * Foreign text for a person's terminal: control characters, DEL, C1 and invalid UTF-8 become \n, \t, \e or \xHH,
 * so that a name or a message can never act on the terminal that shows it.
 */
void str_add_visible(struct str *s, const char *data, size_t n);
char *visible(const char *z);                             /* the caller frees */

bool str_starts(const char *z, const char *prefix);
static inline bool str_eq(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Bytes of the UTF-8 character at @p, 1 to 4; 0 when it is not valid (overlong and surrogates included). */
size_t utf8_len(const char *p, size_t n);
/* Terminal columns of a valid UTF-8 text, by wcwidth(3); invalid bytes count one. */
size_t text_width(const char *z);

/* A list of strings that ends in NULL, as execve(2) wants it. */
struct strv { char **items; size_t len, cap; };
#define _strv_ _cleanup_(strv_release) struct strv
void strv_push(struct strv *v, const char *z);            /* copies */
void strv_pushf(struct strv *v, const char *fmt, ...) _printf_(2, 3);
void strv_take(struct strv *v, char *z);                  /* owns */
void strv_copy(struct strv *to, const struct strv *from);
void strv_release(struct strv *v);
/* In a list of KEY=value: set one, replacing an earlier one. */
void strv_set_env(struct strv *v, const char *key, const char *value);
