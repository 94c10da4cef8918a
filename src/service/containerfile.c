#include "service/containerfile.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/layout.h"
#include "image/name.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <stdio.h>

enum { CONTAINERFILE_MAX = 1 << 20 };

int containerfile_find(const char *context, const char *file, char **ret_context, char **ret_file, struct err *err)
{
	static const char *const usual[] = { "Containerfile", "Dockerfile" };
	_free_ char *dir = NULL;
	_free_ char *found = NULL;
	char real[4096];

	if (realpath(context, real) == NULL)
		return err_set(err, errno, "build", "cannot use the context '%s': %m", context);
	if (str_eq(real, "/"))
		return err_set(err, EINVAL, "build", "the context cannot be the root directory: name a directory with what the build "
		               "copies");
	dir = xstrdup(real);
	for (size_t i = 0; i < array_len(usual) && file == NULL && found == NULL; i++) {
		_free_ char *path = path_join(dir, usual[i]);

		if (path_exists(AT_FDCWD, path))
			found = TAKE(path);
	}
	if (file != NULL) {
		if (realpath(file, real) == NULL)
			return err_set(err, errno, "build", "cannot read '%s': %m", file);
		found = xstrdup(real);
	}
	if (found == NULL)
		return err_set(err, ENOENT, "build", "there is neither a Containerfile nor a Dockerfile in '%s': name one with -f", dir);
	*ret_context = TAKE(dir);
	*ret_file = TAKE(found);
	return 0;
}

int containerfile_read(const char *file, struct str *ret, struct err *err)
{
	const int r = file_read(AT_FDCWD, file, CONTAINERFILE_MAX, ret);

	return r < 0 ? err_set(err, -r, "build", "cannot read '%s': %m", file) : 0;
}

/* --- what FROM names --- */

/* The next word of a line; NULL at its end. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t");

	if (*word == '\0')
		return NULL;
	*line = word + strcspn(word, " \t");
	if (**line != '\0')
		*(*line)++ = '\0';
	return word;
}

static bool has(const struct strv *v, const char *text)
{
	for (size_t i = 0; i < v->len; i++)
		if (strcasecmp(v->items[i], text) == 0)
			return true;
	return false;
}

void containerfile_bases(char *text, struct strv *ret)
{
	_strv_ stages = { 0 };
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char *word;

		line[strcspn(line, "\r")] = '\0';
		word = next_word(&line);
		if (word == NULL || strcasecmp(word, "FROM") != 0)
			continue;
		do
			word = next_word(&line);
		while (word != NULL && word[0] == '-');
		if (word == NULL)
			continue;
		if (!has(&stages, word) && strcasecmp(word, "scratch") != 0 && strchr(word, '$') == NULL && !has(ret, word))
			strv_push(ret, word);
		word = next_word(&line);
		if (word != NULL && strcasecmp(word, "AS") == 0 && (word = next_word(&line)) != NULL)
			strv_push(&stages, word);
	}
}

/* --- the image it makes --- */

/* The image @base and its digest, as one line. One that is not here is pulled, so that its line is the same next time. */
static int add_base(const struct house *h, const char *base, struct str *text, struct err *err)
{
	static const struct remote plain;
	const struct image_store store = images_store(h);
	struct oci_descriptor d = { 0 };
	int r = image_find(&store, base, &d, err);

	if (r == -ENOENT)
		r = images_pull(h, base, &plain, &d, err);
	if (r >= 0)
		str_addf(text, "from %s %s\n", base, d.digest);
	oci_descriptor_release(&d);
	return r < 0 ? r : 0;
}

static int name_of(const struct house *h, const struct images_build *b, char **ret, struct err *err)
{
	_free_ char *context = NULL;
	_free_ char *file = NULL;
	_strv_ bases = { 0 };
	_str_ recipe = STR_INIT;
	_str_ text = STR_INIT;
	int r = containerfile_find(b->context, b->file, &context, &file, err);

	if (r == 0)
		r = containerfile_read(file, &recipe, err);
	if (r < 0)
		return r;
	str_addf(&text, "%s\n%s\n%s\n", context, b->target ? b->target : "", recipe.buf);
	for (size_t i = 0; i < b->args.len; i++)
		str_addf(&text, "argument %s\n", b->args.items[i]);
	containerfile_bases(recipe.buf, &bases);
	for (size_t i = 0; i < bases.len && r == 0; i++)
		r = add_base(h, bases.items[i], &text, err);
	return r < 0 ? r : images_name_by(h, "build", &text, ret, err);
}

int containerfile_image(const struct house *h, const struct images_build *b, char **ret, struct err *err)
{
	const struct image_store store = images_store(h);
	struct oci_descriptor d = { 0 };
	struct images_build named = *b;
	_free_ char *name = NULL;
	_fd_ lock = -1;
	int r = layout_open(&store, err);

	if (r == 0)
		r = name_of(h, b, &name, err);
	lock = r < 0 ? r : layout_lock(&store, name, err);
	if (lock < 0)
		return lock;
	named.name = name;
	r = image_find(&store, name, &d, NULL);
	if (r == -ENOENT)
		r = images_build(h, &named, &d, err);
	oci_descriptor_release(&d);
	if (r < 0)
		return r;
	*ret = TAKE(name);
	return 0;
}
