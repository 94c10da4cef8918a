/*
 * Who asks. A program shows the token of this home, which is made at the first start and lies in
 * $PTERM_HOME/serve.token for its owner alone to read; on the Unix socket the kernel says who they are.
 */
#pragma once

#include "service/access.h"
#include "supervisor/house.h"

enum { LOGIN_TOKEN_MAX = 128 };

struct login { char token[LOGIN_TOKEN_MAX]; };

/* Read the token, or make it. 0 or -errno: see @err. */
int login_open(struct login *l, const struct house *h, struct err *err);
/*
 * @authorization: the header, or NULL; @uid: whose process is at the other end of a Unix socket, or -1. A token
 * that is shown counts, also when the socket would do; one that is wrong is nobody's.
 */
void login_who(const struct login *l, const char *authorization, int64_t uid, struct who *ret);
/*
 * May a page of @origin (the header, or NULL: no browser's script) use us under the name @host? It may when it
 * comes from here.
 */
bool login_origin_fits(const char *origin, const char *host);
