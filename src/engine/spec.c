#include "engine/spec.h"

#include "base/fd.h"
#include "base/units.h"
#include "term/pty.h"

#include <errno.h>
#include <fcntl.h>

enum { SPEC_FILE_MAX = 8 * 1024 * 1024 };        /* an environment may be large */

const char *const spec_networks[] = { "none", "private", "host", "session", NULL };
const char *const spec_restarts[] = { "no", "on-failure", "always", NULL };

const char *const spec_probe_kinds[] = { "health", "readiness", NULL };

static const struct json_field volume_fields[] = {
	{ "source", FIELD_STR, offsetof(struct spec_volume, source), .required = true },
	{ "target", FIELD_STR, offsetof(struct spec_volume, target), .required = true },
	{ "name", FIELD_STR, offsetof(struct spec_volume, name) },
	{ "read_only", FIELD_BOOL, offsetof(struct spec_volume, read_only) },
	{ "owned", FIELD_BOOL, offsetof(struct spec_volume, is_owned) },
};
static const struct json_object volume_object = JSON_OBJECT("a volume", struct spec_volume, volume_fields, true);

static const struct json_field tmpfs_fields[] = {
	{ "target", FIELD_STR, offsetof(struct spec_tmpfs, target), .required = true },
	{ "options", FIELD_STR, offsetof(struct spec_tmpfs, options) },
};
static const struct json_object tmpfs_object = JSON_OBJECT("a tmpfs", struct spec_tmpfs, tmpfs_fields, true);

static const struct json_field probe_fields[] = {
	{ "kind", FIELD_ENUM, offsetof(struct spec_probe, kind), .required = true, .names = spec_probe_kinds },
	{ "command", FIELD_STRV, offsetof(struct spec_probe, command), .required = true },
	{ "interval_ms", FIELD_INT, offsetof(struct spec_probe, interval_ms), .required = true, .min = 1, .max = PROBE_SPAN_MAX },
	{ "timeout_ms", FIELD_INT, offsetof(struct spec_probe, timeout_ms), .required = true, .min = 1, .max = PROBE_SPAN_MAX },
	{ "retries", FIELD_INT, offsetof(struct spec_probe, retries), .required = true, .min = 1, .max = PROBE_RETRIES_MAX },
	{ "start_period_ms", FIELD_INT, offsetof(struct spec_probe, start_period_ms), .min = 0, .max = PROBE_SPAN_MAX },
};
static const struct json_object probe_object = JSON_OBJECT("a probe", struct spec_probe, probe_fields, true);

static const struct json_field port_fields[] = {
	{ "host", FIELD_INT, offsetof(struct spec_port, host), .required = true, .min = 1, .max = 65535 },
	{ "container", FIELD_INT, offsetof(struct spec_port, container), .required = true, .min = 1, .max = 65535 },
};
static const struct json_object port_object = JSON_OBJECT("a published port", struct spec_port, port_fields, true);

static const struct json_field secret_fields[] = {
	{ "name", FIELD_STR, offsetof(struct spec_secret, name), .required = true },
	{ "file", FIELD_STR, offsetof(struct spec_secret, file) },
	{ "variable", FIELD_STR, offsetof(struct spec_secret, variable) },
};
static const struct json_object secret_object = JSON_OBJECT("a secret", struct spec_secret, secret_fields, true);

static const struct json_field image_fields[] = {
	{ "label", FIELD_STR, offsetof(struct spec_image, label) },
	{ "digest", FIELD_STR, offsetof(struct spec_image, digest) },
	{ "layers", FIELD_STRV, offsetof(struct spec_image, layers) },
};
static const struct json_object image_object = JSON_OBJECT("an image", struct spec_image, image_fields, true);

static const struct json_field user_fields[] = {
	{ "name", FIELD_STR, offsetof(struct spec_user, name) },
	{ "home", FIELD_STR, offsetof(struct spec_user, home) },
	{ "shell", FIELD_STR, offsetof(struct spec_user, shell) },
	{ "uid", FIELD_INT, offsetof(struct spec_user, uid), .min = 0, .max = UINT32_MAX - 1LL },
	{ "gid", FIELD_INT, offsetof(struct spec_user, gid), .min = 0, .max = UINT32_MAX - 1LL },
	{ "groups", FIELD_STRV, offsetof(struct spec_user, groups) },
};
static const struct json_object user_object = JSON_OBJECT("a user", struct spec_user, user_fields, true);

static const struct json_field spec_fields[] = {
	{ "engine", FIELD_STR, offsetof(struct spec, engine), .required = true },
	{ "fallback", FIELD_STR, offsetof(struct spec, fallback) },
	{ "fallback_loses", FIELD_STR, offsetof(struct spec, fallback_loses) },
	{ "image", FIELD_OBJ, offsetof(struct spec, image), .object = &image_object },
	{ "command", FIELD_STRV, offsetof(struct spec, command) },
	{ "env", FIELD_STRV, offsetof(struct spec, env) },
	{ "cwd", FIELD_STR, offsetof(struct spec, cwd) },
	{ "makes_cwd", FIELD_BOOL, offsetof(struct spec, makes_cwd) },
	{ "user", FIELD_OBJ, offsetof(struct spec, user), .object = &user_object },
	{ "map", FIELD_STR, offsetof(struct spec, map) },
	{ "map_name", FIELD_STR, offsetof(struct spec, map_name) },
	{ "hostname", FIELD_STR, offsetof(struct spec, hostname) },
	{ "read_only", FIELD_BOOL, offsetof(struct spec, read_only) },
	{ "remove_at_end", FIELD_BOOL, offsetof(struct spec, remove_at_end) },
	{ "tmpfs", FIELD_OBJV, offsetof(struct spec, tmpfs), .object = &tmpfs_object },
	{ "volumes", FIELD_OBJV, offsetof(struct spec, volumes), .object = &volume_object },
	{ "memory_bytes", FIELD_INT, offsetof(struct spec, memory_bytes), .min = 0, .max = INT64_MAX },
	{ "pids", FIELD_INT, offsetof(struct spec, pids), .min = 0, .max = INT64_MAX },
	{ "cpus", FIELD_REAL, offsetof(struct spec, cpus) },
	{ "network", FIELD_ENUM, offsetof(struct spec, network), .names = spec_networks },
	{ "network_session", FIELD_STR, offsetof(struct spec, network_session) },
	{ "network_joined", FIELD_ENUM, offsetof(struct spec, network_joined), .names = spec_networks },
	{ "ports", FIELD_OBJV, offsetof(struct spec, ports), .object = &port_object },
	{ "ssh_agent", FIELD_STR, offsetof(struct spec, ssh_agent) },
	{ "secrets", FIELD_OBJV, offsetof(struct spec, secrets), .object = &secret_object },
	{ "labels", FIELD_MAP, offsetof(struct spec, labels) },
	{ "probes", FIELD_OBJV, offsetof(struct spec, probes), .object = &probe_object },
	{ "restart", FIELD_ENUM, offsetof(struct spec, restart), .names = spec_restarts },
	{ "restart_max", FIELD_INT, offsetof(struct spec, restart_max), .min = 0, .max = INT64_MAX },
	{ "restart_first_ms", FIELD_INT, offsetof(struct spec, restart_first_ms), .min = 0, .max = INT64_MAX },
	{ "restart_longest_ms", FIELD_INT, offsetof(struct spec, restart_longest_ms), .min = 0, .max = INT64_MAX },
	{ "restart_forgiven_ms", FIELD_INT, offsetof(struct spec, restart_forgiven_ms), .min = 0, .max = INT64_MAX },
	{ "rows", FIELD_INT, offsetof(struct spec, rows), .min = 0, .max = TERM_SIZE_MAX },
	{ "cols", FIELD_INT, offsetof(struct spec, cols), .min = 0, .max = TERM_SIZE_MAX },
	{ "record_input", FIELD_BOOL, offsetof(struct spec, record_input) },
	{ "record_bytes", FIELD_INT, offsetof(struct spec, record_bytes), .min = 0, .max = INT64_MAX },
};
const struct json_object spec_object = JSON_OBJECT("a session's spec", struct spec, spec_fields, true);

int spec_read(int dirfd, const char *name, struct spec *ret, struct err *err)
{
	_str_ text = STR_INIT;
	int r;

	*ret = (struct spec){ 0 };
	r = file_read(dirfd, name, SPEC_FILE_MAX, &text);
	if (r < 0)
		return err_set(err, -r, "spec", "cannot read %s: %m", name);
	return json_decode(text.buf, text.len, &spec_object, ret, err);
}

void spec_release(struct spec *s)
{
	free(s->session_mark);
	json_release(&spec_object, s);
}

static int bad(struct err *err, const char *what, const char *text, const char *wanted)
{
	_free_ char *shown = visible(text);

	return err_set(err, EINVAL, "bad-option", "%s '%s' must be %s", what, shown, wanted);
}

int spec_port_parse(const char *text, struct spec_port *ret, struct err *err)
{
	const char *colon = strchr(text, ':');
	_free_ char *left = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	uint64_t host, container;

	if (parse_uint(left, 1, 65535, &host) < 0 ||
	    parse_uint(colon ? colon + 1 : left, 1, 65535, &container) < 0)
		return bad(err, "published port", text, "HOST:CONTAINER with numbers from 1 to 65535");
	*ret = (struct spec_port){ .host = (int64_t)host, .container = (int64_t)container };
	return 0;
}

/* A path inside the container: absolute, and without parts that lead elsewhere. */
static bool is_inside_path(const char *p)
{
	return p[0] == '/' && p[1] != '\0' && strstr(p, "/../") == NULL && !(strlen(p) >= 3 &&
	       str_eq(p + strlen(p) - 3, "/.."));
}

bool spec_is_volume_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const size_t n = strlen(text);

	return n >= 1 && n <= VOLUME_NAME_MAX && strspn(text, letters) == n && strchr("._-", text[0]) == NULL;
}

/* "ro,z": 0 or -EINVAL. */
static int parse_volume_options(const char *text, struct spec_volume *v)
{
	for (const char *o = text; o != NULL && *o != '\0';) {
		const size_t n = strcspn(++o, ",");
		_free_ char *word = xstrndup(o, n);

		if (str_eq(word, "ro"))
			v->read_only = true;
		else if (str_eq(word, "owned"))
			v->is_owned = true;
		else if (!str_eq(word, "rw") && !str_eq(word, "z") && !str_eq(word, "Z"))
			return -EINVAL;
		o += n;
	}
	return 0;
}

int spec_volume_parse(const char *text, struct spec_volume *ret, struct err *err)
{
	const char *colon = strchr(text, ':'), *options = colon ? strchr(colon + 1, ':') : NULL;
	_free_ char *source = NULL, *target = NULL;
	struct spec_volume v = { 0 };
	bool is_named;

	if (colon == NULL || colon == text)
		return bad(err, "volume", text, "SOURCE:TARGET or SOURCE:TARGET:ro");
	if (parse_volume_options(options, &v) < 0)
		return bad(err, "volume", text, "SOURCE:TARGET with the options ro, rw, owned, z");
	target = options ? xstrndup(colon + 1, (size_t)(options - colon - 1)) : xstrdup(colon + 1);
	if (!is_inside_path(target))
		return bad(err, "volume", text, "SOURCE:TARGET with an absolute target below /");
	source = xstrndup(text, (size_t)(colon - text));
	is_named = strchr(source, '/') == NULL && !str_eq(source, ".") && !str_eq(source, "..");
	if (is_named && !spec_is_volume_name(source))
		return bad(err, "volume", text, "NAME:TARGET, a name of letters, digits, '.', '_' and '-' that begins with a letter "
		           "or digit; or DIRECTORY:TARGET, where the directory has a slash (./work)");
	if (v.is_owned && !is_named)
		return bad(err, "volume", text, "NAME:TARGET: only a named volume can be owned");
	v.target = TAKE(target);
	*(is_named ? &v.name : &v.source) = TAKE(source);
	*ret = v;
	return 0;
}

int spec_tmpfs_parse(const char *text, struct spec_tmpfs *ret, struct err *err)
{
	const char *colon = strchr(text, ':');
	_free_ char *target = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);

	if (!is_inside_path(target))
		return bad(err, "tmpfs", text, "an absolute TARGET below /, and maybe :OPTIONS");
	*ret = (struct spec_tmpfs){ .target = TAKE(target), .options = colon ? xstrdup(colon + 1) : NULL };
	return 0;
}

static bool is_secret_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const size_t n = strlen(name);

	return n >= 1 && n <= 63 && name[0] != '.' && strspn(name, letters) == n;
}

int spec_secret_parse(const char *text, struct spec_secret *ret, struct err *err)
{
	const char *equals = strchr(text, '='), *from = equals ? equals + 1 : "";
	_free_ char *name = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);

	if (equals == NULL || !is_secret_name(name) || *from == '\0' || str_eq(from, "env:"))
		return bad(err, "secret", name, "NAME=FILE or NAME=env:VARIABLE, with a name of letters, digits, '.', '_' and '-'");
	*ret = (struct spec_secret){ .name = TAKE(name) };
	if (str_starts(from, "env:"))
		ret->variable = xstrdup(from + strlen("env:"));
	else
		ret->file = xstrdup(from);
	return 0;
}

int spec_secret_read(const struct spec_secret *s, struct str *ret, struct err *err)
{
	const char *value = s->variable ? getenv(s->variable) : NULL;
	int r;

	if (s->variable != NULL && value == NULL)
		return err_set(err, ENOENT, "secret", "the secret '%s': the variable '%s' is not set", s->name, s->variable);
	if (value != NULL && strlen(value) > SECRET_SIZE_MAX)
		return err_set(err, EFBIG, "secret", "the secret '%s': the variable '%s' is larger than %d KiB", s->name, s->variable,
		               SECRET_SIZE_MAX / 1024);
	if (value != NULL) {
		str_adds(ret, value);
		return 0;
	}
	r = file_read(AT_FDCWD, s->file ? s->file : "", SECRET_SIZE_MAX, ret);
	if (r == -EFBIG)
		return err_set(err, EFBIG, "secret", "the secret '%s': '%s' is larger than %d KiB", s->name, s->file,
		               SECRET_SIZE_MAX / 1024);
	return r < 0 ? err_set(err, -r, "secret", "the secret '%s': cannot read '%s': %m", s->name, s->file ? s->file : "") : 0;
}
