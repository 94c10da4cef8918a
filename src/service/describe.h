/*
 * What a launch takes from the configuration and from a template where the command line, or a request, says nothing.
 */
#pragma once

#include "config/config.h"
#include "config/template.h"
#include "service/launch.h"

/* $PTERM_HOME/templates, and the shipped ones. Both owned by @ret (templates_release). */
struct templates { struct template_dirs dirs; char *own, *shipped; };
void templates_of(const struct house *h, struct templates *ret);
void templates_release(struct templates *t);
#define _templates_ _cleanup_(templates_release) struct templates

/*
 * Read template @ref with the parameters @settings (KEY=VALUE; NULL: none), the caller's environment, and marks for id and name
 * of the session; *ret_mark is what launch.session_mark needs. Both are the caller's. 0 or -errno: see @err.
 */
int templates_load(const struct templates *t, const char *ref, const struct strv *settings, struct template *ret,
                   char **ret_mark, struct err *err);

/*
 * Fill in what @l does not say; @t, which @l points into from then on, has to outlive it. 0; -ENOTSUP for what a template asks and
 * no session can have yet.
 */
int launch_use_template(struct launch *l, const struct template *t, struct err *err);
/* Last: the values that hold where nobody said anything. */
void launch_use_config(struct launch *l, const struct config *c);
