/*
 * Templates: named, reusable descriptions of a session, one JSON file each. $PTERM_HOME/templates wins over the shipped
 * ones. A template is read in steps: its file; what it extends, below it; parameters; and then it is a struct of values
 * in the words of `pterm new`, which knows no JSON any more.
 *
 * What extends what: objects are merged key by key; the lists volumes, ports, tmpfs and packages are the extended
 * template's followed by the own; any other value replaces the extended one's, and null takes it away.
 */
#pragma once

#include "config/shape.h"

enum { TEMPLATE_CHAIN_MAX = 16 };        /* templates that extend each other */

/* Where templates are. Borrowed. */
struct template_dirs { const char *own, *shipped; };

struct template_probe {
	bool is_there;
	struct strv command;
	uint64_t interval_ms, timeout_ms, start_period_ms, retries;      /* 0: not said */
};
/* Paths as they can be opened; the file may be NULL. Arguments are KEY=VALUE. */
struct template_build { bool is_there; char *containerfile, *context; struct strv arguments; };

struct template {
	char *name;                      /* what a session of it is called */
	char *dir;                       /* of its file */
	char *image, *working_dir, *network, *user, *hostname, *restart, *engine, *model, *gpu, *cpus;   /* NULL: not said */
	struct strv command, environment, volumes, ports, tmpfs, packages, labels;     /* as on a command line */
	struct strv secrets;             /* NAME=PATH, NAME=env:VARIABLE */
	uint64_t memory_bytes, pids;     /* 0: not said */
	bool is_background;              /* "interactive": false */
	bool readonly;
	struct template_build build;
	struct template_probe health, readiness;
};
void template_release(struct template *t);
#define _template_ _cleanup_(template_release) struct template

/* What there is to see of one without reading it whole. */
struct template_entry { char *name, *path; bool is_shipped; };
struct template_list { VEC(struct template_entry) items; };
/* All templates, by name; of two with the same name the own one. 0 or -errno. */
int template_list(const struct template_dirs *dirs, struct template_list *ret, struct err *err);
void template_list_release(struct template_list *l);
/* The file of template @ref: a name, or a path where it has a "/". The caller frees; NULL: see @err, with the nearest. */
char *template_find(const struct template_dirs *dirs, const char *ref, struct err *err);
/* Is this a template's name? 0 or -EINVAL. */
int template_name_check(const char *name, struct err *err);

/*
 * Read @ref with all that it extends merged, and check it: keys, kinds of values, forms of parameters, cycles. The tree, the
 * caller's, or NULL. Parameters stand in it as they were written. With *ret_path, the file, too (the caller frees).
 */
struct json_node *template_read(const struct template_dirs *dirs, const char *ref, char **ret_path, struct err *err);
/*
 * What template_read checks last, of a tree whose kinds of values are right: what is refused, what is missing, forms of
 * parameters. Nulls are taken out of it. 0 or -EINVAL: see @err.
 */
int template_check(struct json_node *tree, struct err *err);
/* The names of the parameters in it, each once. */
void template_parameters(const struct json_node *tree, struct strv *ret);

/* Where parameters come from; borrowed. */
struct template_context {
	const struct strv *settings;             /* KEY=VALUE, from --set; NULL: none. One that is not used is an error */
	const char *(*variable)(const char *name);           /* the caller's environment */
	const char *user, *home;
	/* What ${session.id} and ${session.name} become: marks, replaced when the session is made. */
	const char *session_id, *session_name;
};
/* Replace the parameters of @tree in place. 0 or -EINVAL: see @err. */
int template_resolve(struct json_node *tree, const struct template_context *c, struct err *err);
/* A resolved tree as values. @path is its file. 0 or -errno: see @err. */
int template_decode(const struct json_node *tree, const char *path, struct template *ret, struct err *err);

extern const struct shape template_shape;
/* Is @key one whose lists are joined? */
bool template_joins(const char *key);
void template_schema(struct str *out);
void template_reference(struct str *out);
