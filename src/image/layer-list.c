#include "image/layer-list.h"

#include "image/whiteout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

char list_kind(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG: return 'f';
	case S_IFDIR: return 'd';
	case S_IFLNK: return 'l';
	case S_IFIFO: return 'p';
	case S_IFCHR: return whiteout_is_node(st) ? 'w' : '\0';
	default: return '\0';
	}
}

int list_record_read(const char *text, struct list_record *ret)
{
	int digest = 0, path = 0;

	*ret = (struct list_record){ 0 };
	if (sscanf(text, "%c %o %" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNd64 " %n%*s%n", &ret->kind, &ret->mode, &ret->uid,
	           &ret->gid, &ret->size, &ret->mtime_ns, &digest, &path) != 6 || path == 0 || text[path] != ' ' ||
	    text[path + 1] == '\0' || strchr("fdolpw", ret->kind) == NULL)
		return -EINVAL;
	ret->digest = text + digest;
	ret->path = text + path + 1;
	return 0;
}

void list_record_write(struct str *out, const struct list_record *r)
{
	str_addf(out, "%c %o %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRId64 " %s %s", r->kind, r->mode, r->uid, r->gid, r->size,
	         r->mtime_ns, r->digest, r->path);
	str_addc(out, '\0');
}
