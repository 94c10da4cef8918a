/*
 * The keys of a template: the only list. The check, the schema and the table in docs/templates.md are made from it.
 */
#include "config/template.h"


#define PATTERN(pattern_, wanted_) { .type = SHAPE_STRING, .pattern = (pattern_), .wanted = (wanted_) }
#define NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"

static const struct shape
	name = PATTERN(NAME_PATTERN, "1 to 63 letters, digits, '.', '_' and '-', a letter or digit first"),
	filled = PATTERN(".", "a text that is not empty"),
	inside = PATTERN("^/", "an absolute path"),
	user = PATTERN("^[^:]+(:[^:]+)?$", "USER or USER:GROUP"),
	host_name = PATTERN("^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$", "a host name of letters, digits, '.' and '-'"),
	restart = PATTERN("^(no|always|on-failure(:[1-9][0-9]{0,5})?)$",
	                  "one of no, on-failure, on-failure:N, always"),
	volume = PATTERN("^[^:]+:/[^:]+(:(ro|rw|z|Z)(,(ro|rw|z|Z))*)?$", "SOURCE:TARGET or SOURCE:TARGET:ro"),
	tmpfs = PATTERN("^/[^:]+(:[^:]+)?$", "TARGET or TARGET:OPTIONS"),
	port_text = PATTERN("^[1-9][0-9]{0,4}(:[1-9][0-9]{0,4})?$", "HOST:PORT"),
	port_number = { .type = SHAPE_INT, .min = 1, .max = 65535, .wanted = "a port" },
	port = { .type = SHAPE_EITHER, .of = &port_text, .other = &port_number },
	package = PATTERN("^[A-Za-z0-9][!-~]*$", "the name of a package"),
	number = { .type = SHAPE_NUMBER },
	number_or_bool = { .type = SHAPE_EITHER, .of = &number, .other = &shape_bool },
	/* a variable may be written as a number or true */
	variable = { .type = SHAPE_EITHER, .of = &shape_text, .other = &number_or_bool,
	             .wanted = "a text, a number, true or false" },
	variables = { .type = SHAPE_MAP, .of = &variable, .pattern = "^[^= ]+$", .wanted = "an object of variables" },
	command = { .type = SHAPE_EITHER, .of = &filled, .other = &shape_texts,
	            .wanted = "a command line, or a list of its words" },
	cpus = { .type = SHAPE_NUMBER, .min = 0, .max = 100000 },
	pids = { .type = SHAPE_INT, .min = 0, .max = 4194304 },
	retries = { .type = SHAPE_INT, .min = 1, .max = 1000 },
	is_network = { .type = SHAPE_STRING, .pattern = "^(none|private|host|session:.+)$",
	               .wanted = "none, private, host or session:NAME" },
	gpu = { .type = SHAPE_EITHER, .of = &shape_bool, .other = &filled, .wanted = "true, false, or which" },
	volumes = { .type = SHAPE_LIST, .of = &volume, .wanted = "a list of SOURCE:TARGET" },
	ports = { .type = SHAPE_LIST, .of = &port, .wanted = "a list of HOST:PORT" },
	tmpfses = { .type = SHAPE_LIST, .of = &tmpfs, .wanted = "a list of TARGET" },
	packages = { .type = SHAPE_LIST, .of = &package, .wanted = "a list of packages" },
	labels = { .type = SHAPE_MAP, .of = &shape_text, .pattern = "^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$",
	           .wanted = "an object of texts" };

static const struct shape_field limit_fields[] = {
	{ "memory", &shape_size, "limit of memory" },
	{ "cpus", &cpus, "limit of CPU time: 0.5 is half of one" },
	{ "pids", &pids, "limit of processes" },
};
static const struct shape_field secret_fields[] = {
	{ "file", &filled, "a file of this host with the secret" },
	{ "environment", &filled, "your variable with the secret" },
};
static const struct shape_field build_fields[] = {
	{ "containerfile", &filled, "the recipe; Containerfile where it is not said" },
	{ "context", &filled, "the directory with what the recipe copies; the template's where it is not said" },
	{ "args", &variables, "values for the recipe's ARGs" },
};
static const struct shape_field probe_fields[] = {
	{ "command", &command, "a command in the container: all is well when it exits with 0" },
	{ "interval", &shape_span, "how long after a probe the next one comes" },
	{ "timeout", &shape_span, "a probe that takes longer has failed" },
	{ "retries", &retries, "so many failures one after the other count" },
	{ "start_period", &shape_span, "failures do not count for so long after the start" },
};
#define OBJECT(fields_, what_) { .type = SHAPE_OBJECT, .fields = (fields_), .count = array_len(fields_), .wanted = (what_) }
static const struct shape
	limits = OBJECT(limit_fields, "an object with memory, cpus, pids"),
	secret = OBJECT(secret_fields, "an object with file or environment"),
	secrets = { .type = SHAPE_MAP, .of = &secret, .pattern = NAME_PATTERN, .wanted = "an object of secrets" },
	build_object = OBJECT(build_fields, "an object with containerfile, context, args"),
	build = { .type = SHAPE_EITHER, .of = &filled, .other = &build_object,
	          .wanted = "a Containerfile, or an object" },
	probe = OBJECT(probe_fields, "an object with command, interval, timeout, retries, start_period");

static const struct shape_field fields[] = {
	{ "$schema", &shape_text, "for editors; not used" },
	{ "description", &shape_text, "one line for `pterm template ls`" },
	{ "extends", &filled, "another template, which this one changes" },
	{ "name", &name, "what a session of it is called; a number is added where there is one already" },
	{ "image", &filled, "the root file system" },
	{ "build", &build, "a recipe to make the image from" },
	{ "packages", &packages, "packages of the image's distribution that are added to the image" },
	{ "command", &command,
	  "what runs; a command line is divided into words at spaces, with quotes, and no shell reads it" },
	{ "working_dir", &inside, "where the command starts" },
	{ "environment", &variables, "variables" },
	{ "user", &user, "a user of the image" },
	{ "hostname", &host_name, "the host name inside" },
	{ "volumes", &volumes,
	  "directories or files of this host, shown inside; a SOURCE that begins with ./ is below the "
	                       "directory where pterm is called, and made where it is missing" },
	{ "tmpfs", &tmpfses, "empty file systems in memory" },
	{ "secrets", &secrets, "files /run/secrets/NAME that only the session can read" },
	{ "network", &is_network, "its network" },
	{ "ports", &ports, "ports of this host's loopback that lead inside" },
	{ "limits", &limits, "what it may use at most" },
	{ "interactive", &shape_bool, "false: it starts in the background" },
	{ "privileged", &shape_bool, "only false: true is refused" },
	{ "readonly", &shape_bool, "the root file system cannot be written" },
	{ "restart", &restart, "when it is started again after its end" },
	{ "health", &probe, "is it alive?" },
	{ "readiness", &probe, "is it ready?" },
	{ "labels", &labels, "words of yours about it, for `pterm ls --label`" },
	{ "model", &filled, "the model behind it" },
	{ "gpu", &gpu, "the graphics processors that it may use" },
	{ "engine", &filled, "how it is run" },
};
const struct shape template_shape = { .type = SHAPE_OBJECT, .fields = fields, .count = array_len(fields) };

bool template_joins(const char *key)
{
	static const char *const joined[] = { "volumes", "ports", "tmpfs", "packages" };

	for (size_t i = 0; i < array_len(joined); i++)
		if (str_eq(joined[i], key))
			return true;
	return false;
}

void template_schema(struct str *out)
{
	shape_schema(&template_shape, SHAPE_TEMPLATE, "A template of pterm: what a session is made from", out);
}

static void add_rows(struct str *out, const struct shape *object, const char *before)
{
	for (size_t i = 0; i < object->count; i++) {
		const struct shape_field *f = &object->fields[i];
		const struct shape *inner = f->shape->type == SHAPE_EITHER ? f->shape->other : f->shape;
		const char *below = inner->type == SHAPE_MAP ? ".NAME." : ".";
		_free_ char *key = xasprintf("%s%s", before, f->key);
		_str_ wanted = STR_INIT;

		shape_wanted(f->shape, &wanted);
		str_addf(out, "| `%s` | %s | %s |\n", key, wanted.buf, f->help);
		inner = inner->type == SHAPE_MAP ? inner->of : inner;
		if (inner->type == SHAPE_OBJECT) {
			_free_ char *prefix = xasprintf("%s%s", key, below);

			add_rows(out, inner, prefix);
		}
	}
}

void template_reference(struct str *out)
{
	str_adds(out, "| key | what it may be | what it is |\n| --- | --- | --- |\n");
	add_rows(out, &template_shape, "");
}
