/*
 * What a named volume holds when a session first uses it and nobody has put anything there: what the image has in
 * that place, as with docker.
 */
#pragma once

#include "base/err.h"
#include "engine/spec.h"

/*
 * In the sandbox process: fill @data, the volume's files, with what is at @v->target below @rootfs, owners and
 * modes included. Where the image has no such directory, it becomes @user's. A volume that is not empty is left as
 * it is; of two sessions that come at once, one fills it. @program is pterm-tree, opened; it says on @log what
 * goes wrong. All are borrowed. 0 or -errno: see @err. Blocks.
 */
int fill_volume(int program, int rootfs, const struct spec_volume *v, const struct spec_user *user, int data, int log,
                struct err *err);
