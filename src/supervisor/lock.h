/*
 * Who may change a session's directory. Its file `lock` is held by the supervisor for life (whoever starts one takes
 * it and hands it over), and by whoever settles, renames or removes an ended session. To look whether it is free is
 * to hold it for a moment, so everybody does that under the guard, a lock on the directory itself: nobody then takes
 * a look for an owner.
 */
#pragma once

/* What a supervisor is started with: its first connection, the lock, and the listening control.sock. */
enum { SUPERVISOR_CONTROL_FD = 3, SUPERVISOR_LOCK_FD, SUPERVISOR_LISTEN_FD };

/*
 * Wait for the guard of the directory @dir_fd; closing what is returned gives it back. -1 on a file system that locks
 * no directories (NFS): go on without. It is held for moments, or for as long as settling a lost session takes.
 */
int session_guard(int dir_fd);
/* The lock, under the guard: a descriptor; -EBUSY when somebody has it; -errno. */
int session_lock(int dir_fd);
/* As session_lock, but wait: for a supervisor that has written its last and only has to exit. */
int session_lock_wait(int dir_fd);
