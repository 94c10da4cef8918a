#!/usr/bin/env bats
# The security audit: what a hostile command, another session, another user or a hostile image tries, and what stopped it. The
# promises are in docs/security.md. Most tests run in one session, `box`, through exec, which is confined like the rest.
# as: user root

load lib

setup_file() {
	load lib
	pterm_setup
	mkdir "$TOP/tools"
	cp "$PTERM_BUILD/test/hostile" "$TOP/tools/"
	chmod -R a+rX "$TOP/tools"
	# so that it is not the file's owner that stops anybody inside
	[ "$(id -u)" != 0 ] || [ "$WHO" = root ] || chown "$TEST_USER" "$TOP/bin/src/pterm-init"
	pterm new -d box -v "$TOP/tools:/tools:ro" -- sleep 100000
	pterm exec -T box /tools/hostile calls >"$TOP/calls"
}

teardown_file() { load lib; pterm_teardown; }

setup() { work=$(mktemp -d "$TOP/$WHO/w.XXXXXX"); give "$work"; }

# to whoever runs pterm
give() { [ "$WHO" = root ] || [ "$(id -u)" != 0 ] || chown -R "$TEST_USER:" "$@"; }
in_box() { pterm exec -T box "$@"; }
expect_calls() { # ERRNO NAME...
	local errno=$1 name
	shift
	for name; do grep -qx "$name $errno" "$TOP/calls" || { echo "$name: not $errno: $(grep "^$name " "$TOP/calls")"; return 1; }; done
}
writes_nothing() { ! in_box sh -c "echo x >$1" 2>/dev/null || { echo "$1 could be written"; return 1; }; }

# --- confinement as the kernel tells it ---

@test "capabilities are the exact set, in no other set more" { # crun: capabilities of config.json
	status=$(in_box cat /proc/self/status)
	for set in CapPrm CapEff CapBnd; do [[ $status == *"$set:	00000000800405fb"* ]]; done
	for set in CapInh CapAmb; do [[ $status == *"$set:	0000000000000000"* ]]; done
}

@test "no_new_privs and seccomp hold for the command, exec and exec -t" {
	for how in "exec -T box" "exec -t box" "new --rm --"; do
		run pterm $how cat /proc/self/status </dev/null
		[[ $output == *"NoNewPrivs:	1"* ]]
		[[ $output == *"Seccomp:	2"* ]]
	done
}

@test "all namespaces are the session's own" { # clone(CLONE_NEW*)
	for ns in user mnt pid net ipc uts cgroup; do
		[ "$(in_box readlink /proc/self/ns/$ns)" != "$(as "$WHO" readlink /proc/self/ns/$ns)" ]
	done
	[ "$(in_box sed -n 's/^0:://p' /proc/self/cgroup)" = / ]
}

@test "no id inside is host root, and root inside is nobody's root" { # the id map
	[ "$(in_box awk '{ if ($2 == 0) print }' /proc/self/uid_map)" = "" ]
	[ "$(in_box awk '{ if ($2 == 0) print }' /proc/self/gid_map)" = "" ]
}

# --- /proc and /sys ---

@test "/proc/sys and sysrq cannot be written" { # read-only bind mounts; host ids own them
	writes_nothing /proc/sys/kernel/core_pattern
	writes_nothing /proc/sys/kernel/modprobe
	writes_nothing /proc/sys/vm/drop_caches
	writes_nothing /proc/sysrq-trigger
	in_box mount | grep -q '^proc on /proc/sys .*(ro,'
}

@test "kernel memory, keys and timers are masked" { # masked paths
	in_box sh -c 'for f in /proc/kcore /proc/keys /proc/timer_list; do [ ! -e $f ] || [ -z "$(head -c 1 $f 2>/dev/null)" ] || echo $f; done' >"$work/seen"
	[ ! -s "$work/seen" ]
	[ "$(in_box sh -c 'ls /proc/acpi /sys/firmware /proc/scsi 2>/dev/null | grep -v :')" = "" ]
}

@test "/sys cannot be written, its cgroups included" { # a read-only sysfs of the session's own network namespace
	writes_nothing /sys/kernel/uevent_helper
	writes_nothing /sys/power/state
	writes_nothing /sys/fs/cgroup/cgroup.procs
	! in_box mkdir /sys/fs/cgroup/mine 2>/dev/null
}

@test "init shows nothing of itself: root, fd, environment, memory" { # PR_SET_DUMPABLE 0, and no CAP_SYS_PTRACE
	! in_box ls /proc/1/root/ 2>/dev/null
	! in_box readlink /proc/1/exe
	! in_box sh -c 'for f in /proc/1/fd/*; do readlink $f && exit; done; exit 1'
	! in_box sh -c 'echo x >/proc/1/fd/3' 2>/dev/null
	expect_calls EACCES open-1-mem open-1-environ
}

@test "init cannot be traced, and its lifeline not be taken" { # not dumpable, no CAP_SYS_PTRACE
	expect_calls EPERM ptrace-attach-1 ptrace-seize-1 vm-read-1 vm-write-1 getfd-1
}

@test "init cannot be killed or stopped" { # the kernel: PID 1 takes from inside only what it asked for (the rest it passes to the command)
	in_box sh -c 'for s in KILL STOP; do kill -$s 1; done'
	[ "$(in_box echo alive)" = alive ]
}

@test "pterm-init cannot be overwritten by any route" { # a read-only bind mount that is busy; no mount calls
	before=$(sha256sum <"$TOP/bin/src/pterm-init")
	for route in /dev/pterm-init /proc/1/exe /proc/1/map_files/400000-401000 /proc/1/root/dev/pterm-init; do writes_nothing $route; done
	! in_box sh -c 'rm -f /dev/pterm-init || mv /dev/pterm-init /tmp || chmod 777 /dev/pterm-init || ln -f /tools/hostile /dev/pterm-init' 2>/dev/null
	expect_calls EPERM remount-init umount-init
	[ "$(sha256sum <"$TOP/bin/src/pterm-init")" = "$before" ]
}

@test "CVE-2019-5736: no process of an exec offers a program of the host to write" { # nothing of the host's is executed inside but pterm-init, not dumpable
	in_box /tools/hostile catch-exe 400 >"$work/caught" &
	local catcher=$!
	for i in $(seq 20); do in_box true; done
	wait $catcher
	[[ $(cat "$work/caught") == *"looked-at 0 opened 0" ]]
}

# --- devices ---

@test "/dev holds exactly what is expected" { # a tmpfs filled by crun
	want="console core fd full mqueue null pterm-init ptmx pts random shm stderr stdin stdout tty urandom zero"
	[ "$(in_box ls /dev | tr '\n' ' ')" = "$want " ]
	[ "$(in_box sh -c 'find / -xdev -type b 2>/dev/null; find /dev -type b')" = "" ]
}

@test "device nodes cannot be made" { # the kernel: mknod of devices needs CAP_MKNOD in the first user namespace
	expect_calls EPERM mknod-block mknod-mem mknod-dev
}

@test "device nodes in a volume or an image are no devices" { # nodev
	skip_unless_root
	mkdir -p "$work/image/bin"
	cp /bin/busybox "$work/image/bin/sh" 2>/dev/null || skip "needs a static busybox"
	mknod "$work/null" c 1 3
	mknod "$work/image/null" c 1 3
	chmod 666 "$work/null" "$work/image/null"
	chmod 755 "$work" "$work/image"
	! pterm new --rm -v "$work:/v" -- sh -c 'echo x >/v/null' </dev/null
	! pterm new --rm --image "$work/image" -- sh -c 'echo x >/null' </dev/null
}

# --- privileges ---

@test "a setuid program of the image or a volume gives nothing" { # no_new_privs; nosuid on volumes
	cp "$TOP/tools/hostile" "$work/suid"
	chmod 4755 "$work/suid"
	chmod 755 "$work"
	run pterm new --rm -u 1000 -v "$work:/v" -- /v/suid id </dev/null
	[[ $output == *"uid 1000 1000 1000"* ]]
	in_box sh -c 'cp /tools/hostile /tmp/suid && chmod 4755 /tmp/suid'
	run pterm exec -T -u 1000 box /tmp/suid id
	[[ $output == *"uid 1000 1000 1000"* ]]
}

@test "no new user namespace, nor any other" { # seccomp
	expect_calls EPERM unshare-user unshare-mnt unshare-pid unshare-net unshare-uts unshare-ipc unshare-cgroup clone-user setns
	expect_calls ENOSYS clone3
}

@test "nothing can be mounted, the old way or the new" { # no CAP_SYS_ADMIN, and seccomp
	expect_calls EPERM mount mount-proc mount-bind umount-proc-sys pivot_root open_tree move_mount fsopen fspick mount_setattr
}

@test "the kernel's dangerous calls are refused" { # seccomp
	expect_calls EPERM bpf perf_event_open userfaultfd init_module kexec_load reboot swapon sethostname settimeofday syslog \
		open_by_handle_at acct
	expect_calls ENOSYS io_uring_setup
}

@test "the kernel's keyrings are closed" { # seccomp
	expect_calls EPERM keyctl add_key request_key
}

@test "TIOCSTI types into no terminal" { # seccomp, whatever the request's high bits
	run pterm exec -t box /tools/hostile type /dev/tty </dev/null
	[[ $output == *"TIOCSTI EPERM"*"TIOCSTI-high-bits EPERM"*"TIOCLINUX EPERM"* ]]
}

# --- other sessions and the host ---

@test "processes of other sessions and of the host cannot be seen, signalled or traced" { # the pid namespace
	pterm new -d other -- sleep 100001
	[ "$(in_box sh -c 'cat /proc/[0-9]*/cmdline' | tr -d '\0' | grep -c 100001)" = 0 ]
	init=$(field other init_pid)
	! in_box kill -0 "$init" 2>/dev/null
	! in_box kill -0 $$ 2>/dev/null
	run pterm new --rm -- kill -KILL -1 </dev/null
	[ "$(field other state)" = running ]
	[ "$(in_box echo alive)" = alive ]
	pterm rm -f other
}

@test "another session's files are out of reach" { # the mount namespace
	pterm new -d other -- sleep 100002
	pterm exec -T other sh -c 'echo secret-of-other >/tmp/secret; echo x >/dev/shm/secret'
	! in_box grep -rs secret-of-other /tmp /dev/shm /run /mnt
	! in_box ls /dev/shm/secret 2>/dev/null
	pterm rm -f other
}

@test "the host's abstract sockets are out of reach" { # the network namespace
	coproc server { python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX); name = "pterm-audit-%d" % os.getpid(); s.bind("\0" + name); s.listen()
print(name, flush=True); sys.stdin.read()'; }
	read -r name <&"${server[0]}"
	run as "$WHO" "$TOP/tools/hostile" abstract "$name"
	[ "$output" = "connect OK" ] # the test's own eyes
	run in_box /tools/hostile abstract "$name"
	echo "$output"
	[ "$output" = "connect ECONNREFUSED" ]
	eval "exec ${server[1]}>&-"
	wait "$server_PID" || true
}

loopback() { # NETWORK: the answer to a connection to a port that is open on the host's loopback
	coproc server { python3 -c 'import socket,sys
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()'; }
	read -r port <&"${server[0]}"
	[ "$("$TOP/tools/hostile" loopback "$port")" = "connect OK" ]
	pterm new --rm --network "$1" -v "$TOP/tools:/tools:ro" -- /tools/hostile loopback "$port" </dev/null
	eval "exec ${server[1]}>&-"
	wait "$server_PID" || true
}

@test "the host's loopback is out of reach without a network" { # the network namespace
	run loopback none
	[[ $output == *"connect E"* ]]
}

@test "the host's loopback is out of reach with a private network" { # pasta and slirp4netns are told not to (engine/network.c)
	[ -w /dev/net/tun ] && [ "$(stat -c %a /dev/net/tun)" = 666 ] || skip "/dev/net/tun cannot be opened by everybody"
	run loopback private
	[[ $output == *"connect E"* ]]
}

@test "--network host reaches it: that is what was asked for" {
	run loopback host
	[[ $output == *"connect OK"* ]]
}

@test "packet, raw and rarely used sockets are refused" { # no CAP_NET_RAW, and seccomp
	expect_calls EAFNOSUPPORT socket-packet socket-vsock socket-alg
	expect_calls EPERM socket-raw
}

# --- volumes ---

@test "a volume that contains PTERM_HOME shows it empty" { # a tmpfs above it (put_mask)
	run pterm new --rm -v "$TOP/$WHO:/h" -- sh -c 'ls -A /h/home; echo "[$?]"; echo x >/h/home/x' </dev/null
	[[ $output == *"[0]"* ]]
	[[ $output != *sessions* ]]
	[ ! -e "$TOP/$WHO/home/x" ]
}

@test "also when PTERM_HOME is named through a link" { # its real path is what is compared
	ln -s "$TOP/$WHO" "$work/link"
	run env as_link="$work/link" bash -c ". '$BATS_TEST_DIRNAME/lib.bash'; as '$WHO' env PTERM_HOME=\$as_link/home '$TOP/bin/src/pterm' \
		new --rm -v '$TOP/$WHO:/h' -- sh -c 'ls -A /h/home; echo \"[\$?]\"' </dev/null"
	[[ $output == *"[0]"* ]]
	[[ $output != *sessions* ]]
}

@test "a volume below PTERM_HOME, or it itself, is refused, through links too" { # launch.c
	ln -s "$TOP/$WHO/home/sessions" "$work/link"
	for v in "$TOP/$WHO/home" "$TOP/$WHO/home/sessions" "$TOP/$WHO/home/../home/names" "$work/link"; do
		run pterm new --rm -v "$v:/h" -- true </dev/null
		[ "$status" -eq 125 ]
		[[ $output == *"pterm's own directory"* ]]
	done
}

@test "the runtime directories are hidden in volumes, files too" { # put_mask
	mkdir -p "$work/xdg/secret"
	touch "$work/file"
	give "$work"
	run as "$WHO" env XDG_RUNTIME_DIR="$work/xdg" "$TOP/bin/src/pterm" new --rm -v "$work:/h" -- sh -c 'ls -A /h/xdg; echo "[$?]"' </dev/null
	[[ $output == *"[0]"* ]]
	[[ $output != *secret* ]]
	echo secret >"$work/file"
	run as "$WHO" env XDG_RUNTIME_DIR="$work/file" "$TOP/bin/src/pterm" new --rm -v "$work:/h" -- sh -c 'cat /h/file; echo "[$?]"' </dev/null
	[[ $output == *"[0]"* ]]
	[[ $output != *secret* ]]
}

@test "-v /:/host shows no pterm, no control socket, and no way through /proc" { # masks; ptrace needs a capability in the host's namespace
	if [ "$WHO" = root ]; then
		run pterm new --rm -v /:/host -- true </dev/null
		[ "$status" -eq 125 ] # idmapped mounts of /proc do not exist
		[[ $output == *"map the owners"* ]]
		return
	fi
	run pterm new --rm -v /:/host -- sh -c "ls -A /host$TOP/user/home; echo [\$?]; ls /host/proc/$$/root/; cat /host/proc/$$/environ; kill -0 $$" </dev/null
	[[ $output == *"[0]"* ]]
	[[ $output != *sessions* ]]
	[[ $output == *"/root/: Permission denied"* ]]
	[[ $output == *"No such process"* ]]
}

@test "the control socket cannot be reached from inside" { # not mounted, masked; the namespaces
	id=$(field box id)
	run pterm new --rm -v "$TOP:/top" -v "$TOP/tools:/tools" -- /tools/hostile unix "/top/$WHO/home/sessions/$id/control.sock" </dev/null
	[[ $output == *"connect E"* ]]
}

@test "another user of the host reaches neither records nor files of a session" { # modes 0700
	skip_unless_root
	in_box sh -c 'echo secret >/readable && chmod 644 /readable'
	id=$(field box id)
	for d in "$TOP/$WHO/home/sessions/$id" "$TOP/root/store/sessions/$id" "$TOP/root/store/images/layers"/*/ "$TOP/user/home/images"; do
		[ -e "$d" ] || continue
		! setpriv --reuid 54321 --regid 54321 --clear-groups ls "$d" 2>/dev/null
		! setpriv --reuid 54321 --regid 54321 --clear-groups test -e "$d/upper/readable"
	done
}

# --- what a command is given ---

@test "a command has descriptors 0, 1 and 2 and no other: new, exec, exec -t" { # close-on-exec everywhere
	for how in "new --rm -v $TOP/tools:/tools --" "exec -T box" "exec -t box"; do
		run pterm $how /tools/hostile descriptors </dev/null 7</etc/passwd
		[ "${output//$'\r'/}" = "0 1 2" ]
	done
}

@test "exec gives pipes of its own, never the caller's descriptors" { # service/exec.c
	exec 8>"$work/out"
	run in_box sh -c 'for f in 0 1 2; do readlink /proc/self/fd/$f; done' 7</etc/passwd
	exec 8>&-
	[ "$(grep -c '^pipe:' <<<"$output")" = 3 ]
	run pterm exec -t box readlink /proc/self/fd/0 </dev/null
	[[ $output == *"/dev/pts/"* ]]
}

@test "a command's environment is what was meant, nothing of the caller's" { # built from nothing (launch.c)
	want="COLORTERM HOME LANG LOGNAME PATH PTERM_SESSION SHELL TERM TZ USER"
	run as "$WHO" env SECRET=leak DISPLAY=:0 TZ=UTC0 "$TOP/bin/src/pterm" new --rm -- env </dev/null
	[ "$(sed -n 's/=.*//p' <<<"${output//$'\r'/}" | sort | tr '\n' ' ')" = "$want " ]
	run as "$WHO" env SECRET=leak "$TOP/bin/src/pterm" exec -T box env
	[[ $output != *leak* ]]
}

# --- hostile images ---

make_image() { mkdir -p "$1/bin" && cp /bin/busybox "$1/bin/sh" || skip "needs a static busybox"; chmod -R a+rX "$1"; }

@test "an image whose /dev, /proc and /etc are links leads nowhere" { # crun resolves inside the root file system
	make_image "$work/image"
	chmod 755 "$work"
	mkdir "$work/outside"
	for l in dev proc sys; do ln -s "$work/outside" "$work/image/$l"; done
	ln -s "$work/outside" "$work/image/etc"
	give "$work"
	run pterm new --rm --image "$work/image" -- sh -c 'echo inside' </dev/null
	[ -z "$(ls -A "$work/outside")" ]
}

@test "an image's passwd cannot be a link out or a pipe that hangs" { # openat2(RESOLVE_IN_ROOT), O_NONBLOCK, regular files only
	make_image "$work/image"
	chmod 755 "$work"
	mkdir "$work/image/etc"
	ln -s ../../../../../../../../../../etc/passwd "$work/image/etc/passwd"
	give "$work"
	run timeout 20 bash -c "$(declare -f as pterm); TOP=$TOP WHO=$WHO TEST_USER=$TEST_USER; pterm new --rm --image '$work/image' -u daemon -- sh -c true </dev/null"
	[ "$status" -eq 125 ]
	rm "$work/image/etc/passwd"
	mkfifo "$work/image/etc/passwd"
	run timeout 20 bash -c "$(declare -f as pterm); TOP=$TOP WHO=$WHO TEST_USER=$TEST_USER; pterm new --rm --image '$work/image' -u daemon -- sh -c true </dev/null"
	[ "$status" -eq 125 ]
}

# --- a hostile init ---

@test "an init that says garbage does not bring down the supervisor" { # what it says is checked (engine/inside.c)
	local tree="$TOP/rogue"
	mkdir "$tree"
	cp -r "$TOP/bin/src" "$TOP/bin/share" "$tree/"
	rm "$tree/src/pterm-init"
	install -m 755 "$BATS_TEST_DIRNAME/rogue-init.py" "$tree/src/pterm-init"
	for seed in 1 2 3 4 5 6 7 8; do
		# it starts, fails or ends as the garbage says; the supervisor writes an honest status and goes
		pterm_rogue() { as "$WHO" env ROGUE_SEED=$seed "$tree/src/pterm" "$@"; }
		run timeout 30 bash -c "$(declare -f as pterm_rogue); TOP=$TOP WHO=$WHO TEST_USER=$TEST_USER tree=$tree seed=$seed; pterm_rogue new rogue$seed --engine fake -- true </dev/null"
		[ "$status" -ne 124 ]
		[[ $output != *"supervisor of session"*"was killed"* ]]
		pterm inspect rogue$seed >/dev/null 2>&1 || continue # one that never started leaves nothing
		[[ $(field rogue$seed state) = ended ]]
		[[ $(field rogue$seed reason) != supervisor-lost ]]
	done
}

# --- resources ---

@test "a fork bomb ends at --pids, or at the host's limit for one user" { # the cgroup; without a limit RLIMIT_NPROC of the caller alone
	run pterm new --rm --pids 50 -- sh -c 'i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i+1)); done; echo made-all' </dev/null
	if [ "$status" -eq 125 ]; then
		[[ $output == *pids* || $output == *limit* || $output == *cgroup* ]] # no delegated cgroup here: said, not ignored
		skip "no delegated cgroup for limits here"
	fi
	[[ $output != *made-all* ]]
}

@test "the ways to ask for more are refused" {
	run pterm new --privileged --rm -- true </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *refused* ]]
}
