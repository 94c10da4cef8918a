#include "http/login.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_BYTES = 32, TOKEN_LEAST = 32 };
static const char token_file[] = "serve.token";

static int make_token(int home_fd, const struct house *h, struct str *ret, struct err *err)
{
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	uint8_t bytes[TOKEN_BYTES];
	char text[64];
	int r;

	randombytes_buf(bytes, sizeof(bytes));
	str_addf(ret, "pterm_%s", sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes), variant));
	r = file_write(home_fd, token_file, ret->buf, ret->len, 0600);
	return r < 0 ? err_set(err, -r, "token", "cannot write '%s/%s': %m", h->home, token_file) : 0;
}

/* What is in the file: it must be nobody else's to read, or it protects nothing. */
static int read_token(int home_fd, const struct house *h, struct str *ret, struct err *err)
{
	struct stat st;
	int r = file_read(home_fd, token_file, LOGIN_TOKEN_MAX - 1, ret);

	if (r == -ENOENT)
		return make_token(home_fd, h, ret, err);
	if (r < 0)
		return err_set(err, -r, "token", "cannot read '%s/%s': %m", h->home, token_file);
	if (fstatat(home_fd, token_file, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 077) != 0 || st.st_uid != geteuid())
		return err_set(err, EPERM, "token",
		               "'%s/%s' can be used by others: chmod 600 it, or remove it so that a new one is made", h->home,
		               token_file);
	while (ret->len > 0 && strchr(" \t\r\n", ret->buf[ret->len - 1]) != NULL)
		ret->buf[--ret->len] = '\0';
	if (ret->len >= TOKEN_LEAST)
		return 0;
	return err_set(err, EINVAL, "token", "the token in '%s/%s' is shorter than %d characters: remove it so that a "
	               "new one is made", h->home, token_file, TOKEN_LEAST);
}

int login_open(struct login *l, const struct house *h, struct err *err)
{
	_fd_ home = open(h->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_str_ token = STR_INIT;
	int r;

	if (home < 0)
		return err_set(err, errno, "home", "cannot open '%s': %m", h->home);
	if (sodium_init() < 0)
		return err_set(err, EIO, "sodium", "there are no random numbers on this machine");
	r = read_token(home, h, &token, err);
	snprintf(l->token, sizeof(l->token), "%s", token.buf);
	sodium_memzero(token.buf, token.len);
	return r;
}

/* Without telling by its time how much of it was right. Both are hashed, so that their lengths do not show either. */
static bool is_token(const struct login *l, const char *text)
{
	uint8_t ours[crypto_generichash_BYTES], theirs[crypto_generichash_BYTES];

	crypto_generichash(ours, sizeof(ours), (const uint8_t *)l->token, strlen(l->token), NULL, 0);
	crypto_generichash(theirs, sizeof(theirs), (const uint8_t *)text, strlen(text), NULL, 0);
	return sodium_memcmp(ours, theirs, sizeof(ours)) == 0;
}

void login_who(const struct login *l, const char *authorization, int64_t uid, struct who *ret)
{
	const bool by_socket = authorization == NULL && uid >= 0 && (uid == 0 || uid == (int64_t)geteuid());
	static const char bearer[] = "Bearer ";

	*ret = (struct who){ 0 };
	if (!by_socket && (authorization == NULL || strncasecmp(authorization, bearer, strlen(bearer)) != 0 ||
	                   !is_token(l, authorization + strlen(bearer))))
		return;
	ret->is_known = true;
	ret->rights = RIGHT_ALL;
	snprintf(ret->name, sizeof(ret->name), "%s", by_socket ? "socket" : "token");
}

bool login_origin_fits(const char *origin, const char *host)
{
	static const char *const schemes[] = { "http://", "https://" };

	if (origin == NULL)
		return true;
	for (size_t i = 0; host != NULL && i < array_len(schemes); i++) {
		const size_t n = strlen(schemes[i]);

		if (strncasecmp(origin, schemes[i], n) == 0 && strcasecmp(origin + n, host) == 0)
			return true;
	}
	return false;
}
