/*
 * An image out of a session: the layers of its image, or where that is no image of the store the directories it runs
 * on packed as layers, and its upper directory as one more.
 */
#include "service/images-make.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"
#include "image/name.h"
#include "image/tree-run.h"
#include "service/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct commit {
	const struct image_store *store;
	const struct images_changes *changes;
	const char *session;
	struct spec spec;
	struct idmap map;
	struct str base;                 /* the configuration's text; "{}" where there is no image */
	struct oci_document manifest;
	struct oci_config config;
	struct oci_descriptors layers;
	struct strv diff_ids;
};

static void commit_release(struct commit *c)
{
	spec_release(&c->spec);
	str_release(&c->base);
	oci_document_release(&c->manifest);
	oci_config_release(&c->config);
	oci_descriptors_release(&c->layers);
	strv_release(&c->diff_ids);
}

/* --- layers --- */

static int run_pack(const struct commit *c, int dir, int out, struct err *err)
{
	static const char *const argv[] = { "pterm-tree", "pack", "--layer", "--report", "4", ".", NULL };
	const struct tree_job job = { .program = c->store->tree_program, .map = &c->map, .argv = argv, .in = -1, .out = out,
	                              .dir = dir, .lock = -1, .list = -1 };
	struct tree_run run = TREE_RUN_INIT;
	_free_ char *what = xasprintf("the files of session '%s'", c->session);
	_str_ said = STR_INIT;
	_str_ report = STR_INIT;
	int r = tree_start(&job, &run, err);

	if (r == 0)
		r = tree_finish(&run, &said, &report, err);
	return r > 0 ? tree_failed(r, "read", what, &said, &report, err) : r;
}

/* Pack the directory @path, as the container's root sees it, as one more layer. */
static int add_layer(struct commit *c, const char *path, struct err *err)
{
	_free_ char *tmp = xasprintf("%s/images/blobs/sha256/.new-%d", c->store->root, (int)getpid());
	_free_ char *blob = NULL;
	_fd_ dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_fd_ out = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	char hex[DIGEST_HEX + 1];
	struct oci_descriptor layer = { 0 };
	struct stat st;
	int r;

	if (dir < 0 || out < 0)
		return err_set(err, errno, "commit", "cannot read '%s': %m", path);
	r = run_pack(c, dir, out, err);
	if (r == 0 && (lseek(out, 0, SEEK_SET) < 0 || fstat(out, &st) < 0))
		r = err_set(err, errno, "commit", "cannot write '%s': %m", tmp);
	if (r == 0)
		r = tree_digest_of(c->store->tree_program, out, hex, err);
	blob = r == 0 ? xasprintf("%s/images/blobs/sha256/%s", c->store->root, hex) : NULL;
	if (r == 0 && rename(tmp, blob) < 0)
		r = err_set(err, errno, "commit", "cannot write '%s': %m", blob);
	if (r < 0) {
		(void)unlink(tmp);
		return r;
	}
	layer = (struct oci_descriptor){ .media_type = xstrdup(OCI_LAYER_TYPE), .digest = xasprintf("sha256:%s", hex),
	                                 .size = st.st_size };
	vec_push(&c->layers, layer);
	strv_pushf(&c->diff_ids, "sha256:%s", hex);
	return 0;
}

/* What the session stands on. */
static int add_base(struct commit *c, struct err *err)
{
	const char *digest = c->spec.image.digest;
	int r = 0;

	if (digest == NULL || !layout_has_blob(c->store, digest) ||
	    layout_read_image(c->store, digest, &c->manifest, &c->config, NULL) < 0) {
		str_adds(&c->base, "{}");
		for (size_t i = 0; i < c->spec.image.layers.len && r == 0; i++)
			r = add_layer(c, c->spec.image.layers.items[i], err);
		return r;
	}
	for (size_t i = 0; i < c->manifest.layers.len; i++) {
		struct oci_descriptor copy;

		oci_descriptor_copy(&copy, &c->manifest.layers.items[i]);
		vec_push(&c->layers, copy);
	}
	strv_copy(&c->diff_ids, &c->config.rootfs.diff_ids);
	return layout_read_blob(c->store, c->manifest.config.digest, &c->base, err);
}

/* --- configuration --- */

static void put_list(struct json_writer *w, const char *key, const struct strv *changed, bool has_changed,
                     const struct strv *before)
{
	const struct strv *v = has_changed ? changed : before;

	if (v->len > 0)
		json_put_strv(w, key, v);
}

/* Members that we do not read go on as they are. */
static void put_others(struct json_writer *w, const struct str *run)
{
	static const char *const others[] = { "Labels", "Volumes", "ExposedPorts", "StopSignal", "Shell", "Healthcheck" };

	for (size_t i = 0; i < array_len(others); i++) {
		_str_ text = STR_INIT;

		if (json_member(run->buf, run->len, others[i], &text, NULL) > 0)
			json_put_raw(w, others[i], text.buf);
	}
}

static void put_run(struct json_writer *w, const struct commit *c)
{
	const struct images_changes *ch = c->changes;
	const struct oci_run *before = &c->config.run;
	_strv_ env = { 0 };
	_str_ run = STR_INIT;

	strv_copy(&env, &before->env);
	for (size_t i = 0; i < ch->env.len; i++) {
		const char *equals = strchr(ch->env.items[i], '=');
		_free_ char *key = equals ? xstrndup(ch->env.items[i], (size_t)(equals - ch->env.items[i])) : NULL;

		if (key != NULL)
			strv_set_env(&env, key, equals + 1);
	}
	json_begin(w, "config", '{');
	json_put_str(w, "User", ch->user ? ch->user : before->user);
	json_put_str(w, "WorkingDir", ch->workdir ? ch->workdir : before->workdir);
	if (env.len > 0)
		json_put_strv(w, "Env", &env);
	put_list(w, "Entrypoint", &ch->entrypoint, ch->has_entrypoint, &before->entrypoint);
	put_list(w, "Cmd", &ch->cmd, ch->has_cmd, &before->cmd);
	if (json_member(c->base.buf, c->base.len, "config", &run, NULL) > 0)
		put_others(w, &run);
	json_end(w, '}');
}

static void put_history(struct json_writer *w, const struct commit *c, const char *now)
{
	_free_ char *by = xasprintf("pterm image commit %s", c->session);
	const size_t made = c->layers.len - c->manifest.layers.len;      /* packed here: the last is the session's */

	json_begin(w, "history", '[');
	for (size_t i = 0; i < c->config.history.len; i++) {
		const struct oci_history *h = &c->config.history.items[i];

		json_begin(w, NULL, '{');
		json_put_str(w, "created", h->created);
		json_put_str(w, "created_by", h->created_by);
		json_put_str(w, "comment", h->comment);
		if (h->is_empty)
			json_put_bool(w, "empty_layer", true);
		json_end(w, '}');
	}
	for (size_t i = 0; i < made; i++) {
		json_begin(w, NULL, '{');
		json_put_str(w, "created", now);
		json_put_str(w, "created_by", i + 1 < made ? "the directory that the session ran on" : by);
		if (i + 1 == made)
			json_put_str(w, "comment", c->changes->message);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void write_config(const struct commit *c, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);
	_str_ now = STR_INIT;

	str_add_instant(&now, time_now_ms());
	json_begin(&w, NULL, '{');
	json_put_str(&w, "created", now.buf);
	json_put_str(&w, "architecture", c->config.architecture ? c->config.architecture : oci_architecture());
	json_put_str(&w, "os", "linux");
	json_put_str(&w, "variant", c->config.variant);
	put_run(&w, c);
	json_begin(&w, "rootfs", '{');
	json_put_str(&w, "type", "layers");
	json_put_strv(&w, "diff_ids", &c->diff_ids);
	json_end(&w, '}');
	put_history(&w, c, now.buf);
	json_end(&w, '}');
}

static int write_image(struct commit *c, struct oci_descriptor *ret, struct err *err)
{
	struct oci_descriptor config = { 0 };
	_str_ text = STR_INIT;
	int r;

	write_config(c, &text);
	r = layout_put_blob(c->store, OCI_CONFIG_TYPE, &text, &config, err);
	if (r == 0) {
		str_clear(&text);
		oci_write_manifest(&config, &c->layers, &text);
		r = layout_put_blob(c->store, OCI_MANIFEST_TYPE, &text, ret, err);
	}
	oci_descriptor_release(&config);
	return r;
}

/* --- all of it --- */

static int read_session(const struct house *h, const char *ref, struct commit *c, struct session *s, struct err *err)
{
	int r = session_find(h, ref, s, err);

	if (r == 0 && s->is_foreign)
		r = err_set(err, EXDEV, "foreign", "session '%s' is of another machine", ref);
	if (r == 0)
		r = spec_read(s->fd, "spec.json", &c->spec, err);
	if (r == 0 && (c->spec.map == NULL || idmap_parse(c->spec.map, &c->map) < 0 || !s->status.has_container))
		r = err_set(err, ENOTSUP, "no-container", "session '%s' has no container, so there is nothing to make an image of",
		            ref);
	return r;
}

int images_commit(const struct house *h, const char *session, const char *name, const struct images_changes *changes,
                  struct oci_descriptor *ret, struct err *err)
{
	const struct image_store store = images_store(h);
	_cleanup_(commit_release) struct commit c = { .store = &store, .changes = changes, .session = session, .base = STR_INIT };
	_session_ s = { 0 };
	struct place place;
	_free_ char *clean = NULL;
	_free_ char *upper = NULL;
	_str_ now = STR_INIT;
	int r = name_clean(name, &clean, err);

	if (r == 0)
		r = trust_allows(&store, clean, NULL, err);
	if (r == 0)
		r = read_session(h, session, &c, &s, err);
	_fd_ hold = r < 0 ? r : layout_hold(&store, false, err);

	if (hold < 0)
		return hold;
	house_place(h, s.id, &place);
	upper = path_join(place.store_dir, "upper");
	place_release(&place);
	r = add_base(&c, err);
	if (r == 0)
		r = add_layer(&c, upper, err);
	if (r == 0)
		r = write_image(&c, ret, err);
	if (r < 0)
		return r;
	str_add_instant(&now, time_now_ms());
	ret->notes.name = TAKE(clean);
	ret->notes.taken = str_take(&now);
	return layout_add(&store, ret, err);
}
