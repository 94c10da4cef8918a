#pragma GCC diagnostic ignored "-Wmisleading-indentation"
#include "term/record.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
struct record { int fd; };
int record_open(struct record **ret, int dirfd, uint64_t max_bytes, uint64_t *ret_end, struct err *err)
{ struct record *r = xcalloc(1, sizeof(*r)); struct stat st; r->fd = openat(dirfd, "output.log", O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC, 0600);
 if (r->fd<0) return err_set(err, errno, "record", "x"); fstat(r->fd,&st); *ret_end=(uint64_t)st.st_size; *ret=r; return 0; }
int record_write(struct record *r, const void *data, size_t n, uint64_t now_ms) { return fd_write_all(r->fd, data, n); }
struct record *record_close(struct record *r) { if (r) { fd_close(r->fd); free(r);} return NULL; }
struct recording { int fd; };
int recording_open(struct recording **ret, int dirfd, struct err *err) { return 1; }
struct recording *recording_close(struct recording *r) { return NULL; }
uint64_t recording_first(struct recording *r) { return 0; }
uint64_t recording_end(struct recording *r) { return 0; }
ssize_t recording_read(struct recording *r, uint64_t *pos, void *out, size_t n, uint64_t *l) { return 0; }
uint64_t recording_time_at(struct recording *r, uint64_t pos) { return 0; }
uint64_t recording_position_at(struct recording *r, uint64_t ms) { return 0; }
