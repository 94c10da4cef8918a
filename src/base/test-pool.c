#include "base/pool.h"

#include "base/test.h"

#include <errno.h>
#include <pthread.h>
#include <uv.h>

enum { JOBS = 500, THREADS = 4 };

struct gate { pthread_mutex_t lock; pthread_cond_t moved; int inside, most, open_at; };

struct job { struct gate *gate; pthread_t *loop_thread; int ran, done; };

/* In a thread: wait until as many are here as may be at once, so that "at most" and "at least" are both seen. */
static void work(void *data)
{
	struct job *j = data;
	struct gate *g = j->gate;

	pthread_mutex_lock(&g->lock);
	g->inside++;
	g->most = g->inside > g->most ? g->inside : g->most;
	pthread_cond_broadcast(&g->moved);
	while (g->most < g->open_at)
		pthread_cond_wait(&g->moved, &g->lock);
	g->inside--;
	pthread_mutex_unlock(&g->lock);
	j->ran += pthread_equal(pthread_self(), *j->loop_thread) ? 100 : 1;
}

static void done(void *data)
{
	struct job *j = data;

	j->done += j->ran == 1 && pthread_equal(pthread_self(), *j->loop_thread) ? 1 : 100;
}

TEST(work_is_done_in_threads_and_told_in_the_loop)
{
	struct gate gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .open_at = THREADS };
	pthread_t self = pthread_self();
	struct job jobs[JOBS] = { 0 };
	struct pool *pool;
	int refused = 0;
	uv_loop_t loop;

	ASSERT_EQ(uv_loop_init(&loop), 0);
	pool = pool_new(&loop, THREADS);
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ .gate = &gate, .loop_thread = &self };
		if (pool_run(pool, work, done, &jobs[i]) == -EAGAIN) {
			jobs[i].done = 1;
			refused++;
		}
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	pool = pool_free(pool);                  /* waits for all of them */
	for (int i = 0; i < JOBS; i++)
		ASSERT_EQ(jobs[i].done, 1);
	ASSERT_EQ(gate.most, THREADS);
	ASSERT(refused < JOBS - THREADS);
	uv_run(&loop, UV_RUN_DEFAULT);
	ASSERT_EQ(uv_loop_close(&loop), 0);      /* nothing is left open */
}

TEST(too_much_is_refused)
{
	struct gate gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .open_at = 2 };
	pthread_t self = pthread_self();
	struct job jobs[100] = { 0 };
	int taken = 0;
	uv_loop_t loop;
	struct pool *pool;

	ASSERT_EQ(uv_loop_init(&loop), 0);
	pool = pool_new(&loop, 1);               /* its one thread waits at the gate */
	for (size_t i = 0; i < array_len(jobs); i++) {
		jobs[i] = (struct job){ .gate = &gate, .loop_thread = &self };
		taken += pool_run(pool, work, done, &jobs[i]) == 0;
	}
	ASSERT(taken >= 16 && taken <= 17);      /* 16 wait, and one may be at the gate already */
	pthread_mutex_lock(&gate.lock);
	gate.most = 2;
	pthread_cond_broadcast(&gate.moved);
	pthread_mutex_unlock(&gate.lock);
	pool_free(pool);
	for (size_t i = 0; i < array_len(jobs); i++)
		ASSERT_EQ(jobs[i].done, i < (size_t)taken);
	uv_run(&loop, UV_RUN_DEFAULT);
	ASSERT_EQ(uv_loop_close(&loop), 0);
}
