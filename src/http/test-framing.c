#include "http/framing.h"

#include "base/str.h"
#include "base/test.h"

struct pair { const char *name, *value; };

static int status_of(const char *version, const struct pair *headers, char code[32])
{
	struct framing f = { 0 };
	_err_ err = ERR_INIT;
	int r;

	for (; headers->name != NULL; headers++)
		framing_see(&f, headers->name, headers->value);
	r = framing_check(&f, version, &err);
	snprintf(code, 32, "%s", err.code);
	return r;
}

TEST(what_two_servers_could_read_differently_is_refused)
{
	static const struct { const char *version; struct pair headers[5]; int want; const char *code; } t[] = {
		{ "HTTP/1.1", { { "Host", "a" } }, 0, "" },
		{ "HTTP/1.0", { { NULL } }, 0, "" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "3" } }, 0, "" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "Chunked" } }, 0, "" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Expect", "100-Continue" } }, 0, "" },
		{ "HTTP/2.0", { { "Host", "a" } }, 505, "http-version" },
		{ "HTTP/1.1", { { NULL } }, 400, "bad-host" },
		{ "HTTP/1.1", { { "Host", "a" }, { "HOST", "a" } }, 400, "bad-host" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "3" }, { "content-length", "3" } }, 400, "bad-length" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "3, 3" } }, 400, "bad-length" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "+3" } }, 400, "bad-length" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "-3" } }, 400, "bad-length" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "" } }, 400, "bad-length" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "99999999999999999999" } }, 400, "bad-length" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "3" }, { "Transfer-Encoding", "chunked" } }, 400, "bad-length" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "gzip, chunked" } }, 400, "bad-coding" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "identity" } }, 400, "bad-coding" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" } }, 400, "bad-coding" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "\x0b" "chunked" } }, 400, "bad-header" },
		{ "HTTP/1.0", { { "Transfer-Encoding", "chunked" } }, 400, "bad-coding" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Content-Length ", "3" } }, 400, "bad-header" },
		{ "HTTP/1.1", { { "Host", "a" }, { " Folded", "3" } }, 400, "bad-header" },
		{ "HTTP/1.1", { { "Host", "a" }, { "", "3" } }, 400, "bad-header" },
		{ "HTTP/1.1", { { "Host", "a" }, { "X", "a\rb" } }, 400, "bad-header" },
		{ "HTTP/1.1", { { "Host", "a" }, { "Expect", "200-ok" } }, 417, "bad-expect" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		char code[32];
		const int got = status_of(t[i].version, t[i].headers, code);

		if (got != t[i].want || !str_eq(code, t[i].code))
			test_fail(__FILE__, __LINE__, "row %zu: %d %s, wanted %d %s", i, got, code, t[i].want, t[i].code);
	}
}
