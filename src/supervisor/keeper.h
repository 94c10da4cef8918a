/*
 * The supervisor's end of its keeper (main/pterm-keeper.c): started once the session's command runs, given new
 * handles whenever they change, released when the session has ended. Each replaces the other when it is killed.
 */
#pragma once

#include "wire/keeper.h"

#include <sys/types.h>

struct supervisor;
struct watch;

struct keeper { int leash; pid_t pid; struct watch *watch; };

/* What was handed over to a supervisor that adopts: our own now, -1 where there is none. */
struct handles { int leash, fds[HANDLE_COUNT]; };

/*
 * Give the keeper what there is now; start one if there is none. Fails silently: a session lives without one, less
 * safely.
 */
void keeper_hold(struct supervisor *s);
/*
 * The same by a keeper of this build, in the place of the one that there is (after an upgrade), if it can be started.
 */
void keeper_renew(struct supervisor *s);
/* The session has ended: let it go, and wait until it is gone. */
void keeper_release(struct supervisor *s);
/* Go on with the keeper that started us (@leash; -1: none). */
void keeper_adopt(struct supervisor *s, int leash);

/*
 * Become @program, another build's supervisor, in this very process: it finds the handles and goes on. Returns only
 * when that did not work: -errno, and nothing has changed.
 */
int keeper_exec(struct supervisor *s, const char *program);
