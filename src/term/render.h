/*
 * From a state back to bytes. What is written is tried on a copy while it is written, so that it is known at every
 * point where the
 * other terminal stands, and in the end whether it got there.
 */
#pragma once

#include "term/screen.h"

/*
 * Append what brings a terminal that shows @from (of the same size) to @to: what both have in common is not written.
 * False when the
 * two are of different sizes (then nothing is written), or when something is left that no sequence can express.
 */
bool render_difference(const struct screen *from, const struct screen *to, struct str *out);
/*
 * Append what makes any terminal of the same size show @s and go on as @s would: both screens, modes, margins, tab
 * stops, saved cursors,
 * titles, colours, keyboard flags, and what is unfinished. It resets the terminal by parts, never with RIS, which
 * would take away the
 * history above.
 */
void render_full(const struct screen *s, struct str *out);
/*
 * What brings a terminal out of all of that: modes and margins as they are in the beginning, the main screen,
 * nothing cleared.
 */
void render_leave(struct str *out);
/*
 * A copy that is cut or extended to @rows and @cols, for a viewer whose window has another size: the part around the
 * cursor, so
 * that the person sees where they type. Lines are not wrapped anew.
 */
struct screen *screen_crop(const struct screen *s, unsigned rows, unsigned cols);
