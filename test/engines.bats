#!/usr/bin/env bats
# Ways to run a command: crun, runc, none at all (process, fake), what happens when there is no runtime; restart and stop.
# as: user root

bats_require_minimum_version 1.5.0
load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

text() { tr -d '\r' <<<"$output"; }

@test "--engine process says in the terminal and in the record that it is no container" {
	run pterm new s --engine process -- sh -c 'echo out; exit 4' </dev/null
	[ "$status" -eq 4 ] || { echo "status $status: $output"; return 1; }
	[[ $(text) == *"NOT a container"*out* ]]
	[ "$(field s has_container)" = False ]
	[ "$(field s engine)" = process ]
	run pterm new c -- true </dev/null
	[ "$(field c has_container)" = True ]
}

@test "--engine process gives three descriptors and the caller's own user" {
	run pterm new --rm --engine process -- sh -c 'id -u; ls /proc/self/fd | wc -l' </dev/null 7</etc/passwd
	[[ $(text) == *"$(as "$WHO" id -u)"$'\n'4* ]]
}

@test "without a runtime a program gets an error, and the fallback only when it asked" {
	export PTERM_CRUN=/nonexistent
	run pterm new --rm -- echo ran </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *PTERM_CRUN* ]]
	[[ $output != *ran* ]]
	run pterm new s --fallback process -- echo ran </dev/null
	[ "$status" -eq 0 ]
	[[ $(text) == *"NOT a container"*ran* ]]
	[ "$(field s has_container)" = False ]
	[ "$(field s engine)" = process ]
}

@test "a command that is wrong is no reason to fall back" {
	run -127 pterm new --rm --fallback process -- /no/such/command </dev/null
	[[ $output != *"NOT a container"* ]]
}

@test "what an engine cannot do is refused, and nothing is made" {
	local option
	for option in "--memory 64m" "--cpus 1" "--pids 10" "--network private" "--network none" "--network private -p 8080:80" \
		"-v $TOP/bin:/x" "-v $TOP/bin:/x:ro" "-u 1000" "--read-only" "--tmpfs /x" "--hostname other" "--image $TOP"; do
		# shellcheck disable=SC2086
		run --separate-stderr pterm new s --engine process $option -- echo ran </dev/null
		echo "$option: $status, $stderr"
		[ "$status" -eq 125 ]
		[ -z "$output" ]
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[[ $stderr == *"the engine 'process' cannot do --"*"leave it out"* ]]
	done
	[ "$(pterm ls -o json | tr -d '[:space:]')" = "[]" ]
	run pterm new --rm --engine process --network host -- echo ran </dev/null
	[ "$status" -eq 0 ]
}

@test "a fallback does not drop what confines, and says what else it drops" {
	export PTERM_CRUN=/nonexistent
	for option in "--memory 64m" "--pids 10" "--network none" "--read-only" "-v $TOP/bin:/x:z,ro"; do
		# shellcheck disable=SC2086
		run --separate-stderr pterm new s --fallback process $option -- echo ran </dev/null
		[ "$status" -eq 125 ]
		[[ $stderr == *"--fallback process: the engine 'process' cannot do --"* ]]
	done
	unset PTERM_CRUN
	run pterm new s --rm --fallback process --hostname other -v "$TOP/bin:/x" -- cat /etc/hostname </dev/null
	[ "$(text)" = other ] || { echo "status $status: $output"; return 1; } # a container there is
	export PTERM_CRUN=/nonexistent
	run pterm new s --fallback process --hostname other -v "$TOP/bin:/x" -- echo ran </dev/null
	[ "$status" -eq 0 ]
	[[ $(text) == *"NOT a container"*$'\n'"pterm: not kept without one: --volume, --hostname"$'\n'*ran* ]] || { echo "status $status: $output"; return 1; }
	grep -q 'without --volume, --hostname' "$TOP/$WHO/home/sessions/$(field s id)/events.jsonl"
}

@test "a person gets no fallback without what confines" {
	export PTERM_CRUN=/nonexistent
	command -v script >/dev/null || skip "needs script"
	on_terminal() { as "$WHO" script -qec "$TOP/bin/src/pterm $*" /dev/null </dev/null; }
	run on_terminal new one --read-only -- echo ran
	[[ $output != *"NOT a container"* && $output == *PTERM_CRUN* ]]
	run on_terminal new two -- echo ran
	[[ $output == *"NOT a container"*ran* ]]
}

@test "the SSH agent of a command without a container is the real one" {
	/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$TOP/agent"
	chmod 666 "$TOP/agent"
	export SSH_AUTH_SOCK=$TOP/agent
	PASSED_ON+=(SSH_AUTH_SOCK)
	run pterm new --rm --ssh-agent --engine process -- sh -c 'echo "agent=$SSH_AUTH_SOCK"' </dev/null
	[[ $(text) == *"agent=$TOP/agent"* ]]
	run pterm new --rm --ssh-agent -- sh -c 'echo "agent=$SSH_AUTH_SOCK"' </dev/null
	[[ $(text) == *"agent=/dev/ssh-agent"* ]]
	export PTERM_CRUN=/nonexistent
	run pterm new --rm --ssh-agent --fallback process -- sh -c 'echo "agent=$SSH_AUTH_SOCK"' </dev/null
	[[ $(text) == *"agent=$TOP/agent"* ]]
	run pterm new --rm --ssh-agent --fallback process -e SSH_AUTH_SOCK=/mine -- sh -c 'echo "agent=$SSH_AUTH_SOCK"' </dev/null
	[[ $(text) == *"agent=/mine"* ]]
}

@test "fake is silent and runs the command as it is" {
	run pterm new --rm --engine fake -- sh -c 'echo out; exit 4' </dev/null
	[ "$status" -eq 4 ] || { echo "status $status: $output"; return 1; }
	[ "$(text)" = out ]
}

@test "what a command without a container leaves behind ends with it" {
	run pterm new --rm --engine fake -- sh -c 'setsid sleep 31557 & (setsid setsid sleep 31557 &) ; echo started' </dev/null
	[ "$status" -eq 0 ]
	! grep -qxz 31557 /proc/[0-9]*/cmdline 2>/dev/null
}

@test "runc: a session, exec, its confinement, stop, rm" {
	local runc=/usr/sbin/runc
	[ -x "$runc" ] || skip "needs runc"
	export PTERM_CRUN=$runc
	pterm new -d s -- sleep 1000
	run pterm exec -T s sh -c 'id -u; cat /proc/self/status /proc/self/uid_map; exit 6'
	[ "$status" -eq 6 ]
	[[ $output == *"CapEff:	00000000800405fb"* ]]
	[[ $output == *"NoNewPrivs:	1"* ]]
	[[ $output == *"Seccomp:	2"* ]]
	run pterm exec -t s tty </dev/null
	[[ $output == /dev/pts/* ]]
	init=$(field s init_pid)
	pterm stop -t 0 s
	[ ! -e "/proc/$init" ]
	[ "$(field s reason)" = stopped ]
	pterm rm s
	run pterm new --rm -- sh -c 'echo out; exit 3' </dev/null
	[ "$status" -eq 3 ]
	[ "$(text)" = out ]
	[ ! -e "/sys/fs/cgroup/unified/s" ]
}

# --- restart ---

ended() { [ "$(field "$1" state)" = ended ]; }

@test "--restart on-failure:2 tries three times in all" {
	run pterm new s --restart on-failure:2 -- sh -c 'echo try; exit 3' </dev/null
	[ "$status" -eq 3 ]
	[ "$(text | grep -c '^try$')" = 3 ]
	[ "$(field s restarts)" = 2 ]
	run pterm new t --restart on-failure:2 -- sh -c 'echo try; exit 0' </dev/null
	[ "$(text | grep -c '^try$')" = 1 ]
}

@test "--restart always goes on, with a pause that grows, until somebody stops it" {
	pterm new -d s --restart always -- sh -c 'echo try'
	wait_for 20 sh -c "[ \$(tr -d '\\r' <'$TOP/$WHO/home/sessions/$(field s id)/output.log' | grep -c '^try$') -ge 4 ]"
	pterm stop s
	[ "$(field s state)" = ended ]
	[ "$(field s reason)" = stopped ]
	# 100, 200, 400 ms at least lie between the first four
	python3 - "$TOP/$WHO/home/sessions/$(field s id)/events.jsonl" <<-'P'
	import datetime, json, sys
	at = [datetime.datetime.fromisoformat(e["time"].replace("Z", "+00:00")).timestamp()
	      for e in map(json.loads, open(sys.argv[1])) if e["event"] == "session.started"]
	gaps = [b - a for a, b in zip(at, at[1:])]
	assert len(gaps) >= 3 and all(g >= 0.09 * 2 ** i for i, g in enumerate(gaps[:4])), gaps
	P
}

@test "a restart goes on at the same position of the log" {
	run pterm new s --restart on-failure:1 -- sh -c 'echo 123456; exit 1' </dev/null
	[ "$(field s position)" = 16 ] # twice "123456\r\n"
	[ "$(wc -c <"$TOP/$WHO/home/sessions/$(field s id)/output.log")" = 16 ]
	pterm start s
	wait_for 10 ended s
	[ "$(field s position)" -ge 24 ]
}

# --- stop ---

stop_of() { # SCRIPT TIMEOUT: what ends a command that says `ready`
	pterm new -d s -- sh -c "$1; echo ready; while :; do sleep 0.1; done" >/dev/null
	wait_for 10 grep -q ready "$TOP/$WHO/home/sessions/$(field s id)/output.log"
	pterm stop -t "$2" s >/dev/null
	wait_for 10 ended s
	field s signo
}

@test "stop begins with HUP" {
	[ "$(stop_of : 10)" = 1 ]
}

@test "what ignores HUP gets TERM" {
	[ "$(stop_of "trap '' HUP" 4)" = 15 ]
}

@test "what ignores both gets KILL" {
	[ "$(stop_of "trap '' HUP TERM" 2)" = 9 ]
}

@test "stop -t 0 and restart -t 0 kill at once" {
	[ "$(stop_of "trap 'echo heard' HUP TERM" 0)" = 9 ]
	! grep -q heard "$TOP/$WHO/home/sessions/$(field s id)/output.log"
	pterm new -d r -- sh -c 'trap "echo heard" HUP TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 10 grep -q ready "$TOP/$WHO/home/sessions/$(field r id)/output.log"
	local before=$SECONDS
	pterm restart --time 0s r
	[ $((SECONDS - before)) -lt 8 ]
	[ "$(field r run)" = 2 ]
	! grep -q heard "$TOP/$WHO/home/sessions/$(field r id)/output.log"
}

@test "a stopped command is woken to be ended" {
	pterm new -d s -- sh -c 'trap "echo got-hup; exit 5" HUP; echo ready; kill -STOP $$; while :; do sleep 0.1; done'
	wait_for 10 grep -q ready "$TOP/$WHO/home/sessions/$(field s id)/output.log"
	pterm stop s
	wait_for 10 ended s
	grep -q got-hup "$TOP/$WHO/home/sessions/$(field s id)/output.log"
}
