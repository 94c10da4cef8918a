/*
 * What pterm-init says, which is input from a stranger: packets on a real lifeline, through the code that the supervisor runs.
 * The input is cut into packets of random lengths; the container must be told of a start, failure and end at most once.
 */
#include "base/fd.h"
#include "engine/inside.h"
#include "wire/init.h"

#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int started, failed, exited;

static void nothing(void *data) { }
static void on_started(void *data) { started++; }
static void on_failed(void *data, const struct err *err, int code) { failed++; }
static void on_exited(void *data, int status) { exited++; }
static void on_gone(void *data) { }
static void on_helper(void *data, pid_t pid, uint64_t start) { }
static void on_exec_started(void *data, uint32_t id, int tty) { fd_close(tty); }
static void on_exec_failed(void *data, uint32_t id, const struct err *err, int code) { }
static void on_exec_exited(void *data, uint32_t id, int status) { }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct place place = { .id = "0" };
	struct spec spec = { .rows = 24, .cols = 80 };
	struct container c = {
		.ops = engine_find("fake"), .spec = &spec, .place = &place, .log_fd = -1,
		.on = { .on_output = nothing, .on_writable = nothing, .on_started = on_started, .on_failed = on_failed,
		        .on_exited = on_exited, .on_gone = on_gone, .on_helper = on_helper,
		        .on_exec_started = on_exec_started, .on_exec_failed = on_exec_failed,
		        .on_exec_exited = on_exec_exited },
	};
	int init, master, slave;
	uv_loop_t loop;

	started = failed = exited = 0;
	uv_loop_init(&loop);
	c.loop = &loop;
	if (inside_open(&c, &init, NULL) < 0 || pty_open((struct term_size){ 24, 80 }, &master, &slave, NULL) < 0 ||
	    inside_set_console(&c, master, NULL) < 0)
		abort();
	while (n > 0) {
		size_t len = data[0] % (sizeof(struct init_message) + 8);
		char packet[sizeof(struct init_message) + 8];

		data++;
		n--;
		len = min_size(len, n);
		memcpy(packet, data, len);
		if (len >= 4 && (packet[0] & 1)) {               /* mostly get past the first check */
			const uint32_t magic = INIT_MAGIC;

			memcpy(packet, &magic, sizeof(magic));
			len = sizeof(struct init_message);
		}
		(void)send(init, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		data += min_size(len, n);
		n -= min_size(len, n);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	if (started > 1 || failed > 1 || exited > 1)
		abort();
	inside_close(&c);
	fd_close(init);
	fd_close(slave);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_loop_close(&loop);
	return 0;
}
