#!/usr/bin/env bats
# A supervisor, or its keeper, is killed while the session goes on: another takes its place, nobody loses a byte, and the
# command never notices. KILLS: how often (make soak: 1000).
# as: user root

LEAVES_NOTHING=yes
PTERM_TEST_USER=pterm-faults
export PTERM_ROOT_IDS=1810000000:65536
load lib

KILLS=${KILLS:-40}

setup() {
	pterm_setup
	FAULT=$BATS_TEST_DIRNAME/tools/fault
}
teardown() { pterm_teardown; }

pid_of() { "$FAULT" pid "$1" "$(field "$2" id)"; }
kill_one() { "$FAULT" kill $(pid_of "$1" "$2"); }
adopted() { [ "$(field "$1" adoptions)" -ge "$2" ]; }
has_ended() { [ "$(field "$1" state)" = ended ]; }

# `pterm` as words: a program of its own runs it
pterm_program() {
	{
		declare -p PASSED_ON WITHIN PTERM_ROOT_IDS TEST_USER TOP WHO
		declare -f as
		# shellcheck disable=SC2016
		echo 'as "$WHO" "$TOP/bin/src/pterm" "$@"'
	} >"$TOP/pterm-as"
	echo "bash $TOP/pterm-as"
}

killing() { "$BATS_TEST_DIRNAME/tools/killing" "$(pterm_program)" "box-$1" "$TOP/$WHO/home/sessions" "$KILLS" "$1" 3; }

@test "the supervisor is killed again and again under full output: every byte, for every viewer and in the log" {
	killing supervisor
	assert_nothing_left
}

@test "the keeper, too" {
	killing keeper
	assert_nothing_left
}

@test "now the one, now the other" {
	killing either
	assert_nothing_left
}

@test "both at once: the session ends, and the record says so" {
	pterm new -d box -- sh -c 'echo hello; exec sleep 1000'
	wait_for 20 eval 'pterm logs box | grep -q hello'
	kill_one owners box
	pterm ls
	[ "$(field box reason)" = supervisor-lost ]
	grep -q hello "$TOP/$WHO/home/sessions/$(field box id)/crash/output"
	[ "$(cat "$TOP/$WHO/home/sessions/$(field box id)/crash/screen")" = hello ]
	assert_nothing_left
}

@test "exec does not notice, and has its exit code" {
	pterm new -d box -- sleep 1000
	pterm exec -T box sh -c 'mkfifo /tmp/go; read x </tmp/go; echo said; exit 7' >"$TOP/out" 3>&- &
	job=$!
	wait_for 20 eval 'pterm exec -T box test -p /tmp/go'
	kill_one supervisor box
	wait_for 20 adopted box 1
	pterm exec -T box sh -c 'echo >/tmp/go'
	code=0
	wait $job || code=$?
	[ "$code" -eq 7 ]
	[ "$(<"$TOP/out")" = said ]
	pterm rm -f box
	assert_nothing_left
}

@test "stop does not notice" {
	pterm new -d box -- sh -c 'trap "echo >/tmp/told" HUP; mkfifo /tmp/never; while :; do read x </tmp/never; done'
	pterm stop -t 5s box 3>&- &
	job=$!
	wait_for 20 eval 'pterm exec -T box test -e /tmp/told'
	kill_one supervisor box
	wait $job
	[ "$(field box reason)" = stopped ]
	assert_nothing_left
}

@test "typing goes on, the size is kept" {
	pterm new -d box -- sh -c 'stty rows 33 cols 101; while read line; do echo "got $line"; [ "$line" != over ] || exit 5; done'
	kill_one supervisor box
	wait_for 20 adopted box 1
	code=0
	printf 'one\nover\n' | pterm attach box >"$TOP/out" || code=$?
	[ "$code" -eq 5 ]
	grep -q "got one" "$TOP/out"
	wait_for 20 has_ended box
	[ "$(field box exit_code)" = 5 ]
	assert_nothing_left
}

@test "an end that nobody was there to see" {
	pterm new -d box -- sh -c 'mkfifo /tmp/go; read x </tmp/go; exit 9'
	wait_for 20 eval 'pterm exec -T box test -p /tmp/go'
	supervisor=$(pid_of supervisor box)
	keeper=$(pid_of keeper box)
	init=$(pid_of init box)
	kill -STOP "$supervisor" "$keeper"
	# from outside: a stopped supervisor starts no exec
	echo >"/proc/$(pid_of command box)/root/tmp/go" || true
	"$FAULT" await "$(pid_of command box)" || true
	kill -KILL "$supervisor"
	kill -CONT "$keeper"
	wait_for 20 has_ended box
	[ "$(field box reason)" = exited ]
	[ "$(field box exit_code)" = 9 ]
	"$FAULT" await "$init"
	assert_nothing_left
}

# How often the command was begun; a start that the kill has cut short counts, and is begun again.
runs() { pterm exec -T box sh -c 'wc -l </tmp/runs' 2>/dev/null || echo 0; }
more_runs_than() { [ "$(runs)" -gt "$1" ]; }

@test "a restart that was about to come, comes" {
	pterm new -d --restart always box -- sh -c 'mkfifo /tmp/go 2>/dev/null; echo >>/tmp/runs; read x </tmp/go; exit 1'
	for n in 1 2 3; do
		wait_for 20 more_runs_than 0
		before=$(runs)
		pterm exec -T box sh -c 'echo >/tmp/go' || true
		kill_one supervisor box || true
		wait_for 20 more_runs_than "$before"
	done
	pterm rm -f box
	assert_nothing_left
}

@test "a supervisor that fails whenever it takes over: the keeper gives up, and the session ends" {
	pterm new -d box -- sleep 1000
	rm "$TOP/bin/src/pterm-supervisor"
	kill_one supervisor box
	wait_for 20 eval '! pid_of keeper box'
	pterm ls
	[ "$(field box reason)" = supervisor-lost ]
	assert_nothing_left
}

number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$2"; }
is_done() { pterm logs -n 1 "$1" | grep -q '^in all'; }

@test "upgrade: 50 sessions that print, with a viewer, become another build's, and no byte is lost" {
	cp -r "$TOP/bin" "$TOP/new"
	local n job all status
	# each prints some 15 kB a second: all of them are in the middle of it, and the machine still has time for others
	for n in {1..50}; do
		pterm new -d "busy$n" -- sh -c 'stty -opost; i=0; while [ ! -e /tmp/stop ]; do seq $((i + 1)) $((i + 1000)); i=$((i + 1000)); sleep 0.3; done; echo in all $i; exec sleep 1000' </dev/null
	done
	pterm attach --read-only --since 0 busy1 </dev/null >"$TOP/seen" 3>&- &
	job=$!
	as "$WHO" "$TOP/new/src/pterm" upgrade -a
	for status in "$TOP/$WHO"/home/sessions/*/status.json; do
		[ "$(readlink "/proc/$(number pid "$status")/exe")" = "$TOP/new/src/pterm-supervisor" ]
		[ "$(number adoptions "$status")" = 1 ]
	done
	[ "$(pgrep -cf "^$TOP/new/src/pterm-keeper ")" = 50 ]
	! pgrep -f "^$TOP/bin/src/pterm-keeper " || false
	for n in {1..50}; do
		pterm exec -T "busy$n" touch /tmp/stop
	done
	for n in {1..50}; do
		wait_for 60 is_done "busy$n"
		all=$(pterm logs -n 1 "busy$n" | sed 's/in all //')
		pterm logs "busy$n" | cmp - <(seq "$all"; echo "in all $all")
	done
	# the keeper is the new build's, too: it starts the new build's supervisor
	kill_one supervisor busy1
	wait_for 20 adopted busy1 2
	[ "$(readlink "/proc/$(field busy1 pid)/exe")" = "$TOP/new/src/pterm-supervisor" ]
	pterm stop -t 0 busy1
	wait $job || true
	pterm logs busy1 | cmp - "$TOP/seen"
	# a build that cannot run: the keeper gives the session back to the one before
	cp -r "$TOP/bin" "$TOP/broken"
	rm "$TOP/broken/src/pterm-supervisor"
	printf '#!/no/such\n' >"$TOP/broken/src/pterm-supervisor"
	chmod 755 "$TOP/broken/src/pterm-supervisor"
	run as "$WHO" "$TOP/broken/src/pterm" upgrade busy2
	echo "$output"
	wait_for 20 adopted busy2 2
	[ "$(readlink "/proc/$(field busy2 pid)/exe")" = "$TOP/new/src/pterm-supervisor" ]
	[ "$(pterm exec -T busy2 echo hello)" = hello ]
	run as "$WHO" env PTERM_HOME="$TOP/$WHO/home" "$TOP/bin/src/pterm" upgrade nobody
	[ "$status" -eq 125 ]
	pterm rm -af
	assert_nothing_left
}
