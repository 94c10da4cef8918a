/*
 * A Containerfile before it is built: where it is, which images it stands on, and the image of the store that it makes.
 */
#pragma once

#include "service/images-build.h"

/*
 * The Containerfile @file (NULL: Containerfile or Dockerfile in @context) and the directory @context as absolute paths
 * without links, the caller's. 0 or -errno.
 */
int containerfile_find(const char *context, const char *file, char **ret_context, char **ret_file, struct err *err);
/* The text of one. 0 or -errno. */
int containerfile_read(const char *file, struct str *ret, struct err *err);
/* The images that it names, but for its own stages, "scratch" and those that an argument names. @text is cut up. */
void containerfile_bases(char *text, struct strv *ret);

/*
 * Make sure that there is the image that @b gives (.name is not used); *ret is its name, the caller's. The name is a digest
 * of the Containerfile, its context's path, arguments and target, and of the images that it stands on, as they are in the
 * store (pulled where they are not): so what has changed is built anew, and nothing else. What it copies is not looked
 * at. Two that want the same build it once. 0 or -errno.
 */
int containerfile_image(const struct house *h, const struct images_build *b, char **ret, struct err *err);
