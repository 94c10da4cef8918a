#include "http/listen.h"

#include "base/fd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

enum { BACKLOG = 512 };

static bool is_loopback(const struct sockaddr *a)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;

	return a->sa_family == AF_INET ? ntohl(four->sin_addr.s_addr) >> 24 == 127
	                               : IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* "HOST:PORT" into its two parts. */
static int split(const char *address, char **ret_host, char **ret_port, struct err *err)
{
	const char *colon = strrchr(address, ':');
	const bool is_bracketed = address[0] == '[' && colon != NULL && colon[-1] == ']';

	if (colon == NULL || colon == address || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    (!is_bracketed && memchr(address, ':', (size_t)(colon - address)) != NULL))
		return err_set(err, EINVAL, "bad-address",
		               "'%s' is no address: write HOST:PORT, such as 127.0.0.1:7878 or [::1]:7878", address);
	*ret_host = is_bracketed ? xstrndup(address + 1, (size_t)(colon - address) - 2)
	                         : xstrndup(address, (size_t)(colon - address));
	*ret_port = xstrdup(colon + 1);
	return 0;
}

static int bind_and_listen(const struct addrinfo *a, const char *address, int *ret, struct err *err)
{
	_fd_ fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	const int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return err_set(err, errno, "listen", "cannot listen on %s: %m", address);
	*ret = TAKE_FD(fd);
	return 0;
}

static void show_address(int fd, struct str *out)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &n) == 0 &&
	    getnameinfo((struct sockaddr *)&a, n, host, sizeof(host), port, sizeof(port),
	                NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		str_addf(out, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

int listen_tcp(const char *address, bool may_be_public, int *ret, struct str *ret_shown, struct err *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	_free_ char *host = NULL, *port = NULL;
	struct addrinfo *found = NULL;
	int r = split(address, &host, &port, err);

	if (r < 0)
		return r;
	r = getaddrinfo(host, port, &hints, &found);
	if (r != 0)
		return err_set(err, EINVAL, "bad-address", "there is no address '%s': %s", host, gai_strerror(r));
	if (!is_loopback(found->ai_addr) && !may_be_public)
		r = err_set(err, EPERM, "public-address",
		            "'%s' can be reached by other machines, which could read along: listen on "
		            "127.0.0.1 behind a proxy that speaks TLS, or add --insecure",
		            address);
	else
		r = bind_and_listen(found, address, ret, err);
	freeaddrinfo(found);
	if (r == 0)
		show_address(*ret, ret_shown);
	return r;
}

int listen_unix(int dirfd, const char *name, const char *shown, int *ret, struct err *err)
{
	_fd_ other = fd_connect_unix(dirfd, name, SOCK_STREAM);
	int fd;

	if (other >= 0)
		return err_set(err, EADDRINUSE, "listen", "a pterm serve listens on '%s' already", shown);
	fd = fd_listen_unix(dirfd, name, SOCK_STREAM);
	if (fd < 0)
		return err_set(err, -fd, "listen", "cannot listen on '%s': %m", shown);
	(void)fd_set_nonblock(fd, true);
	*ret = fd;
	return 0;
}
