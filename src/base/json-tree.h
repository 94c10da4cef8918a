/*
 * JSON as a tree in which every value knows where it stands, for what people write: each error names file, line and
 * column, also one that is found long after the reading. Strict (RFC 8259), and stricter: a key stands once, no string
 * holds NUL, text is valid UTF-8. For what programs write to each other there is base/json.h.
 */
#pragma once

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

enum { JSON_TEXT_MAX = 1024 * 1024, JSON_DEPTH_MAX = 64, JSON_KEYS_MAX = 4096 };

enum node_kind { NODE_NULL, NODE_BOOL, NODE_INT, NODE_REAL, NODE_STRING, NODE_LIST, NODE_MAP };

/* Lines and columns count from 1; a column is a character, a tab is one. @file is borrowed. */
struct json_at { const char *file; int line, column; };

struct json_node {
	enum node_kind kind;
	struct json_at at;               /* its first character */
	char *key;                       /* in a map, else NULL; owned */
	struct json_at key_at;
	bool truth;                      /* BOOL */
	int64_t number;                  /* INT */
	double real;                     /* INT too */
	char *text;                      /* STRING; owned */
	VEC(struct json_node *) items;   /* LIST, and MAP in the order of the file; owned */
};

/*
 * Read @text. @file is what errors call it, and must outlive the tree. The root, the caller's, or NULL with
 * "FILE:LINE:COLUMN: …" in @err (EINVAL; EFBIG beyond JSON_TEXT_MAX).
 */
struct json_node *json_tree_parse(const char *text, size_t n, const char *file, struct err *err);
/* The same of a file: @path is also its name in errors. ENOENT is told as such. */
struct json_node *json_tree_read(int dirfd, const char *path, const char *file, struct err *err);
struct json_node *json_tree_free(struct json_node *n);    /* NULL is fine; returns NULL */
DEFINE_FREEP(struct json_node, json_tree_free)
#define _json_tree_ _cleanup_(json_tree_freep) struct json_node

/* A value of its own, with all below it. */
struct json_node *json_tree_copy(const struct json_node *n);
/* The value of @key in a map, or NULL; also for what is no map. */
struct json_node *json_tree_get(const struct json_node *map, const char *key);
/* Take the value of @key out of a map: the caller's, or NULL. */
struct json_node *json_tree_take(struct json_node *map, const char *key);
/* Fill @err with "FILE:LINE:COLUMN: …": -EINVAL. */
int json_at_error(const struct json_at *at, struct err *err, const char *fmt, ...) _printf_(3, 4);
/* As compact JSON. */
void json_tree_write(const struct json_node *n, struct str *out);
