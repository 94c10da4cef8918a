#include "image/trust.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/helper.h"
#include "image/name.h"
#include "image/tree-run.h"

#include <errno.h>
#include <fcntl.h>

enum { POLICY_MAX = 1 << 20, ANSWER_MAX = 1 << 20 };

/* --- the policy --- */

struct identity { char *issuer, *subject; };
struct rule {
	char *images;
	int signatures;
	struct strv keys;
	struct { struct identity *items; size_t len, cap; } identities;
	bool any_repository;
};
struct policy { int otherwise; struct { struct rule *items; size_t len, cap; } rules; };

static const char *const trusts[] = { "off", "warn", "require", NULL };

static const struct json_field identity_fields[] = {
	{ "issuer", FIELD_STR, offsetof(struct identity, issuer), .required = true },
	{ "subject", FIELD_STR, offsetof(struct identity, subject), .required = true },
};
static const struct json_object identity_object = JSON_OBJECT("an identity", struct identity, identity_fields, true);
static const struct json_field rule_fields[] = {
	{ "images", FIELD_STR, offsetof(struct rule, images), .required = true },
	{ "signatures", FIELD_ENUM, offsetof(struct rule, signatures), .required = true, .names = trusts },
	{ "keys", FIELD_STRV, offsetof(struct rule, keys) },
	{ "identities", FIELD_OBJV, offsetof(struct rule, identities), .object = &identity_object },
	{ "any_repository", FIELD_BOOL, offsetof(struct rule, any_repository) },
};
static const struct json_object rule_object = JSON_OBJECT("a rule", struct rule, rule_fields, true);
static const struct json_field policy_fields[] = {
	{ "default", FIELD_ENUM, offsetof(struct policy, otherwise), .names = trusts },
	{ "rules", FIELD_OBJV, offsetof(struct policy, rules), .object = &rule_object },
};
static const struct json_object policy_object = JSON_OBJECT("the image policy", struct policy, policy_fields, true);

static void policy_release(struct policy *p)
{
	json_release(&policy_object, p);
}
#define _policy_ _cleanup_(policy_release) struct policy

static char *in_images(const struct image_store *store, const char *name)
{
	return name[0] == '/' ? xstrdup(name) : xasprintf("%s/images/%s", store->root, name);
}

static int policy_read(const struct image_store *store, struct policy *ret, struct err *err)
{
	_free_ char *path = in_images(store, "policy.json");
	_str_ text = STR_INIT;
	int r = file_read(AT_FDCWD, path, POLICY_MAX, &text);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, -r, "image-policy", "cannot read '%s': %m", path);
	r = json_decode(text.buf, text.len, &policy_object, ret, err);
	if (r < 0)
		return err_wrap(err, "%s", path);
	for (size_t i = 0; i < ret->rules.len; i++) {
		const struct rule *rule = &ret->rules.items[i];

		if (rule->signatures != TRUST_OFF && rule->keys.len == 0 && rule->identities.len == 0)
			return err_set(err, EINVAL, "image-policy", "%s: the rule for '%s' asks for signatures and names neither keys "
			               "nor identities", path, rule->images);
	}
	return 0;
}

/* @repository without the port that a registry has anyway. The caller frees. */
static char *without_usual_port(const char *repository)
{
	const size_t host = strcspn(repository, "/");

	if (host < 4 || strncmp(repository + host - 4, ":443", 4) != 0)
		return xstrdup(repository);
	return xasprintf("%.*s%s", (int)host - 4, repository, repository + host);
}

/* The longest rule that is for this repository, or NULL. @repository NULL: of an image that has no name any more. */
static const struct rule *rule_for(const struct policy *p, const char *repository)
{
	_free_ char *wanted = without_usual_port(repository ? repository : "");
	const struct rule *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < p->rules.len; i++) {
		const struct rule *r = &p->rules.items[i];
		_free_ char *images = without_usual_port(r->images);
		const size_t n = strlen(images);

		/* without case: a host has none, and what comes after it in a name is in lower case */
		if (strncasecmp(wanted, images, n) == 0 && (n == 0 || wanted[n] == '\0' || wanted[n] == '/') &&
		    (best == NULL || n > longest)) {
			best = r;
			longest = n;
		}
	}
	return best;
}

int trust_asks(const struct image_store *store, const char *name, struct err *err)
{
	_free_ char *repository = name ? name_repository(name) : NULL;
	_policy_ p = { 0 };
	const struct rule *rule;
	const int r = policy_read(store, &p, err);

	if (r < 0)
		return r;
	rule = rule_for(&p, repository);
	return rule ? rule->signatures : p.otherwise;
}

int trust_allows(const struct image_store *store, const char *name, const char *signed_by, struct err *err)
{
	const int asked = trust_asks(store, name, err);

	if (asked < 0)
		return asked;
	if (asked == TRUST_REQUIRE && signed_by == NULL)
		return err_set(err, EACCES, "not-signed", "%s%s%s is refused: images/policy.json requires a signature for "
		               "%s, and none was verified when the image came here", name ? "image '" : "",
		               name ? name : "an image without a name", name ? "'" : "", name ? "that name" : "it");
	return 0;
}

/* --- cosign --- */

struct answer_identity { char *reference; };
struct answer_image { char *digest; };
struct answer_critical { struct answer_identity identity; struct answer_image image; };
struct answer { struct answer_critical critical; };
struct answers { struct { struct answer *items; size_t len, cap; } all; };

static const struct json_field reference_fields[] = {
	{ "docker-reference", FIELD_STR, offsetof(struct answer_identity, reference) },
};
static const struct json_object reference_object = JSON_OBJECT("identity", struct answer_identity, reference_fields, false);
static const struct json_field digest_fields[] = {
	{ "docker-manifest-digest", FIELD_STR, offsetof(struct answer_image, digest), .required = true },
};
static const struct json_object digest_object = JSON_OBJECT("image", struct answer_image, digest_fields, false);
static const struct json_field critical_fields[] = {
	{ "identity", FIELD_OBJ, offsetof(struct answer_critical, identity), .object = &reference_object },
	{ "image", FIELD_OBJ, offsetof(struct answer_critical, image), .required = true, .object = &digest_object },
};
static const struct json_object critical_object = JSON_OBJECT("critical", struct answer_critical, critical_fields, false);
static const struct json_field answer_fields[] = {
	{ "critical", FIELD_OBJ, offsetof(struct answer, critical), .required = true, .object = &critical_object },
};
static const struct json_object answer_object = JSON_OBJECT("a signature", struct answer, answer_fields, false);
static const struct json_field answers_fields[] = {
	{ "all", FIELD_OBJV, offsetof(struct answers, all), .required = true, .object = &answer_object },
};
static const struct json_object answers_object = JSON_OBJECT("what cosign says", struct answers, answers_fields, false);

/* What is verified: an image in a registry, or a layout directory. */
struct subject {
	const struct image_store *store;
	const char *name, *digest, *dir;
	const struct remote *remote;
	char *repository;
};

/* Is one of the verified signatures for this digest under this name? */
static int check_answers(const struct subject *s, const struct rule *rule, const struct str *out, struct err *err)
{
	_str_ text = STR_INIT;
	struct answers answers = { 0 };
	bool is_other = false, fits = false;
	int r;

	str_addf(&text, "{\"all\":%s}", out->len > 0 ? out->buf : "[]");
	r = json_decode(text.buf, text.len, &answers_object, &answers, err);
	for (size_t i = 0; r == 0 && i < answers.all.len; i++) {
		const struct answer_critical *c = &answers.all.items[i].critical;
		_free_ char *clean = NULL;
		_free_ char *repository = NULL;

		if (!str_eq(c->image.digest, s->digest))
			continue;
		if (c->identity.reference != NULL && name_clean(c->identity.reference, &clean, NULL) == 0)
			repository = name_repository(clean);
		if (rule->any_repository || (repository != NULL && str_eq(repository, s->repository)))
			fits = true;
		else
			is_other = true;
	}
	json_release(&answers_object, &answers);
	if (r < 0)
		return err_wrap(err, "cannot verify '%s'", s->name);
	if (fits)
		return 0;
	return err_set(err, EACCES, "not-signed", is_other ? "the signature is for an image of another repository" :
	               "the signature is for another image");
}

static int run_cosign(const struct subject *s, const struct rule *rule, const struct strv *who, struct err *err)
{
	static const struct helper cosign = { "cosign", "verifies signatures", "cosign (Debian 13; tools/install-cosign "
	                                      "brings it to others)", PTERM_LIBEXECDIR "/cosign/cosign" };
	_strv_ argv = { 0 };
	_str_ out = STR_INIT;
	struct helper_run run = { .argv = &argv, .out = &out, .out_max = ANSWER_MAX };
	int r;

	strv_push(&argv, "cosign");
	strv_push(&argv, "verify");
	for (size_t i = 0; i < who->len; i++)
		strv_push(&argv, who->items[i]);
	strv_push(&argv, "--output=json");
	if (s->remote != NULL && s->remote->tls_verify != NULL && str_eq(s->remote->tls_verify, "false")) {
		strv_push(&argv, "--allow-insecure-registry");
		strv_push(&argv, "--allow-http-registry");
	}
	if (s->dir != NULL) {
		strv_push(&argv, "--local-image");
		strv_push(&argv, s->dir);
	} else {
		strv_pushf(&argv, "%s@%s", s->repository, s->digest);
	}
	r = helper_run(&cosign, &run, "verify", s->name, err);
	return r < 0 ? r : check_answers(s, rule, &out, err);
}

static int try_key(const struct subject *s, const struct rule *rule, const char *key, char **ret, struct err *err)
{
	_free_ char *path = in_images(s->store, key);
	_fd_ fd = open(path, O_RDONLY | O_CLOEXEC);
	_strv_ who = { 0 };
	char hex[DIGEST_HEX + 1];
	int r;

	if (fd < 0)
		return err_set(err, errno, "image-policy", "cannot read the key '%s': %m", path);
	strv_pushf(&who, "--key=%s", path);
	strv_push(&who, "--insecure-ignore-tlog=true");          /* the key is ours: no log has to vouch for it */
	r = run_cosign(s, rule, &who, err);
	if (r == 0)
		r = tree_digest_of(s->store->tree_program, fd, hex, err);
	if (r == 0)
		*ret = xasprintf("key %s (sha256:%.16s)", path_base(path), hex);
	return r;
}

static int try_identity(const struct subject *s, const struct rule *rule, const struct identity *id, char **ret,
                        struct err *err)
{
	_strv_ who = { 0 };
	int r;

	strv_pushf(&who, "--certificate-oidc-issuer=%s", id->issuer);
	strv_pushf(&who, "--certificate-identity=%s", id->subject);
	r = run_cosign(s, rule, &who, err);
	if (r == 0)
		*ret = xasprintf("%s, known to %s", id->subject, id->issuer);
	return r;
}

/* One of them is enough; the last reason is told. */
static int try_all(const struct subject *s, const struct rule *rule, char **ret, struct err *err)
{
	int r = -EACCES;

	for (size_t i = 0; i < rule->keys.len && r < 0 && r != -ENOENT; i++)
		r = try_key(s, rule, rule->keys.items[i], ret, err);
	for (size_t i = 0; i < rule->identities.len && r < 0 && r != -ENOENT; i++)
		r = try_identity(s, rule, &rule->identities.items[i], ret, err);
	return r;
}

static int verify(const struct subject *s, char **ret_signed_by, struct err *err)
{
	_policy_ p = { 0 };
	_err_ why = ERR_INIT;
	const struct rule *rule;
	int asked, r = policy_read(s->store, &p, err);

	*ret_signed_by = NULL;
	if (r < 0)
		return r;
	rule = rule_for(&p, s->repository);
	asked = rule ? rule->signatures : p.otherwise;
	if (asked == TRUST_OFF)
		return 0;
	r = rule ? try_all(s, rule, ret_signed_by, &why)
	         : err_set(&why, EACCES, "image-policy", "no rule says whose signature counts");
	if (r == 0)
		return 0;
	if (asked == TRUST_WARN) {
		progress_step(s->store->progress, "warning: image '%s' (%.19s) has no signature that images/policy.json asks for: %s",
		              s->name, s->digest, err_msg(&why));
		return 0;
	}
	return err_set(err, EACCES, "not-signed", "image '%s' (%.19s) is refused: images/policy.json requires a signature, and "
	               "none was verified: %s", s->name, s->digest, err_msg(&why));
}

int trust_verify(const struct image_store *store, const char *name, const char *digest, const struct remote *remote,
                 char **ret_signed_by, struct err *err)
{
	_free_ char *repository = name_repository(name);
	const struct subject s = { store, name, digest, NULL, remote, repository };

	return verify(&s, ret_signed_by, err);
}

int trust_verify_layout(const struct image_store *store, const char *name, const char *digest, const char *dir,
                        char **ret_signed_by, struct err *err)
{
	_free_ char *repository = name_repository(name);
	const struct subject s = { store, name, digest, dir, NULL, repository };

	return verify(&s, ret_signed_by, err);
}
