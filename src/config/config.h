/*
 * The configuration: what an option is, and where it was said. Read in this order, the later wins: the defaults
 * (options.def), config.json in $PTERM_HOME, config.ENVIRONMENT.json beside it, variables. What a command line says wins
 * over all of it, and is no business of this layer.
 */
#pragma once

#include "base/err.h"
#include "config/shape.h"

enum config_option {
#define OPTION(id, ...) OPTION_##id,
#define OPTION_PASSED_ON(id, ...) OPTION_##id,
#include "config/options.def"
#undef OPTION
#undef OPTION_PASSED_ON
	OPTION_COUNT
};

struct option {
	const char *key, *variable, *help;
	const char *fallback;            /* as in a variable; NULL: none */
	const struct shape *shape;
	bool is_passed_on;
};
extern const struct option config_options[OPTION_COUNT];

enum config_source { SOURCE_UNSET, SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_VARIABLE };
extern const char *const config_sources[];

struct config_value {
	char *text;                      /* as it was written; NULL: not set */
	int64_t number;                  /* bytes, ms, a count, 0 or 1, the index of a choice */
	double real;
	enum config_source source;
	char *origin;                    /* "/…/config.json:3:5", "PTERM_LOG"; NULL: a default */
};
struct config { struct config_value values[OPTION_COUNT]; };

/*
 * Read the configuration in directory @dir, which may be missing as may its files. @variable is getenv, or a test's. 0, or
 * -errno with @err naming file, line, column, key and what was expected; then *ret stays as it was.
 */
int config_load(const char *dir, const char *(*variable)(const char *name), struct config *ret, struct err *err);
const char *config_getenv(const char *name);              /* getenv, where an empty one is none */
void config_release(struct config *c);
#define _config_ _cleanup_(config_release) struct config
bool config_equal(const struct config *a, const struct config *b);

const char *config_text(const struct config *c, enum config_option o);    /* NULL: not set */
/* The number of a size (bytes), span (ms), count, bool or choice (index); @otherwise where it is not set. */
int64_t config_number(const struct config *c, enum config_option o, int64_t otherwise);

/* Set the variables of OPTION_PASSED_ON rows in our environment, for programs that we start and the layers below. */
void config_pass_on(const struct config *c);

/* Check one file as config_load reads it: 0 or -errno. @file is what errors call it. */
int config_check(const char *path, const char *file, struct err *err);
/* The same of a text. */
int config_check_text(const char *text, size_t n, const char *file, struct err *err);
/* A variable that is none of ours and looks like one that was mistyped: the one that was meant, or NULL. */
const char *config_meant_variable(const char *name);
/* Is this the name of a file that config_load may read: config.json, config.development.json …? */
bool config_is_file(const char *name);

/* The JSON Schema of config.json, and the table of options in docs/configuration.md. */
void config_schema(struct str *out);
void config_reference(struct str *out);
