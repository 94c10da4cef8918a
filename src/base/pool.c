#include "base/pool.h"

#include "base/list.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <uv.h>

enum {
	IDLE_SECONDS = 10,               /* a thread without work ends */
	WAITING_PER_THREAD = 16,         /* more than so many that wait for each thread are refused */
	STACK_SIZE = 512 * 1024,
};

struct job { struct link link; pool_fn *work, *done; void *data; };

struct pool {
	uv_async_t async;
	pthread_mutex_t lock;
	pthread_cond_t has_work, has_changed;
	struct link waiting, finished;   /* of struct job */
	unsigned threads, threads_max, idle, waiting_count;
	bool is_ending;
};

static struct job *take_first(struct link *list)
{
	struct job *j = container_of(list->next, struct job, link);

	link_remove(&j->link);
	return j;
}

/* Under the lock: wait for work. False: there was none for so long. */
static bool await_work(struct pool *p)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	p->idle++;
	while (link_empty(&p->waiting) && !p->is_ending && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&p->has_work, &p->lock, &until);
	p->idle--;
	return !link_empty(&p->waiting);
}

static void *work(void *pool)
{
	struct pool *p = pool;

	pthread_mutex_lock(&p->lock);
	while (await_work(p)) {
		struct job *j = take_first(&p->waiting);

		p->waiting_count--;
		pthread_mutex_unlock(&p->lock);
		j->work(j->data);
		pthread_mutex_lock(&p->lock);
		link_add_tail(&p->finished, &j->link);
		uv_async_send(&p->async);
	}
	p->threads--;
	pthread_cond_signal(&p->has_changed);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void on_finished(uv_async_t *async)
{
	struct pool *p = async->data;
	struct link done;

	link_init(&done);
	pthread_mutex_lock(&p->lock);
	while (!link_empty(&p->finished))
		link_add_tail(&done, &take_first(&p->finished)->link);
	pthread_mutex_unlock(&p->lock);
	while (!link_empty(&done)) {
		struct job *j = take_first(&done);

		j->done(j->data);
		free(j);
	}
}

struct pool *pool_new(struct uv_loop_s *loop, unsigned threads_max)
{
	struct pool *p = xcalloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (uv_async_init(loop, &p->async, on_finished) < 0) {
		free(p);
		return NULL;
	}
	p->async.data = p;
	p->threads_max = threads_max;
	link_init(&p->waiting);
	link_init(&p->finished);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->has_work, &attr);
	pthread_cond_init(&p->has_changed, NULL);
	pthread_condattr_destroy(&attr);
	return p;
}

/* Under the lock. Signals are for the loop's thread. */
static void start_thread(struct pool *p)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, &attr, work, p) == 0)
		p->threads++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}

int pool_run(struct pool *p, pool_fn *work_fn, pool_fn *done, void *data)
{
	struct job *j = xcalloc(1, sizeof(*j));
	int r = 0;

	*j = (struct job){ .work = work_fn, .done = done, .data = data };
	pthread_mutex_lock(&p->lock);
	if (!p->is_ending && p->idle <= p->waiting_count && p->threads < p->threads_max)
		start_thread(p);
	if (p->is_ending || p->threads == 0 || p->waiting_count >= p->threads_max * WAITING_PER_THREAD) {
		free(j);
		r = -EAGAIN;
	} else {
		link_add_tail(&p->waiting, &j->link);
		p->waiting_count++;
		pthread_cond_signal(&p->has_work);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

struct pool *pool_free(struct pool *p)
{
	if (p == NULL)
		return NULL;
	pthread_mutex_lock(&p->lock);
	p->is_ending = true;
	pthread_cond_broadcast(&p->has_work);
	while (p->threads > 0)
		pthread_cond_wait(&p->has_changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	on_finished(&p->async);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->has_work);
	pthread_cond_destroy(&p->has_changed);
	uv_close((uv_handle_t *)&p->async, on_closed);
	return NULL;
}
