/*
 * A session's events on disk: events.jsonl, one JSON object a line, appended whole, of limited size (the older half
 * goes).
 */
#pragma once

#include "base/str.h"
#include "event/hub.h"

enum { JOURNAL_MAX = 512 * 1024 };

/*
 * A sink for hub_join with &dirfd as data: what cannot be written is lost silently, an event must not end a session.
 */
void journal_write(const struct event *ev, void *dirfd);
/* Append one event to events.jsonl in @dirfd. 0 or -errno. */
int journal_append(int dirfd, const struct event *ev);
