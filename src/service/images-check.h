/*
 * Damage in the store: found, named, mended.
 */
#pragma once

#include "service/images.h"

enum images_state { IMAGES_WHOLE, IMAGES_DAMAGED, IMAGES_MENDED, IMAGES_LOST };
extern const char *const images_states[];                /* "whole", "damaged", "mended", "lost" */

/* One blob or one unpacked layer of an image. */
struct images_part { char *image, *what, *why; int state; };
struct images_parts { struct { struct images_part *items; size_t len, cap; } all; size_t bad; };
void images_parts_release(struct images_parts *p);

/*
 * Read every byte of the images @refs (@count 0: all) and compare with their digests, and every unpacked layer with its
 * list. Where @mends, what is damaged is made anew: a layer from its blob, a blob from where it was pulled. Running
 * sessions keep what they have. 0 with @ret, whose .bad counts what is still damaged; or -errno.
 */
int images_check(const struct house *h, const char *const *refs, size_t count, bool mends, const struct remote *remote,
                 struct images_parts *ret, struct err *err);

/*
 * Before a session with this spec starts (again): its layers are there and look whole; one that does not is made anew,
 * from its blob or, where that is damaged too, fetched. 0 or -errno.
 */
int images_before_start(const struct house *h, const struct spec *spec, struct err *err);
