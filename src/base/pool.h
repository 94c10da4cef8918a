/*
 * Work that may block, done in threads while a loop goes on. A thread is started when work comes and no thread is
 * free, up to a maximum, and ends when it has had nothing to do for a while; what comes beyond waits in order.
 *
 * What runs in a thread uses only what is safe there: no chdir, no umask, no environment that is changed, and
 * nothing of libuv's.
 */
#pragma once

#include "base/macros.h"

struct uv_loop_s;
struct pool;

typedef void pool_fn(void *data);

/* NULL when the loop cannot. */
struct pool *pool_new(struct uv_loop_s *loop, unsigned threads_max);
/*
 * Run @work(data) in a thread, then @done(data) in the loop. Called in the loop. 0; -EAGAIN: no thread is free,
 * none can be made, and so much waits already that this had better be refused.
 */
int pool_run(struct pool *p, pool_fn *work, pool_fn *done, void *data);
/* Wait for all that runs, calling what is done; then it is gone. Blocks. NULL is fine. */
struct pool *pool_free(struct pool *p);
