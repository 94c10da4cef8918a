#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_setv(struct err *err, int no, const char *code, const char *fmt, va_list ap)
{
	char *msg = NULL;

	if (no <= 0)
		no = EIO;
	if (err == NULL)
		return -no;
	errno = no;                              /* for %m */
	if (vasprintf(&msg, fmt, ap) < 0)
		msg = NULL;
	free(err->msg);
	err->msg = msg;
	err->no = no;
	snprintf(err->code, sizeof(err->code), "%s", code);
	err->field[0] = '\0';
	return -no;
}

void err_field(struct err *err, const char *field)
{
	if (err != NULL)
		snprintf(err->field, sizeof(err->field), "%s", field);
}

int err_set(struct err *err, int no, const char *code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = err_setv(err, no, code, fmt, ap);
	va_end(ap);
	return r;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	va_list ap;
	char *head = NULL, *whole = NULL;

	if (err == NULL)
		return -EIO;
	va_start(ap, fmt);
	if (vasprintf(&head, fmt, ap) < 0)
		head = NULL;
	va_end(ap);
	if (head != NULL && asprintf(&whole, "%s: %s", head, err_msg(err)) >= 0) {
		free(err->msg);
		err->msg = whole;
	}
	free(head);
	return -err->no;
}

int err_move(struct err *to, struct err *from)
{
	const int no = from ? from->no : EIO;

	if (from == NULL)
		return -no;
	if (to != NULL) {
		free(to->msg);
		*to = *from;
		*from = (struct err)ERR_INIT;
	}
	return -no;
}

void err_release(struct err *err)
{
	free(err->msg);
	*err = (struct err)ERR_INIT;
}

const char *err_msg(const struct err *err)
{
	return err->msg ? err->msg : strerror(err->no);
}
