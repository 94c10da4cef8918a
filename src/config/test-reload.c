#include "config/reload.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

enum { DEADLINE_MS = 120000 };

struct world {
	uv_loop_t loop;
	uv_timer_t deadline;
	char dir[64];
	struct reload *reload;
	int calls;
	bool is_invalid;
	char message[256];
	int64_t keep;
};

static const char *no_variable(const char *name) { return NULL; }

static void on_change(void *data, const struct config *now, const struct err *err)
{
	struct world *w = data;

	w->calls++;
	w->is_invalid = err != NULL;
	snprintf(w->message, sizeof(w->message), "%s", err ? err_msg(err) : "");
	w->keep = config_number(now, OPTION_gc_keep, -1);
	uv_stop(&w->loop);
}

static void on_deadline(uv_timer_t *t)
{
	test_fail(__FILE__, __LINE__, "nothing came");
}

static void begin(struct world *w)
{
	_err_ err = ERR_INIT;

	*w = (struct world){ .dir = "/tmp/pterm-test-reload.XXXXXX" };
	ASSERT(mkdtemp(w->dir) != NULL);
	uv_loop_init(&w->loop);
	uv_timer_init(&w->loop, &w->deadline);
	uv_timer_start(&w->deadline, on_deadline, DEADLINE_MS, 0);
	ASSERT_OK(reload_new(&w->loop, w->dir, no_variable, on_change, w, &w->reload, &err));
}

static void end(struct world *w)
{
	w->reload = reload_free(w->reload);
	uv_close((uv_handle_t *)&w->deadline, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	ASSERT_EQ(uv_loop_close(&w->loop), 0);
	ASSERT_OK(path_remove_tree(AT_FDCWD, w->dir));
}

/* By a temporary file and a rename, as editors do; or in place. */
static void put(struct world *w, const char *name, const char *text, bool in_place)
{
	_free_ char *path = path_join(w->dir, name);
	_fd_ fd = -1;

	if (!in_place) {
		ASSERT_OK(file_write(AT_FDCWD, path, text, strlen(text), 0600));
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ASSERT(fd >= 0);
	ASSERT_OK(fd_write_all(fd, text, strlen(text)));
}

static void await_call(struct world *w, int call)
{
	while (w->calls < call)
		uv_run(&w->loop, UV_RUN_DEFAULT);
	ASSERT_EQ(w->calls, call);
}

TEST(a_valid_change_is_live)
{
	struct world w;

	begin(&w);
	ASSERT_EQ(config_number(reload_config(w.reload), OPTION_gc_keep, -1), -1);
	put(&w, "config.json", "{\"gc\":{\"keep\":1}}", false);
	await_call(&w, 1);
	ASSERT_EQ(w.keep, 1);
	put(&w, "config.json", "{\"gc\":{\"keep\":2},\"environment\":\"staging\"}", true);
	await_call(&w, 2);
	ASSERT_EQ(w.keep, 2);
	put(&w, "config.staging.json", "{\"gc\":{\"keep\":3}}", false);
	await_call(&w, 3);
	ASSERT_EQ(w.keep, 3);
	ASSERT_EQ(config_number(reload_config(w.reload), OPTION_gc_keep, -1), 3);
	end(&w);
}

TEST(an_invalid_change_is_told_and_the_last_good_one_stays)
{
	struct world w;

	begin(&w);
	put(&w, "config.json", "{\"gc\":{\"keep\":1}}", false);
	await_call(&w, 1);
	put(&w, "config.json", "{\"gc\":{\"kep\":2}}", false);
	await_call(&w, 2);
	ASSERT(w.is_invalid);
	ASSERT_STREQ(w.message + strlen(w.dir), "/config.json:1:8: unknown key 'gc.kep': did you mean 'keep'?");
	ASSERT_EQ(w.keep, 1);
	ASSERT_EQ(config_number(reload_config(w.reload), OPTION_gc_keep, -1), 1);
	put(&w, "config.json", "{\"gc\":{\"keep\":4}}", false);
	await_call(&w, 3);
	ASSERT(!w.is_invalid);
	ASSERT_EQ(w.keep, 4);
	end(&w);
}

TEST(a_file_that_goes_takes_its_values_along)
{
	struct world w;
	_free_ char *path = NULL;

	begin(&w);
	path = path_join(w.dir, "config.json");
	put(&w, "config.json", "{\"gc\":{\"keep\":1}}", false);
	await_call(&w, 1);
	ASSERT_EQ(unlink(path), 0);
	await_call(&w, 2);
	ASSERT_EQ(w.keep, -1);
	end(&w);
}

/* Other files, and a change that changes nothing, are no news: the next call is about the last. */
TEST(no_news_is_not_told)
{
	struct world w;

	begin(&w);
	put(&w, "config.json", "{\"gc\":{\"keep\":1}}", false);
	await_call(&w, 1);
	put(&w, "notes.txt", "x", false);
	put(&w, "config.production.json", "broken, but not of our environment", false);
	put(&w, "config.json", "{ \"gc\": { \"keep\": 1 } }", false);
	for (uint64_t until = uv_now(&w.loop) + 4 * RELOAD_SETTLE_MS; uv_now(&w.loop) < until;)
		uv_run(&w.loop, UV_RUN_NOWAIT);
	ASSERT_EQ(w.calls, 1);
	put(&w, "config.json", "{\"gc\":{\"keep\":2}}", false);
	await_call(&w, 2);
	ASSERT_EQ(w.keep, 2);
	end(&w);
}

TEST(an_invalid_configuration_is_no_start)
{
	struct world w;
	struct reload *second = NULL;
	_err_ err = ERR_INIT;

	begin(&w);
	put(&w, "config.json", "{", false);
	ASSERT(reload_new(&w.loop, w.dir, no_variable, on_change, &w, &second, &err) < 0);
	ASSERT(second == NULL);
	end(&w);
}
