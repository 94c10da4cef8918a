/*
 * Programs of others that do one thing for the store (skopeo, cosign, buildah): run, and what they say made into one
 * sentence.
 */
#pragma once

#include "base/idmap.h"
#include "image/helper-root.h"

#include <stdbool.h>

/* @place: where tools/ puts it, where it is in no directory of $PATH; or NULL. */
struct helper { const char *program, *does, *package, *place; };

struct helper_run {
	const struct strv *argv;
	char *const *env;                /* NULL: ours */
	struct str *out;                 /* takes its standard output, at most @out_max bytes; NULL: it has none */
	size_t out_max;
	struct str *said;                /* what it said on standard error, whole; may be NULL */
	const struct idmap *map;         /* it runs as root of a new user namespace with this map; NULL: as we are */
	const struct helper_root *root;  /* with .map: and in this root, alone with what it starts, which ends with it; or NULL */
	bool speaks;                     /* it has our own standard error and output: for a person who watches */
	void (*on_tick)(void *data);     /* ten times a second while it runs; may be NULL */
	void *data;
};

/*
 * Run it to its end. 0; -ENOENT: it is not installed, and @err says which package has it; or another -errno: "cannot
 * VERB 'WHAT': …" with its own words. It ends with us.
 */
int helper_run(const struct helper *h, const struct helper_run *run, const char *verb, const char *what, struct err *err);
/*
 * Of what a program of this family says, the last message alone: without time, level and quotes. The caller frees.
 */
char *helper_message(const char *said);
