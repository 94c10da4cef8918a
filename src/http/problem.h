/*
 * Errors as problem documents (RFC 9457): the sentence for people, a code for programs that stays, the field at
 * fault.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* The HTTP status that an error has. */
int problem_status(const struct err *err);
const char *problem_title(int status);
void problem_write(int status, const struct err *err, const char *request_id, struct str *out);
