#include "image/oci.h"

#include <errno.h>
#include <sys/utsname.h>

/* --- tables --- */

#define AT(type, member) offsetof(type, member)

static const struct json_field platform_fields[] = {
	{ "os", FIELD_STR, AT(struct oci_platform, os) },
	{ "architecture", FIELD_STR, AT(struct oci_platform, architecture) },
	{ "variant", FIELD_STR, AT(struct oci_platform, variant) },
};
static const struct json_object platform_object = JSON_OBJECT("a platform", struct oci_platform, platform_fields, false);

static const struct json_field notes_fields[] = {
	{ "org.opencontainers.image.ref.name", FIELD_STR, AT(struct oci_notes, name) },
	{ "kind", FIELD_STR, AT(struct oci_notes, kind) },
	{ "org.opencontainers.image.base.name", FIELD_STR, AT(struct oci_notes, base_name) },
	{ "org.opencontainers.image.base.digest", FIELD_STR, AT(struct oci_notes, base_digest) },
	{ "dev.pterm.source", FIELD_STR, AT(struct oci_notes, source) },
	{ "dev.pterm.source-digest", FIELD_STR, AT(struct oci_notes, source_digest) },
	{ "dev.pterm.signed-by", FIELD_STR, AT(struct oci_notes, signed_by) },
	{ "dev.pterm.recipe", FIELD_STR, AT(struct oci_notes, recipe) },
	{ "dev.pterm.taken", FIELD_STR, AT(struct oci_notes, taken) },
};
static const struct json_object notes_object = JSON_OBJECT("annotations", struct oci_notes, notes_fields, false);

static const struct json_field descriptor_fields[] = {
	{ "mediaType", FIELD_STR, AT(struct oci_descriptor, media_type) },
	{ "digest", FIELD_STR, AT(struct oci_descriptor, digest), .required = true },
	{ "size", FIELD_INT, AT(struct oci_descriptor, size), .required = true, .min = 0, .max = INT64_MAX },
	{ "platform", FIELD_OBJ, AT(struct oci_descriptor, platform), .object = &platform_object },
	{ "annotations", FIELD_OBJ, AT(struct oci_descriptor, notes), .object = &notes_object },
};
static const struct json_object descriptor_object =
	JSON_OBJECT("a descriptor", struct oci_descriptor, descriptor_fields, false);

static const struct json_field document_fields[] = {
	{ "schemaVersion", FIELD_INT, AT(struct oci_document, version), .required = true },
	{ "mediaType", FIELD_STR, AT(struct oci_document, media_type) },
	{ "manifests", FIELD_OBJV, AT(struct oci_document, manifests), .object = &descriptor_object },
	{ "config", FIELD_OBJ, AT(struct oci_document, config), .object = &descriptor_object },
	{ "layers", FIELD_OBJV, AT(struct oci_document, layers), .object = &descriptor_object },
	{ "annotations", FIELD_OBJ, AT(struct oci_document, notes), .object = &notes_object },
};
static const struct json_object document_object =
	JSON_OBJECT("an image's manifest", struct oci_document, document_fields, false);

static const struct json_field history_fields[] = {
	{ "created", FIELD_STR, AT(struct oci_history, created) },
	{ "created_by", FIELD_STR, AT(struct oci_history, created_by) },
	{ "comment", FIELD_STR, AT(struct oci_history, comment) },
	{ "empty_layer", FIELD_BOOL, AT(struct oci_history, is_empty) },
};
static const struct json_object history_object = JSON_OBJECT("history", struct oci_history, history_fields, false);

static const struct json_field run_fields[] = {
	{ "User", FIELD_STR, AT(struct oci_run, user) },
	{ "WorkingDir", FIELD_STR, AT(struct oci_run, workdir) },
	{ "StopSignal", FIELD_STR, AT(struct oci_run, stop_signal) },
	{ "Env", FIELD_STRV, AT(struct oci_run, env) },
	{ "Entrypoint", FIELD_STRV, AT(struct oci_run, entrypoint) },
	{ "Cmd", FIELD_STRV, AT(struct oci_run, cmd) },
};
static const struct json_object run_object = JSON_OBJECT("config", struct oci_run, run_fields, false);

struct rootfs { char *type; struct strv diff_ids; };
static const struct json_field rootfs_fields[] = {
	{ "type", FIELD_STR, AT(struct rootfs, type) },
	{ "diff_ids", FIELD_STRV, AT(struct rootfs, diff_ids), .required = true },
};
static const struct json_object rootfs_object = JSON_OBJECT("rootfs", struct rootfs, rootfs_fields, false);

static const struct json_field config_fields[] = {
	{ "architecture", FIELD_STR, AT(struct oci_config, architecture) },
	{ "os", FIELD_STR, AT(struct oci_config, os) },
	{ "variant", FIELD_STR, AT(struct oci_config, variant) },
	{ "created", FIELD_STR, AT(struct oci_config, created) },
	{ "config", FIELD_OBJ, AT(struct oci_config, run), .object = &run_object },
	{ "rootfs", FIELD_OBJ, AT(struct oci_config, rootfs), .required = true, .object = &rootfs_object },
	{ "history", FIELD_OBJV, AT(struct oci_config, history), .object = &history_object },
};
static const struct json_object config_object =
	JSON_OBJECT("an image's configuration", struct oci_config, config_fields, false);

/* --- reading --- */

bool digest_check(const char *text)
{
	const char *hex = text + strlen("sha256:");

	return str_starts(text, "sha256:") && strspn(hex, "0123456789abcdef") == DIGEST_HEX && hex[DIGEST_HEX] == '\0';
}

const char *digest_hex(const char *digest)
{
	return digest + strlen("sha256:");
}

void oci_document_release(struct oci_document *d)
{
	json_release(&document_object, d);
}

void oci_config_release(struct oci_config *c)
{
	json_release(&config_object, c);
}

void oci_descriptor_release(struct oci_descriptor *d)
{
	json_release(&descriptor_object, d);
}

void oci_descriptors_release(struct oci_descriptors *v)
{
	for (size_t i = 0; i < v->len; i++)
		oci_descriptor_release(&v->items[i]);
	vec_release(v);
}

static int refuse(const char *what, struct err *err, const char *fmt, ...) _printf_(3, 4);
static int refuse(const char *what, struct err *err, const char *fmt, ...)
{
	_str_ why = STR_INIT;
	_free_ char *shown = NULL;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&why, fmt, ap);
	va_end(ap);
	shown = visible(why.buf);
	return err_set(err, EINVAL, "bad-image", "%s: %s", what, shown);
}

static int check_descriptors(const char *what, const char *of, const struct oci_descriptors *v, struct err *err)
{
	for (size_t i = 0; i < v->len; i++)
		if (!digest_check(v->items[i].digest))
			return refuse(what, err, "the digest '%.100s' of one of its %s is no SHA-256 digest", v->items[i].digest, of);
	return 0;
}

static int check_document(const char *what, const struct oci_document *d, struct err *err)
{
	int r;

	if (d->version != 2)
		return refuse(what, err, "it is of schema version %lld; only 2 is known", (long long)d->version);
	if (d->manifests.len > 0 && (d->config.digest != NULL || d->layers.len > 0))
		return refuse(what, err, "it is an index and a manifest at once");
	if (d->manifests.len > 0)
		return check_descriptors(what, "manifests", &d->manifests, err);
	if (d->config.digest == NULL)            /* an empty index */
		return d->layers.len > 0 ? refuse(what, err, "it has layers and no configuration") : 0;
	if (!digest_check(d->config.digest))
		return refuse(what, err, "its configuration's digest is no SHA-256 digest");
	if (d->layers.len > OCI_LAYERS_MAX)
		return refuse(what, err, "it has %zu layers; an overlay takes %d", d->layers.len, OCI_LAYERS_MAX);
	r = check_descriptors(what, "layers", &d->layers, err);
	for (size_t i = 0; i < d->layers.len && r == 0; i++) {
		const char *type = d->layers.items[i].media_type;

		if (type != NULL && strstr(type, "encrypted") != NULL)
			r = refuse(what, err, "layer %zu is encrypted", i + 1);
	}
	return r;
}

int oci_read_document(const char *what, const char *text, size_t n, struct oci_document *ret, struct err *err)
{
	int r = json_decode(text, n, &document_object, ret, err);

	r = r < 0 ? err_wrap(err, "%s", what) : check_document(what, ret, err);
	if (r < 0)
		oci_document_release(ret);
	return r;
}

int oci_read_index(const char *what, const char *text, size_t n, struct oci_document *ret, struct err *err)
{
	const int r = oci_read_document(what, text, n, ret, err);

	if (r == 0 && ret->config.digest != NULL) {
		oci_document_release(ret);
		return refuse(what, err, "it is a manifest where an index is expected");
	}
	return r;
}

int oci_read_manifest(const char *what, const char *text, size_t n, struct oci_document *ret, struct err *err)
{
	const int r = oci_read_document(what, text, n, ret, err);

	if (r == 0 && ret->config.digest == NULL) {
		oci_document_release(ret);
		return refuse(what, err, "it is no manifest: it names no configuration");
	}
	return r;
}

static int check_config(const char *what, const struct oci_config *c, struct err *err)
{
	const struct strv *ids = &c->rootfs.diff_ids;

	if (ids->len == 0 || ids->len > OCI_LAYERS_MAX)
		return refuse(what, err, "it has %zu layers; between 1 and %d are possible", ids->len, OCI_LAYERS_MAX);
	for (size_t i = 0; i < ids->len; i++)
		if (!digest_check(ids->items[i]))
			return refuse(what, err, "its diff id '%.100s' is no SHA-256 digest", ids->items[i]);
	for (size_t i = 0; i < c->run.env.len; i++)
		if (strchr(c->run.env.items[i], '=') == NULL || c->run.env.items[i][0] == '=')
			return refuse(what, err, "its environment has '%.100s', which is no KEY=VALUE", c->run.env.items[i]);
	if (c->run.workdir != NULL && c->run.workdir[0] != '\0' && c->run.workdir[0] != '/')
		return refuse(what, err, "its working directory '%.100s' is no absolute path", c->run.workdir);
	return 0;
}

int oci_read_config(const char *what, const char *text, size_t n, struct oci_config *ret, struct err *err)
{
	int r = json_decode(text, n, &config_object, ret, err);

	r = r < 0 ? err_wrap(err, "%s", what) : check_config(what, ret, err);
	if (r < 0)
		oci_config_release(ret);
	return r;
}

/* --- platforms --- */

const char *oci_architecture(void)
{
	static const struct { const char *machine, *name; } known[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" }, { "armv6l", "arm" }, { "i686", "386" },
		{ "ppc64le", "ppc64le" }, { "s390x", "s390x" }, { "riscv64", "riscv64" }, { "loongarch64", "loong64" },
	};
	static struct utsname host;

	if (uname(&host) < 0)
		return "unknown";
	for (size_t i = 0; i < array_len(known); i++)
		if (str_eq(host.machine, known[i].machine))
			return known[i].name;
	return host.machine;
}

static bool fits(const struct oci_platform *p)
{
	return p->os != NULL && p->architecture != NULL && str_eq(p->os, "linux") && str_eq(p->architecture, oci_architecture());
}

const struct oci_descriptor *oci_choose(const char *what, const struct oci_document *index, struct err *err)
{
	_str_ there = STR_INIT;

	for (size_t i = 0; i < index->manifests.len; i++)
		if (fits(&index->manifests.items[i].platform))
			return &index->manifests.items[i];
	/* one that says nothing about its platform is for every one */
	if (index->manifests.len == 1 && index->manifests.items[0].platform.architecture == NULL)
		return &index->manifests.items[0];
	for (size_t i = 0; i < index->manifests.len && there.len < 300; i++) {
		const struct oci_platform *p = &index->manifests.items[i].platform;
		_free_ char *shown = p->os && p->architecture ? xasprintf("%s/%s", p->os, p->architecture) : NULL;
		_free_ char *clean = visible(shown ? shown : "");

		if (*clean != '\0' && !str_eq(clean, "unknown/unknown"))
			str_addf(&there, "%s%s", there.len ? ", " : "", clean);
	}
	(void)err_set(err, ENOENT, "no-such-platform", "%s: there is no image for this machine, linux/%s, in it; it has %s",
	              what, oci_architecture(), there.len ? there.buf : "none that says what it is for");
	return NULL;
}

/* --- writing --- */

static char *copy_text(const char *z)
{
	return z ? xstrdup(z) : NULL;
}

void oci_descriptor_copy(struct oci_descriptor *to, const struct oci_descriptor *from)
{
	*to = *from;
	for (size_t i = 0; i < array_len(descriptor_fields); i++)
		if (descriptor_fields[i].type == FIELD_STR) {
			char **slot = (char **)((char *)to + descriptor_fields[i].offset);

			*slot = copy_text(*slot);
		}
	to->platform = (struct oci_platform){ copy_text(from->platform.os), copy_text(from->platform.architecture),
	                                      copy_text(from->platform.variant) };
	for (size_t i = 0; i < array_len(notes_fields); i++) {
		char **slot = (char **)((char *)&to->notes + notes_fields[i].offset);

		*slot = copy_text(*slot);
	}
}

static bool has_any(const struct json_object *o, const void *in)
{
	for (size_t i = 0; i < o->count; i++)
		if (*(char *const *)((const char *)in + o->fields[i].offset) != NULL)
			return true;
	return false;
}

static void put_descriptor(struct json_writer *w, const char *key, const struct oci_descriptor *d)
{
	json_begin(w, key, '{');
	json_put_str(w, "mediaType", d->media_type);
	json_put_str(w, "digest", d->digest);
	json_put_int(w, "size", d->size);
	if (has_any(&platform_object, &d->platform))
		json_put_object(w, "platform", &platform_object, &d->platform);
	if (has_any(&notes_object, &d->notes))
		json_put_object(w, "annotations", &notes_object, &d->notes);
	json_end(w, '}');
}

static void put_descriptors(struct json_writer *w, const char *key, const struct oci_descriptors *v)
{
	json_begin(w, key, '[');
	for (size_t i = 0; i < v->len; i++)
		put_descriptor(w, NULL, &v->items[i]);
	json_end(w, ']');
}

void oci_write_index(const struct oci_descriptors *manifests, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	json_put_int(&w, "schemaVersion", 2);
	json_put_str(&w, "mediaType", OCI_INDEX_TYPE);
	put_descriptors(&w, "manifests", manifests);
	json_end(&w, '}');
}

void oci_write_manifest(const struct oci_descriptor *config, const struct oci_descriptors *layers, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	json_put_int(&w, "schemaVersion", 2);
	json_put_str(&w, "mediaType", OCI_MANIFEST_TYPE);
	put_descriptor(&w, "config", config);
	put_descriptors(&w, "layers", layers);
	json_end(&w, '}');
}
