/*
 * Reading a session's journal, once or for as long as it grows.
 */
#pragma once

#include "base/json.h"

#include <sys/types.h>

/* One line of events.jsonl. */
struct entry { uint64_t time_ms; char *time, *event, *session, *name, *text; int64_t number; };
extern const struct json_object entry_object;
void entry_release(struct entry *e);
/* A line without its end. 0; or -EINVAL: it is none, and @ret is empty. */
int entry_parse(const char *line, size_t n, struct entry *ret);

struct entry_list { struct entry *items; size_t len, cap; };
void entry_list_release(struct entry_list *l);
#define _entry_list_ _cleanup_(entry_list_release) struct entry_list
/* By time; those of the same time stay in their order. */
void entry_list_sort(struct entry_list *l);

struct follow { int dir_fd, fd; off_t at; };      /* borrowed; the journal, -1 when there is none yet; what was read of it */

void follow_init(struct follow *f, int dir_fd);
void follow_fini(struct follow *f);
/*
 * Append the whole lines that were not read before, also where the journal was cut by half (event/journal.h)
 * meanwhile: nothing comes twice. 0 or -errno.
 */
int follow_read(struct follow *f, struct entry_list *ret);
