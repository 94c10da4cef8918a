#include "service/copy.h"

#include "image/copy.h"

#include <errno.h>

/* Who a session's files are reached through, and who owns what is made there. */
struct inside_end { pid_t init; uid_t uid; gid_t gid; };

static int find_inside(const struct session *s, struct inside_end *ret, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	_cleanup_(status_release) struct status now = { 0 };
	int r = session_ask_status(s, &now, err);

	if (r == 0)
		r = spec_read(s->fd, "spec.json", &spec, err);
	if (r < 0)
		return r;
	if (now.init_pid <= 0)
		return err_set(err, EAGAIN, "not-running", "session '%s' is %s: its files cannot be reached now", s->status.name,
		               status_states[now.state]);
	*ret = (struct inside_end){ (pid_t)now.init_pid, (uid_t)spec.user.uid, (gid_t)spec.user.gid };
	return 0;
}

int session_copy_in(const struct house *h, const struct session *s, const char *host_path, const char *path, struct err *err)
{
	struct inside_end e;
	const int r = find_inside(s, &e, err);

	return r < 0 ? r : copy_in(h->tree_program, e.init, host_path, path, e.uid, e.gid, err);
}

int session_copy_out(const struct house *h, const struct session *s, const char *path, const char *host_path,
                     struct err *err)
{
	struct inside_end e;
	const int r = find_inside(s, &e, err);

	return r < 0 ? r : copy_out(h->tree_program, e.init, path, host_path, err);
}

int session_copy_in_tar(const struct house *h, const struct session *s, int in_fd, const char *path, struct err *err)
{
	struct inside_end e;
	const int r = find_inside(s, &e, err);

	return r < 0 ? r : copy_in_tar(h->tree_program, e.init, in_fd, path, e.uid, e.gid, err);
}

int session_copy_out_tar(const struct house *h, const struct session *s, const char *path, int out_fd, struct err *err)
{
	struct inside_end e;
	const int r = find_inside(s, &e, err);

	return r < 0 ? r : copy_out_tar(h->tree_program, e.init, path, out_fd, err);
}
