#include "http/framing.h"

#include "base/str.h"
#include "base/units.h"

#include <errno.h>
#include <strings.h>

/* RFC 9110, 5.6.2 */
static bool is_token(const char *z)
{
	return *z != '\0' &&
	       z[strspn(z, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static bool has_control(const char *z)
{
	for (; *z != '\0'; z++)
		if (((unsigned char)*z < 0x20 && *z != '\t') || *z == 0x7f)
			return true;
	return false;
}

void framing_see(struct framing *f, const char *name, const char *value)
{
	if (!is_token(name))                             /* a blank before the colon is part of what comes as the name */
		f->has_bad_name = true;
	if (has_control(value))
		f->has_bad_value = true;
	if (strcasecmp(name, "Host") == 0) {
		f->hosts++;
	} else if (strcasecmp(name, "Content-Length") == 0) {
		f->lengths++;
		if (strspn(value, "0123456789") != strlen(value) || parse_uint(value, 0, INT64_MAX, &f->length) < 0)
			f->has_bad_length = true;
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		f->codings++;
		f->is_chunked = strcasecmp(value, "chunked") == 0;
	} else if (strcasecmp(name, "Expect") == 0) {
		f->has_bad_expect |= strcasecmp(value, "100-continue") != 0;
	}
}

static int refuse(struct err *err, int status, const char *code, const char *why)
{
	err_set(err, EINVAL, code, "%s", why);
	return status;
}

int framing_check(const struct framing *f, const char *version, struct err *err)
{
	const bool is_1_1 = str_eq(version, "HTTP/1.1");

	if (!is_1_1 && !str_eq(version, "HTTP/1.0"))
		return refuse(err, 505, "http-version", "only HTTP/1.1 and HTTP/1.0 are spoken here");
	if (f->has_bad_name || f->has_bad_value)
		return refuse(err, 400, "bad-header", "a header has a character that no header may have");
	if (f->hosts > 1 || (is_1_1 && f->hosts == 0))
		return refuse(err, 400, "bad-host", "a request has one Host header");
	if (f->lengths > 1 || f->has_bad_length)
		return refuse(err, 400, "bad-length", "a request has one Content-Length header at most, which is a number");
	if (f->codings > 0 && f->lengths > 0)
		return refuse(err, 400, "bad-length", "a request has a Content-Length or a Transfer-Encoding, not both");
	if (f->codings > 1 || (f->codings == 1 && (!f->is_chunked || !is_1_1)))
		return refuse(err, 400, "bad-coding", "the only Transfer-Encoding is chunked, once, in HTTP/1.1");
	if (f->has_bad_expect)
		return refuse(err, 417, "bad-expect", "the only Expect is 100-continue");
	return 0;
}
