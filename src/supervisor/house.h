/*
 * Where things are: $PTERM_HOME (~/.pachyterm) with its sessions and their names, $PTERM_STORE for what needs a local
 * file system (the home itself; for root /var/lib/pterm, since mapped root cannot enter /root), the runtime
 * directory, and the installed files.
 */
#pragma once

#include "base/progress.h"
#include "engine/engine.h"
#include "wire/home.h"

struct house {
	char *home, *store, *runtime;    /* absolute */
	char *sessions, *names;          /* below home */
	char *libexec, *data;            /* our programs; seccomp.json, default-image.tar */
	char *init_program, *tree_program, *supervisor_program, *keeper_program, *seccomp_file, *default_image;
	int sessions_fd, names_fd;
	const struct progress *progress; /* who is told of what takes long: a command sets it; NULL: nobody */
};

/* Only say where things are: nothing is made and nothing opened; .runtime stays NULL. */
void house_find(struct house *h);
/* Find the directories and make what is missing, private to the user. 0 or -errno: see @err. */
int house_open(struct house *h, struct err *err);
void house_close(struct house *h);
#define _house_ _cleanup_(house_close) struct house

/* The place of session @id; the strings live until place_release. */
void house_place(const struct house *h, const char *id, struct place *ret);
void place_release(struct place *p);

/*
 * names/NAME is a link to the id. 0; 1: another session has it (a name whose session is gone is taken over); -errno.
 */
int name_claim(const struct house *h, const char *name, const char *id, struct err *err);
/* Take from @id every name but @keep (NULL: every one): also those that something cut short left it. */
void names_release(const struct house *h, const char *id, const char *keep);
