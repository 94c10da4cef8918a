/*
 * pterm-tree: unpacks, packs and checks trees inside a directory that it makes its root (image/tree.h). It is a program of
 * its own because only so it can stand in a user namespace and in a root of its own, and so that nothing else needs
 * libarchive. Exit code 0, or 1 with one sentence on stderr.
 */
#include "base/args.h"
#include "base/fd.h"
#include "base/units.h"
#include "image/tree.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
/* The leak checker looks into /proc when the program ends; the root that we have by then holds none. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
#endif

struct tree_args {
	uint64_t dir, userns, report, list, max_bytes;
	bool is_here, strips_setuid, is_layer, is_plain, packs_fifos;
	const char *owner, *to, *name;
};

static const struct arg_option options[] = {
	{ 0, "dir", "FD", "the directory that becomes the root; 3 unless given", ARG_UINT,
	  offsetof(struct tree_args, dir), .max = INT32_MAX },
	{ 0, "userns", "FD", "enter this user namespace first", ARG_UINT,
	  offsetof(struct tree_args, userns), .max = INT32_MAX },
	{ 0, "report", "FD", "where to tell the figures", ARG_UINT,
	  offsetof(struct tree_args, report), .max = INT32_MAX },
	{ 0, "list", "FD", "unpack: where to write the list of the layer", ARG_UINT,
	  offsetof(struct tree_args, list), .max = INT32_MAX },
	{ 0, "max-bytes", "N", "unpack: refuse what is larger uncompressed", ARG_UINT,
	  offsetof(struct tree_args, max_bytes), .max = INT64_MAX },
	{ 0, "layer", NULL, "pack: an overlay's upper directory, as the tar of a layer", ARG_FLAG,
	  offsetof(struct tree_args, is_layer) },
	{ 0, "here", NULL, "go on where chroot is not permitted: own files, as their owner", ARG_FLAG,
	  offsetof(struct tree_args, is_here) },
	{ 0, "owner", "keep|UID:GID", "who owns what is unpacked", ARG_STR, offsetof(struct tree_args, owner) },
	{ 0, "strip-setuid", NULL, "drop set-user-ID and set-group-ID", ARG_FLAG,
	  offsetof(struct tree_args, strips_setuid) },
	{ 0, "to", "PATH", "unpack to here as cp does", ARG_STR, offsetof(struct tree_args, to) },
	{ 0, "plain", NULL, "unpack: no layer, there are no whiteouts", ARG_FLAG, offsetof(struct tree_args, is_plain) },
	{ 0, "fifos", NULL, "pack: keep fifos", ARG_FLAG, offsetof(struct tree_args, packs_fifos) },
	{ 0, "name", "NAME", "pack: call the top entry so", ARG_STR, offsetof(struct tree_args, name) },
};

static const struct arg_parser parser = { .options = options, .count = array_len(options) };

static int read_owner(const char *text, struct tree_options *o, struct err *err)
{
	_free_ char *uid = NULL;
	const char *colon;
	uint64_t u, g;

	o->keeps_owner = text == NULL || str_eq(text, "keep");
	if (o->keeps_owner)
		return 0;
	colon = strchr(text, ':');
	uid = xstrndup(text, colon ? (size_t)(colon - text) : 0);
	if (colon == NULL || parse_uint(uid, 0, UINT32_MAX - 1, &u) < 0 ||
	    parse_uint(colon + 1, 0, UINT32_MAX - 1, &g) < 0)
		return err_set(err, EINVAL, "bad-option", "--owner: '%s' is neither 'keep' nor UID:GID", text);
	o->uid = (uid_t)u;
	o->gid = (gid_t)g;
	return 0;
}

static void write_report(int fd, const struct tree_report *report, int r)
{
	_str_ text = STR_INIT;

	if (fd < 0)
		return;
	if (r < 0)
		str_addf(&text, "errno %d\n", -r);
	else
		str_addf(&text, "entries %llu\nskipped %llu\n", (unsigned long long)report->entries,
		         (unsigned long long)report->skipped);
	if (r == 0 && report->sha256[0] != '\0')
		str_addf(&text, "sha256 %s\n", report->sha256);
	if (r == 0 && report->raw_sha256[0] != '\0')
		str_addf(&text, "raw %s\n", report->raw_sha256);
	if (r == 0 && report->damaged > 0)
		str_addf(&text, "damaged %llu\n", (unsigned long long)report->damaged);
	(void)fd_write_all(fd, text.buf, text.len);
}

static int unpack(const struct tree_args *a, const struct tree_options *o, struct tree_report *report, struct err *err)
{
	const int r = tree_unpack(STDIN_FILENO, o, report, err);

	return r == 0 && a->list != (uint64_t)-1 ? tree_list((int)a->list, report, err) : r;
}

static int verify(struct tree_report *report, struct err *err)
{
	_str_ said = STR_INIT;
	const int r = tree_verify(STDIN_FILENO, &said, report, err);

	if (r == 0)
		(void)fd_write_all(STDERR_FILENO, said.buf, said.len);
	return r;
}

static int run(const struct tree_args *a, const struct arg_words *words, struct err *err)
{
	struct tree_options o = {
		.dir_fd = (int)a->dir, .userns_fd = (int)a->userns, .is_here = a->is_here,
		.strips_setuid = a->strips_setuid, .to = a->to, .name = a->name, .max_bytes = a->max_bytes,
		.is_layer = a->is_layer, .is_plain = a->is_plain, .packs_fifos = a->packs_fifos,
	};
	const char *verb = words->len > 0 ? words->items[0] : "";
	const bool packs = str_eq(verb, "pack"), verifies = str_eq(verb, "verify"), digests = str_eq(verb, "digest");
	struct tree_report report = { 0 };
	int r;

	if (words->len != (packs ? 2 : 1) || (!packs && !verifies && !digests && !str_eq(verb, "unpack")))
		return err_set(err, EINVAL, "usage", "usage: pterm-tree unpack [OPTION...] < TAR, pack [OPTION...] PATH > TAR, "
		               "verify [OPTION...] < LIST, or digest < FILE");
	r = read_owner(a->owner, &o, err);
	if (r == 0 && !digests)
		r = tree_confine(&o, err);
	if (r == 0)
		r = packs ? tree_pack(STDOUT_FILENO, words->items[1], &o, &report, err) :
		    verifies ? verify(&report, err) :
		    digests ? tree_digest(STDIN_FILENO, &report, err) : unpack(a, &o, &report, err);
	write_report((int)a->report, &report, r);
	return r;
}

int main(int argc, char **argv)
{
	struct tree_args args = { .dir = 3, .userns = (uint64_t)-1, .report = (uint64_t)-1,
	                          .list = (uint64_t)-1 };
	struct arg_words words = { 0 };
	_err_ err = ERR_INIT;
	int r;

	(void)signal(SIGXFSZ, SIG_IGN);          /* too large a file is an error, not an end */
	r = args_parse(&parser, argc, argv, &args, &words, &err);
	if (r == 0)
		r = run(&args, &words, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err_msg(&err));
	arg_words_release(&words);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
