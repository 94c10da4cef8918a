#include "cli/images.h"
#include "cli/open.h"
#include "cli/progress.h"

const char *const yes_or_no[] = { "true", "false", NULL };

const struct arg_option pull_rows[PULL_ROWS] = {
	REMOTE_OPTIONS(struct pull_options, remote),
	{ 'q', "quiet", NULL, "say nothing but the image", ARG_FLAG, offsetof(struct pull_options, quiet) },
};

struct remote images_remote(const struct remote_options *o)
{
	return (struct remote){ .tls_verify = o->has_tls_verify ? yes_or_no[o->tls_verify] : NULL, .creds = o->creds,
	                        .authfile = o->authfile, .cert_dir = o->cert_dir };
}

int images_open(struct house *ret, bool is_quiet, struct err *err)
{
	const int r = house_open(ret, err);

	ret->progress = is_quiet ? NULL : progress_show();
	return r;
}

int images_print(const struct oci_descriptor *d, struct err *err)
{
	_str_ out = STR_INIT;

	progress_clear();
	str_addf(&out, "%s %s\n", image_called(d), d->digest);
	return command_print(&out, err);
}

int images_run_pull(void *options, struct arg_words *words, struct err *err)
{
	const struct pull_options *o = options;
	const struct remote remote = images_remote(&o->remote);
	_house_ house = { 0 };
	int r = images_open(&house, o->quiet, err);

	for (size_t i = 0; i < words->len && r >= 0; i++) {
		struct oci_descriptor d = { 0 };

		r = images_pull(&house, words->items[i], &remote, &d, err);
		progress_clear();
		if (r == FETCHED_KNOWN)
			progress_step(house.progress, "'%s' is up to date", words->items[i]);
		if (r >= 0)
			r = images_print(&d, err);
		oci_descriptor_release(&d);
	}
	return r < 0 ? r : 0;
}
