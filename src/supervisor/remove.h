/*
 * Removing a session: its directory vanishes from the list at once, then what is in it, and what its engine keeps.
 */
#pragma once

#include "supervisor/house.h"

/*
 * Remove session @id, which has ended; the caller holds its lock. One cut short leaves sessions/.rm-ID, which
 * session_remove_rest finishes. 0 or -errno: see @err.
 */
int session_remove(const struct house *h, const char *id, struct err *err);
/* Undo the making of session @id, which never ran and lies in @dir ("ID" or ".new-ID"); the caller holds its lock. */
void session_unmake(const struct house *h, const char *id, const char *dir);
/* Finish removals, and clear away sessions whose making was cut short. Never touches what is in use. */
void session_remove_rest(const struct house *h);
/* Is sessions/@dir (".rm-ID", ".new-ID") one whose remover or maker is gone? */
bool session_is_abandoned(const struct house *h, const char *dir);
