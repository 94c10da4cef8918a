/*
 * A screen as a picture: one SVG that needs nothing else, with colours, attributes, wide characters, links and the
 * cursor. Text stays text: it can be selected and searched.
 */
#pragma once

#include "term/screen.h"

void svg_add(const struct screen *s, const char *title, struct str *out);        /* @title: may be NULL */
