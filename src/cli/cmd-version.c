#include "cli/command.h"
#include "cli/listing.h"

#include "service/host-runtime.h"

#include <gnu/libc-version.h>

#ifdef PTERM_HOOKS
enum { HAS_HOOKS = true };
#else
enum { HAS_HOOKS = false };
#endif
#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "GCC " __VERSION__
#endif

struct version_options { bool is_short; int form; };

static void write_json(const struct host_runtime *r, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	json_put_str(&w, "version", PTERM_VERSION);
	if (r->path != NULL) {
		json_begin(&w, "runtime", '{');
		json_put_str(&w, "name", r->is_known ? runtime_name(r->runtime.kind) : NULL);
		json_put_str(&w, "version", r->is_known ? r->runtime.version : NULL);
		json_put_str(&w, "path", r->path);
		json_end(&w, '}');
	}
	json_begin(&w, "build", '{');
	json_put_str(&w, "compiler", COMPILER);
	json_put_str(&w, "machine", PTERM_MACHINE);
	json_put_str(&w, "libc", gnu_get_libc_version());
	json_put_str(&w, "libexec", PTERM_LIBEXECDIR);
	json_put_str(&w, "data", PTERM_DATADIR);
	json_put_bool(&w, "hooks", HAS_HOOKS);
	json_end(&w, '}');
	json_end(&w, '}');
}

static void write_table(const struct host_runtime *r, struct str *out)
{
	struct listing l;

	listing_begin(&l, "WHAT|VERSION|DETAILS");
	listing_cell(&l, "pterm");
	listing_cell(&l, PTERM_VERSION);
	listing_cellf(&l, "for %s by %s%s", PTERM_MACHINE, COMPILER, HAS_HOOKS ? ", a test build with kill points" : "");
	listing_cell(&l, runtime_name(r->is_known ? r->runtime.kind : RUNTIME_CRUN));
	listing_cell(&l, r->is_known ? r->runtime.version : NULL);
	listing_cell(&l, r->path ? r->path : "not found: pterm doctor says how to get it");
	listing_cell(&l, "glibc");
	listing_cell(&l, gnu_get_libc_version());
	listing_cell(&l, NULL);
	listing_end(&l, out);
}

static int version_run(void *options, struct arg_words *words, struct err *err)
{
	const struct version_options *o = options;
	struct host_runtime runtime;
	_str_ out = STR_INIT;
	struct host host;

	if (o->is_short) {
		str_adds(&out, "pterm " PTERM_VERSION "\n");
		return command_print(&out, err);
	}
	host_init(&host);
	(void)host_runtime_find(&host, &runtime);             /* one that does not run is shown without a version */
	if (o->form == LISTING_JSON)
		write_json(&runtime, &out);
	else
		write_table(&runtime, &out);
	host_runtime_release(&runtime);
	host_release(&host);
	return listing_print(o->form, &out, err);
}

static const struct arg_option version_options[] = {
	{ 0, "short", NULL, "only pterm's own, as 'pterm --version' does", ARG_FLAG,
	  offsetof(struct version_options, is_short) },
	LISTING_OPTION(struct version_options, form),
};

const struct command cmd_version = {
	.name = "version",
	.summary = "show the version of pterm and of the runtime it uses",
	.group = GROUP_HOST,
	.parser = { version_options, array_len(version_options) },
	.options_size = sizeof(struct version_options),
	.is_for_repair = true,
	.run = version_run,
};
