/*
 * Errors. A function that can fail returns 0, or a negative errno with @err filled once, where the
 * failure is first known. A positive return is an outcome which that function documents and its
 * caller must handle. Library code does not log; it returns.
 *
 * Wording: lower case, no full stop; what failed, on what (quoted), why, and where it helps what to do.
 */
#pragma once

#include "base/macros.h"

#include <stdarg.h>

struct err {
	int no;                  /* a positive errno, 0 when nothing failed */
	char code[32];           /* stable name for programs: "no-such-session" */
	char field[32];          /* the key or parameter at fault, where one is; "" */
	char *msg;               /* a sentence for people; owned */
};
#define ERR_INIT { 0 }

/* Fill @err (which may be NULL) and return -no. %m in @fmt is strerror(no). What @err held is freed. */
int err_set(struct err *err, int no, const char *code, const char *fmt, ...) _printf_(4, 5);
int err_setv(struct err *err, int no, const char *code, const char *fmt, va_list ap) _printf_(4, 0);

/* Name what is at fault in an error that is set; @err may be NULL. */
void err_field(struct err *err, const char *field);

/* Put "context: " in front of the message; keep number and code. Returns -err->no. */
int err_wrap(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* Move what @from holds into @to (either may be NULL); returns -no. */
int err_move(struct err *to, struct err *from);

void err_release(struct err *err);
#define _err_ _cleanup_(err_release) struct err

/* The message, or the name of the number when there is none. Never NULL. */
const char *err_msg(const struct err *err);
