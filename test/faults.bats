#!/usr/bin/env bats
# Kill -9 of everything, everywhere: at each kill point of the test build (src/base/hook.h), and in full flow. After
# each nothing is left, the record says what happened, and all that somebody saw is in the log.
# Needs a build with -Dhooks=true.
# as: user root

LEAVES_NOTHING=yes
PTERM_TEST_USER=pterm-faults
export PTERM_ROOT_IDS=1810000000:65536
load lib

setup() {
	pterm_setup
	FAULT=$BATS_TEST_DIRNAME/tools/fault
	# inside of containers too, at the same path: pterm-init has kill points
	HOOKS=$TOP/$WHO/hooks
	mkdir "$HOOKS"
	mkfifo -m 666 "$HOOKS/fifo"
	chmod 666 "$HOOKS/fifo"
	chmod 755 "$HOOKS"
	exec {hook}<>"$HOOKS/fifo"
}

teardown() {
	exec {hook}>&-
	pterm_teardown
}

id_of() { readlink "$TOP/$WHO/home/names/$1"; }
dir_of() { echo "$TOP/$WHO/home/sessions/$(id_of "$1")"; }

# stop_at POINT COMMAND...: run it in the background (a process group of its own) until something reaches the point and stops there.
# $job is the shell that waits for it, $at the pid that stopped (as it sees itself: 1 for pterm-init).
stop_at() {
	local point=$1 word
	shift
	set -m
	PTERM_HOOK="$point=stop:$HOOKS/fifo" "$@" >"$TOP/out" 2>"$TOP/err" </dev/null {hook}>&- 3>&- &
	job=$!
	set +m
	read -r -t 20 -u "$hook" word at || { echo "nothing came to $point"; cat "$TOP/err"; return 1; }
	[ "$word" = "$point" ]
}

make_new() { pterm new -d -v "$HOOKS:$HOOKS" "$@"; }

# strike WHOM NAME: kill them, let go on what is stopped, wait for the command in the background. $code is its exit code.
strike() {
	code=0
	"$FAULT" strike "$1" "$(id_of "$2" 2>/dev/null || echo none)" "$job"
	wait "$job" || code=$?
}

kill_one() { "$FAULT" kill $("$FAULT" pid "$1" "$(id_of "$2")"); }

# check_record NAME STATE REASON...: the session's record is one of these, and is whole.
check_record() {
	local name=$1 dir reason
	dir=$(dir_of "$name")
	/usr/bin/python3 - "$dir" "${@:2}" <<-'PY'
		import json, os, sys
		d, wanted = sys.argv[1], sys.argv[2:]
		s = json.load(open(d + "/status.json"))
		json.load(open(d + "/spec.json"))
		for line in open(d + "/events.jsonl"):
		    json.loads(line)
		assert s["state"] == "ended", s
		assert s["reason"] in wanted, s
		if s["reason"] in ("exited", "stopped"):
		    sys.exit()
		if s["reason"] != "signaled":
		    assert s.get("message"), s
		assert s["exit_code"] != 0, s
		crash = {n: open(f"{d}/crash/{n}", "rb").read() for n in ("reason", "output", "runtime.log", "status.json")}
		assert crash["reason"].strip(), crash
		log = open(d + "/output.log", "rb").read() if os.path.exists(d + "/output.log") else b""
		assert log.endswith(crash["output"]), (log[-200:], crash["output"][-200:])
	PY
}

# kill_at POINT WHOM REASONS...: a new session that comes to the point; WHOM is killed there.
# REASONS: how its record may then end; "alive": it goes on; "none": there is no session.
kill_at() {
	local point=$1 whom=$2
	shift 2
	echo "# at $point, kill $whom"
	stop_at "$point" make_new box -- sh -c 'echo ready; exec sleep 1000'
	# where only the supervisor stops, the sandbox goes on: these come a little later, and stay
	[[ $whom != @(init|command)* ]] || wait_for 20 is_here "${whom%-group}"
	strike "$whom" box
	settle_and_check "$@"
}

settle_and_check() {
	local wanted=" $* "
	pterm ls >/dev/null
	if ! id_of box >/dev/null 2>&1 || [ ! -d "$(dir_of box)" ]; then
		[[ $wanted == *" none "* ]] || { echo "there is no session any more"; cat "$TOP/err"; return 1; }
		[ "$code" -eq 137 ] || [ -s "$TOP/err" ]
	elif [[ $wanted == *" alive "* ]] && wait_for 20 has_settled box && is_running box; then
		# pterm-init would stop again at a point of its own
		[[ $point == init.* ]] || [ "$(pterm exec -T box echo hello)" = hello ]
		pterm rm -f box
	else
		wait_for 20 has_ended box
		check_record box "$@"
	fi
	assert_nothing_left
	pterm rm -af
	[ -z "$(ls "$TOP/$WHO/home/sessions")" ]
}
is_here() { [[ " $("$FAULT" here "$(id_of box)") " == *" $1 "* ]]; }
has_settled() { [[ $(field "$1" state) == @(running|ended) ]]; }
is_running() { [ "$(field "$1" state)" = running ]; }
has_ended() { [ "$(field "$1" state)" = ended ]; }

# At each point, kill everybody who is there, and the process groups of those that have one of their own.
everybody_at() {
	local point whom here
	for point; do
		stop_at "$point" make_new box -- sleep 1000
		here=$("$FAULT" here "$(id_of box)")
		echo "# at $point there are: $here"
		strike - box
		pterm rm -af
		for whom in $here; do
			case $whom in
			new) kill_at "$point" new alive ;;
			supervisor)
				# once there is a keeper, another supervisor goes on
				for whom in supervisor supervisor-group; do
					kill_at "$point" $whom $(if [[ " $here " == *" keeper "* ]]; then echo alive; else echo supervisor-lost start-failed; fi)
				done
				;;
			keeper)
				kill_at "$point" keeper alive
				kill_at "$point" owners supervisor-lost
				;;
			command)
				kill_at "$point" command start-failed signaled
				kill_at "$point" command-group start-failed signaled
				;;
			sandbox)
				# after its last word the container does not need it; before its ids are written it is as if it could
				# not be made: `pterm new` says so, and no session comes of it
				case $point in
				# where the supervisor stops, the sandbox goes on: it may have said its last word
				supervisor.sandbox-started | sandbox.told | supervisor.init-known | supervisor.started | init.*) kill_at "$point" sandbox start-failed alive ;;
				*) kill_at "$point" sandbox start-failed $([ "$point" != supervisor.sandbox-held ] || echo none) ;;
				esac
				;;
			# it lives for some milliseconds: seen once, it may be over, or not there yet, the next time
			runtime) kill_at "$point" runtime start-failed init-lost alive ;;
			*) kill_at "$point" "$whom" start-failed init-lost ;;
			esac
		done
	done
}

@test "a session in the making: pterm new is killed at every stage" {
	for point in cli.session-locked cli.session-named cli.session-written; do
		kill_at $point new none
		kill_at $point new-group none
	done
	kill_at cli.session-made new start-failed
	kill_at cli.supervisor-started new alive
	kill_at cli.supervisor-started new-group alive
	kill_at cli.supervisor-started supervisor start-failed supervisor-lost alive
	kill_at cli.supervisor-started owners start-failed supervisor-lost
}

# What `pterm new` asks for is heard before the command begins, so that it misses nothing however late it wakes.
no_sessions() { pterm ls >/dev/null; [ -z "$(ls "$TOP/$WHO/home/sessions")" ]; }
@test "a command that ends before pterm new looks is shown, with its exit code" {
	for rm in "" --rm; do
		# shellcheck disable=SC2086
		stop_at cli.supervisor-started pterm new $rm box -- sh -c 'echo was here; exit 7'
		if [ -n "$rm" ]; then wait_for 60 no_sessions; else wait_for 60 has_ended box; fi
		strike - box
		[ "$code" -eq 7 ] || { echo "exit code $code"; cat "$TOP/out" "$TOP/err"; return 1; }
		[ "$(tr -d '\r' <"$TOP/out")" = "was here" ]
		pterm rm -af
	done
	assert_nothing_left
}

@test "a start, while the supervisor gets ready: everybody is killed in turn" {
	everybody_at supervisor.prepared supervisor.sandbox-held supervisor.sandbox-started
}

@test "a start, while the sandbox is set up: everybody is killed in turn" {
	everybody_at sandbox.mapped sandbox.mounted sandbox.runtime-started
}

@test "a start, after the runtime: everybody is killed in turn" {
	everybody_at sandbox.runtime-ended sandbox.told
}

@test "a start, while the supervisor hears of it: everybody is killed in turn" {
	everybody_at supervisor.console supervisor.init-known supervisor.started
}

@test "a start, in the container: everybody is killed in turn" {
	everybody_at init.start init.executing init.spawned
}

@test "a start again: pterm start and the supervisor are killed" {
	for whom in start supervisor; do
		for point in cli.start-written cli.supervisor-started supervisor.prepared supervisor.started; do
			pterm new -d box -- sh -c 'exit 0'
			wait_for 20 has_ended box
			stop_at $point pterm start box
			strike $whom box
			pterm ls >/dev/null
			wait_for 20 has_ended box
			check_record box exited start-failed supervisor-lost
			assert_nothing_left
			pterm rm box
		done
	done
}

@test "an end, at every stage: the supervisor and init are killed" {
	for point in init.reaped supervisor.exited supervisor.ending supervisor.ended; do
		for whom in supervisor init; do
			echo "# at $point, kill $whom"
			stop_at $point make_new box -- sh -c 'exit 3'
			strike $whom box
			pterm ls >/dev/null
			wait_for 20 has_ended box
			if [ $whom = supervisor ]; then check_record box exited; else check_record box exited init-lost; fi
			assert_nothing_left
			pterm rm -af
		done
	done
}

@test "a removal cut short is finished by the next command, and its name is free" {
	for point in remove.renamed remove.released; do
		pterm new -d box -- sh -c 'mkdir /tmp/d; echo x >/tmp/d/f'
		wait_for 20 has_ended box
		PTERM_HOOK=$point=kill run pterm rm box
		[ "$status" -eq 137 ]
		assert_nothing_left
		[ -z "$(ls -A "$TOP/$WHO/home/sessions")" ]
		pterm new -d box -- true
		pterm rm -af
	done
}

@test "--rm: a removal cut short by the supervisor's death is finished too" {
	for point in remove.renamed remove.released; do
		PTERM_HOOK=$point=kill run pterm new --rm box -- true
		pterm ls
		assert_nothing_left
		[ -z "$(ls -A "$TOP/$WHO/home/sessions")" ]
	done
}

@test "a session of --rm whose supervisor was killed is kept, with crash/" {
	pterm new -d --rm box -- sleep 1000
	kill_one owners box
	pterm ls
	check_record box supervisor-lost
	assert_nothing_left
}

@test "settling a lost session, cut short and done again" {
	for point in settle.ended settle.described; do
		pterm new -d box -- sleep 1000
		kill_one owners box
		PTERM_HOOK=$point=kill run pterm ls
		[ "$status" -eq 137 ]
		pterm ls >/dev/null
		check_record box supervisor-lost
		assert_nothing_left
		pterm rm box
	done
}

@test "the runtime is killed the moment that something of it shows" {
	# what shows: a comm of its own (it has been executed), its state directory, its child
	for what in executed state child; do
		stop_at sandbox.mounted make_new box -- sleep 1000
		id=$(id_of box)
		/usr/bin/python3 - "$what" "$id" "$("$FAULT" pid sandbox "$id")" <<-'PY' >"$TOP/killer"
			import glob, os, signal, sys
			what, session, sandbox = sys.argv[1], sys.argv[2], int(sys.argv[3])
			def children(pid):
			    try:
			        return [int(c) for c in open(f"/proc/{pid}/task/{pid}/children").read().split()]
			    except OSError:
			        return []
			def shows(pid):
			    if what == "executed":
			        return b"run" in open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
			    if what == "state":
			        return bool(glob.glob(f"/dev/shm/pterm-*/crun-*/{session}-*") or glob.glob(f"/run/pterm/crun-*/{session}-*"))
			    return bool(children(pid))
			pidfd = os.pidfd_open(sandbox)
			os.kill(sandbox, signal.SIGCONT)
			while True:                     # a busy look: the runtime lives for some milliseconds only
			    try:
			        pid = next((c for c in children(sandbox)), None)
			        if pid and shows(pid):
			            os.kill(pid, signal.SIGKILL)
			            print("killed")
			            break
			        os.kill(sandbox, 0)
			    except (FileNotFoundError, ProcessLookupError):
			        break
		PY
		strike - box
		pterm ls >/dev/null
		if [ "$code" -eq 0 ]; then             # it was faster
			pterm rm -f box
		else
			check_record box start-failed
			grep -q "killed by signal 9" "$TOP/err"
		fi
		assert_nothing_left
		pterm rm -af
	done
}

# What a reader saw before the kill is the beginning of the log.
check_stream() {
	/usr/bin/python3 - "$(dir_of box)" "$TOP/seen" <<-'PY'
		import sys
		log = open(sys.argv[1] + "/output.log", "rb").read()
		seen = open(sys.argv[2], "rb").read()
		assert seen, "nobody saw anything"
		at = log.find(seen[:-1] if seen.endswith(b"\n") else seen)
		assert at == 0, (at, len(seen), len(log), seen[:80], log[:80])
		lines = log.split(b"\r\n")[:-1]
		assert lines == [str(i).encode() for i in range(1, len(lines) + 1)], lines[-3:]
	PY
}

@test "under output: whoever is killed, all that a reader saw is in the log" {
	for whom in owners init command command-group; do
		echo "# kill $whom"
		pterm new -d box -- sh -c 'i=0; while i=$((i+1)); do echo $i; done'
		mkfifo "$TOP/stream"
		chmod 666 "$TOP/stream"
		pterm attach --read-only --since 0 box >"$TOP/stream" 2>/dev/null </dev/null {hook}>&- 3>&- &
		job=$!
		exec {stream}<"$TOP/stream"
		# so much that the flow is steady, then the kill in the middle of it
		head -c 60000 <&"$stream" >"$TOP/seen"
		"$FAULT" strike $whom "$(id_of box)" 0
		cat <&"$stream" >>"$TOP/seen"
		exec {stream}<&-
		rm "$TOP/stream"
		wait "$job" || true
		pterm ls >/dev/null
		wait_for 20 has_ended box
		check_record box supervisor-lost init-lost signaled
		check_stream
		assert_nothing_left
		pterm rm -af
	done
}

@test "under output: a kill between recording and publishing" {
	stop_at supervisor.recorded make_new box -- sh -c 'i=0; while i=$((i+1)); do echo $i; done'
	strike supervisor box
	pterm ls >/dev/null
	if is_running box; then
		# the keeper had it already: another supervisor goes on, and repeats nothing
		pterm attach --read-only --since 0 box 2>/dev/null </dev/null {hook}>&- 3>&- | head -c 60000 >"$TOP/seen"
		pterm stop -t 0s box
		check_stream
	else
		check_record box supervisor-lost start-failed
	fi
	assert_nothing_left
}

@test "a viewer that is killed leaves the session as it was" {
	pterm new -d box -- sh -c 'i=0; while i=$((i+1)); do echo $i; done'
	for whom in attach attach-group; do
		mkfifo "$TOP/stream"
		chmod 666 "$TOP/stream"
		set -m
		pterm attach --read-only box >"$TOP/stream" 2>/dev/null </dev/null {hook}>&- 3>&- &
		job=$!
		set +m
		exec {stream}<"$TOP/stream"
		head -c 5000 <&"$stream" >/dev/null
		"$FAULT" strike $whom none 0
		exec {stream}<&-
		rm "$TOP/stream"
		wait "$job" || true
		[ "$(pterm exec -T box echo hello)" = hello ]
	done
	pterm rm -f box
	assert_nothing_left
}

@test "the command's own end tells its signal" {
	pterm new -d box -- sleep 1000
	kill_one command box
	wait_for 20 has_ended box
	check_record box signaled
	[ "$(field box signo)" = 9 ]
	[ "$(field box exit_code)" = 137 ]
	assert_nothing_left
}

@test "after a reboot sessions are ended honestly" {
	pterm new -d box -- sleep 1000
	kill_one owners box
	"$FAULT" await $("$FAULT" pid init "$(id_of box)") || true
	PTERM_TEST_BOOT_ID=another-boot pterm ls >"$TOP/list"
	grep -q "machine restarted" "$TOP/list"
	check_record box rebooted
	grep -q "machine restarted" "$(dir_of box)/crash/reason"
	PTERM_TEST_BOOT_ID=another-boot pterm start box
	PTERM_TEST_BOOT_ID=another-boot pterm rm -f box
	assert_nothing_left
}

@test "another machine's sessions are listed and left alone" {
	pterm new -d box -- sleep 1000
	dir=$(dir_of box)
	cp "$dir/status.json" "$TOP/status"
	export PTERM_TEST_MACHINE_ID=another-machine
	pterm ls | grep -q "on another machine"
	for command in "stop box" "start box" "rm -f box" "attach box" "exec box true" "rename box other" "kill box" "restart box"; do
		# shellcheck disable=SC2086
		run pterm $command </dev/null
		echo "$command: $output"
		[ "$status" -eq 125 ]
		[[ $output == *"another machine"* ]]
	done
	pterm rm -af
	pterm stop -a
	unset PTERM_TEST_MACHINE_ID
	cmp "$dir/status.json" "$TOP/status"
	[ "$(pterm exec -T box echo hello)" = hello ]
	kill_one owners box
	PTERM_TEST_MACHINE_ID=another-machine pterm ls >/dev/null
	cmp "$dir/status.json" "$TOP/status" # not settled by them
	pterm ls >/dev/null
	check_record box supervisor-lost
	assert_nothing_left
}

# --- two at once ---

# both COMMAND-A AND COMMAND-B: at the same moment; their exit codes in $code_a and $code_b, what they said in $TOP/a and $TOP/b.
both() {
	local -a a=()
	local pid_a pid_b
	while [ "$1" != AND ]; do
		a+=("$1")
		shift
	done
	shift
	pterm "${a[@]}" >"$TOP/a" 2>&1 </dev/null {hook}>&- 3>&- &
	pid_a=$!
	pterm "$@" >"$TOP/b" 2>&1 </dev/null {hook}>&- 3>&- &
	pid_b=$!
	code_a=0 code_b=0
	wait "$pid_a" || code_a=$?
	wait "$pid_b" || code_b=$?
	echo "$code_a: $(<"$TOP/a")"
	echo "$code_b: $(<"$TOP/b")"
}

# All that is written is whole, and names and sessions fit each other: each session has the one name that its status tells.
consistent() {
	/usr/bin/python3 - "$TOP/$WHO/home" <<-'PY'
		import json, os, sys
		home = sys.argv[1]
		names = {n: os.readlink(f"{home}/names/{n}") for n in os.listdir(home + "/names") if n != ".lock"}
		ids = os.listdir(home + "/sessions")
		assert not [i for i in ids if i.startswith(".")], ids
		for i in ids:
		    s = json.load(open(f"{home}/sessions/{i}/status.json"))
		    json.load(open(f"{home}/sessions/{i}/spec.json"))
		    for line in open(f"{home}/sessions/{i}/events.jsonl"):
		        json.loads(line)
		    assert [n for n in names if names[n] == i] == [s["name"]], (s["name"], names)
		assert set(names.values()) <= set(ids), (names, ids)
	PY
	pterm ls -o json | /usr/bin/python3 -c 'import json, sys; json.load(sys.stdin)'
}

rounds() {
	local n
	for n in {1..20}; do
		echo "# round $n"
		"$@"
	done
	pterm rm -af
	assert_nothing_left
}

new_and_new() {
	both new -d box -- sleep 1000 AND new -d box -- sleep 1000
	consistent
	[ $((code_a == 0)) -ne $((code_b == 0)) ]
	cat "$TOP/a" "$TOP/b" | grep -q "there is a session 'box' already"
	[ "$(pterm ls -q)" = box ]
	pterm rm -f box
}

start_and_start() {
	both start box AND start box
	consistent
	[ $((code_a == 0)) -ne $((code_b == 0)) ]
	grep -q "runs already" "$TOP/a" "$TOP/b"
	[ "$("$FAULT" pid supervisor "$(id_of box)" | wc -l)" = 1 ]
	pterm stop box
}

# Whichever is first: a session that runs is not removed, one that has ended is. No third thing happens.
stop_and_rm() {
	pterm new -d box -- sleep 1000
	both stop box AND rm box
	[ "$code_a" -eq 0 ] || grep -q "no session 'box'" "$TOP/a"
	[ "$code_b" -eq 0 ] || grep -q "session 'box' runs" "$TOP/b"
	consistent
	[ "$code_b" -eq 0 ] || pterm rm box
}

stop_and_rm_f() {
	pterm new -d box -- sleep 1000
	both stop box AND rm -f box
	[ "$code_a" -eq 0 ] || grep -q "no session 'box'" "$TOP/a"
	[ "$code_b" -eq 0 ]
	consistent
	[ -z "$(pterm ls -q)" ]
}

rename_and_rename() {
	local old
	old=$(pterm ls -q)
	both rename "$old" "one$n" AND rename "$old" "two$n"
	consistent
	# the second found it under its old name, or did not find it any more
	[ "$code_a" -eq 0 ] || [ "$code_b" -eq 0 ]
	[[ $(pterm ls -q) == @(one|two)$n ]]
}

rename_two() {
	both rename one box AND rename two box
	consistent
	[ $((code_a == 0)) -ne $((code_b == 0)) ]
	[ "$code_a" -ne 0 ] || pterm rename box one
	[ "$code_b" -ne 0 ] || pterm rename box two
	consistent
}

rm_and_ls() {
	pterm new -d box -- true
	wait_for 20 has_ended box
	both rm box AND ls -o json
	[ "$code_a" -eq 0 ]
	[ "$code_b" -eq 0 ]
	/usr/bin/python3 -c 'import json, sys; json.load(sys.stdin)' <"$TOP/b"
	consistent
}

rm_and_rm() {
	pterm new -d box -- true
	wait_for 20 has_ended box
	both rm box AND rm box
	[ "$code_a" -eq 0 ] || grep -q "no session 'box'" "$TOP/a"
	[ "$code_b" -eq 0 ] || grep -q "no session 'box'" "$TOP/b"
	[ "$code_a" -eq 0 ] || [ "$code_b" -eq 0 ]
	consistent
}

rm_and_start() {
	pterm new -d box -- sleep 1000
	pterm stop box
	both rm box AND start box
	[ $((code_a == 0)) -ne $((code_b == 0)) ]
	consistent
	pterm rm -af
}

exec_and_stop() {
	both exec -T box echo hello AND stop box
	[ "$code_b" -eq 0 ]
	[ "$code_a" -ne 0 ] || [ "$(<"$TOP/a")" = hello ]
	consistent
	pterm start box
}

# Two that find a killed supervisor settle it once, and neither takes the other for a supervisor.
settle_and_start() {
	kill_one owners box
	both ls AND start box
	[ "$code_a" -eq 0 ]
	[ "$code_b" -eq 0 ]
	consistent
	[ "$(grep -c '"event":"session.ended"' "$(dir_of box)/events.jsonl")" = "$n" ]
}

@test "two at once: new, new with one name" { rounds new_and_new; }
@test "two at once: start, start" {
	pterm new -d box -- sleep 1000
	pterm stop box
	rounds start_and_start
}
@test "two at once: stop, rm" { rounds stop_and_rm; }
@test "two at once: stop, rm -f" { rounds stop_and_rm_f; }
@test "two at once: rename, rename, of one that runs" {
	pterm new -d box -- sleep 1000
	rounds rename_and_rename
}
@test "two at once: rename, rename, of one that has ended" {
	pterm new -d box -- true
	wait_for 20 has_ended box
	rounds rename_and_rename
}
@test "two at once: rename, rename, to one name" {
	pterm new -d one -- sleep 1000
	pterm new -d two -- sleep 1000
	rounds rename_two
}
@test "two at once: rm, ls" { rounds rm_and_ls; }
@test "two at once: rm, rm" { rounds rm_and_rm; }
@test "two at once: rm, start" { rounds rm_and_start; }
@test "two at once: exec, stop" {
	pterm new -d box -- sleep 1000
	rounds exec_and_stop
}
@test "two at once: ls, start, of one whose supervisor was killed" {
	pterm new -d box -- sleep 1000
	rounds settle_and_start
}

# The recorder's thread hangs as on a disk that does not answer; the session's other files are written as ever.
@test "a disk that hangs: the session goes on, everybody sees all of it, and what is missing in the log is marked" {
	mkfifo -m 666 "$HOOKS/disk"
	PTERM_HOOK="recorder.write=hang:$HOOKS/disk" pterm new box -- \
		sh -c 'yes 0123456789abcdef | head -c 5100000; echo the end; exec sleep 1000' >"$TOP/seen" 2>"$TOP/err" </dev/null {hook}>&- 3>&- &
	job=$!
	wait_for 60 grep -q 'the end' "$TOP/seen"
	[ "$(tr -d '\r' <"$TOP/seen" | wc -c)" -eq 5100008 ]
	[ ! -s "$(dir_of box)/output.log" ]
	[[ $(pterm screen box) == *"the end"* ]]
	exec {disk}<>"$HOOKS/disk"
	wait_for 20 eval 'grep -q "the end" "$(dir_of box)/output.log"'
	wait_for 20 eval 'grep -q "slower than the session" "$(dir_of box)/events.jsonl"'
	/usr/bin/python3 - "$(dir_of box)" <<-'PY'
		import sys
		log = open(sys.argv[1] + "/output.log", "rb").read()
		line = b"0123456789abcdef\r\n"
		assert 700000 < len(log) < 1500000, len(log)
		at = log.index(b"the end")
		whole = (line * 300001)[:at]
		cut = next((i for i in range(0, at, 1) if log[i] != whole[i]), at)
		assert log[:cut] == whole[:cut] and line.join([b"", b""]) in log[cut:at], "bytes that nobody printed"
	PY
	pterm stop -t 0s box
	wait "$job" || true
	exec {disk}>&-
	pterm rm -f box
	assert_nothing_left
}

@test "a disk that hangs, and the supervisor is killed: whoever takes over records what the ring has" {
	mkfifo -m 666 "$HOOKS/disk"
	PTERM_HOOK="recorder.write=hang:$HOOKS/disk" pterm new -d box -- \
		sh -c 'i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo $i; done; exec cat >/dev/null'
	wait_for 60 eval 'pterm screen box | grep -q 40000'
	[ ! -s "$(dir_of box)/output.log" ]
	kill_one supervisor box
	wait_for 20 eval '[ "$(field box adoptions)" -ge 1 ]'
	[ "$(tr -d '\r' <"$(dir_of box)/output.log" | md5sum)" = "$(seq 40000 | md5sum)" ]
	[[ $(pterm screen box) == *40000* ]]
	pterm rm -f box
	assert_nothing_left
}
