#!/usr/bin/env bats
# What looks at sessions and clears them away: logs, stats, events, gc, engines, listings.
# as: user root

load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

# json EXPRESSION: of the JSON on stdin, called x.
json() { python3 -c 'import json,sys; x = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
ended() { [ "$(field "$1" state)" = ended ]; }
home() { echo "$TOP/$WHO/home"; }

@test "logs: byte for byte what was printed, also when it has ended" {
	pterm new one -- printf 'a\033[1mb\001\nc' </dev/null >/dev/null
	pterm logs one >"$TOP/log"
	printf 'a\033[1mb\001\r\nc' | cmp - "$TOP/log"
	run pterm logs nosuch
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"there is no session 'nosuch'"* ]]
}

@test "logs: -n, --since, --plain, --timestamps" {
	pterm new one -- printf 'first\nsecond\n\033[31mthird\033[0m\n' </dev/null >/dev/null
	[ "$(pterm logs -n 1 --plain one)" = third ]
	[ "$(pterm logs --tail 2 --plain one)" = $'second\nthird' ]
	[ "$(pterm logs -n 99 --plain one)" = $'first\nsecond\nthird' ]
	[ "$(pterm logs --since 7 --plain one)" = $'second\nthird' ]
	[ "$(pterm logs --since 1h --plain one)" = $'first\nsecond\nthird' ]
	[ "$(pterm logs --since 2199-01-01 --plain one)" = "" ]
	run pterm logs --timestamps --plain one
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[2]} =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z\ third$ ]]
	run pterm logs --since never one
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "logs -f: no byte lost or doubled between recording and ring, until the end" {
	pterm new -d one -- sh -c 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done' </dev/null
	local followers=()
	for i in 1 2 3 4 5 6; do
		pterm logs -f one >"$TOP/follow.$i" &
		followers+=($!)
	done
	pterm logs -f one | tr -d '\r' >"$TOP/followed"
	wait "${followers[@]}"
	for ((i = 0; i < 20000; i++)); do echo "line $i"; done | cmp - "$TOP/followed"
	pterm logs one >"$TOP/log"
	for i in 1 2 3 4 5 6; do cmp "$TOP/follow.$i" "$TOP/log"; done
}

@test "logs -f: a slow reader gets what left the ring from the recording" {
	mkfifo "$TOP/go"
	pterm new -d one -- sh -c 'head -c 12000000 /dev/zero | tr "\000" x' </dev/null
	# nothing is read until the session has ended: the pipe and the ring are long full
	pterm logs -f one | { read -r _ <"$TOP/go"; wc -c >"$TOP/count"; } &
	local reader=$!
	wait_for 60 ended one
	echo >"$TOP/go"
	wait "$reader"
	[ "$(cat "$TOP/count")" -eq 12000000 ]
}

@test "logs: another machine's session can be read, and not followed" {
	pterm new one -- echo hello </dev/null >/dev/null
	PTERM_TEST_MACHINE_ID=another run pterm logs --plain one
	[ "$output" = hello ]
	PTERM_TEST_MACHINE_ID=another run pterm logs -f one
	[ "$status" -eq 125 ]
}

@test "listings: what a command line holds never reaches the terminal" {
	pterm new one -- printf 'x\033[2J\007' "$(printf '\033]0;title\007\nforged line')" </dev/null >/dev/null
	for command in "ls" "inspect one" "events" "gc --keep 0 --dry-run" "ls -o json" "inspect one -o json" "events -o json"; do
		# shellcheck disable=SC2086
		pterm $command >"$TOP/out"
		! grep -q "$(printf '[\033\007\177]')" "$TOP/out"
		! grep -q '^forged' "$TOP/out"
	done
	pterm ls | grep -qF '\e]0;title'
	pterm logs one | grep -q "$(printf '\033')"
}

@test "stats: what runs, once in a pipe" {
	pterm new -d idle -- sleep 1000 </dev/null
	pterm new -d busy -- sh -c 'while :; do :; done' </dev/null
	pterm new over -- true </dev/null
	run pterm stats
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == NAME*CPU*MEMORY*LIMIT*PROCESSES* ]]
	[ "${#lines[@]}" -eq 3 ]
	pterm stats -o json >"$TOP/json"
	[ "$(json 'sorted(u["name"] for u in x)' <"$TOP/json")" = "['busy', 'idle']" ]
	[ "$(json '[u for u in x if u["name"] == "busy"][0]["cpu_percent"] > [u for u in x if u["name"] == "idle"][0]["cpu_percent"]' <"$TOP/json")" = True ]
	[ "$(json 'all(u["memory_bytes"] > 0 and u["pids"] >= 2 for u in x)' <"$TOP/json")" = True ]
	run pterm stats over
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	pterm stop -t 1s busy idle
	[ "$(pterm stats -o json)" = "[]" ]
}

@test "stats: on a terminal the table is kept up to date" {
	pterm new -d idle -- sleep 1000 </dev/null
	export -f as pterm
	export WHO TOP TEST_USER
	python3 - <<-'END'
	import os, pty, signal
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvp("bash", ["bash", "-c", "pterm stats"])
	seen = b""
	while seen.count(b"\x1b[H") < 3 or not seen.endswith(b"\x1b[J"):  # cleared once, refreshed twice
	    seen += os.read(fd, 4096)
	assert seen.count(b"\x1b[2J") == 1, seen
	assert seen.count(b"idle") == 3, seen
	os.write(fd, b"\x03")
	os.waitpid(pid, 0)
	END
}

@test "events: merged, in order of time, of some or of all" {
	pterm new one -- true </dev/null
	pterm new two -- false </dev/null || true
	run pterm events
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == TIME*EVENT*SESSION*DETAILS ]]
	pterm events -o json >"$TOP/events"
	sort "$TOP/events" | cut -d, -f1 | cmp - <(cut -d, -f1 "$TOP/events")
	grep -q '"session.ended".*"one"' "$TOP/events"
	! pterm events two -o json | grep -q '"one"'
	[ "$(pterm events --since 0s -o json)" = "" ]
	run pterm events nosuch
	[ "$status" -eq 125 ]
}

@test "events -f: sessions come, are renamed, and go" {
	coproc FOLLOWER { exec 2>&1; pterm events -f --since 0s; }
	local pid=$FOLLOWER_PID got=
	read -r -t 20 _ <&"${FOLLOWER[0]}"
	pterm new one -- true </dev/null
	pterm rename one uno
	pterm rm uno
	while [[ $got != *session.removed* ]]; do
		read -r -t 20 line <&"${FOLLOWER[0]}"
		got+=$line$'\n'
	done
	exec {FOLLOWER[0]}<&-
	wait "$pid" # it ends when nobody reads
	for event in session.created session.started session.renamed session.exited session.ended session.removed; do
		[[ $got == *$event* ]]
	done
	[[ $got == *"session.removed     uno"* ]]
	[ "$(grep -c session.created <<<"$got")" -eq 1 ]
}

@test "events -f of one session is over when it is removed" {
	pterm new one -- true </dev/null
	mkfifo "$TOP/out"
	pterm events -f one >"$TOP/out" &
	exec 5<"$TOP/out"
	read -r -t 20 _ <&5
	pterm rm one
	timeout 20 cat <&5 >"$TOP/rest"
	wait $!
	tail -n 1 "$TOP/rest" | grep -q session.removed
}

@test "gc: without a policy no session goes; what was cut short does" {
	pterm new one -- true </dev/null
	run pterm gc
	[ "$output" = "nothing to do" ]
	as "$WHO" ln -s 0123456789ae "$(home)/names/gone"
	pterm gc --dry-run | grep -q 'would remove.*gone'
	[ -L "$(home)/names/gone" ]
	as "$WHO" rm "$(home)/names/gone"
	as "$WHO" mkdir "$(home)/sessions/.rm-0123456789ab" "$(home)/sessions/.new-0123456789ac"
	as "$WHO" ln -s 0123456789ad "$(home)/names/dead"
	[ "$(pterm gc -o json | json 'sorted(d["name"] for d in x)')" = "['.new-0123456789ac', '.rm-0123456789ab', 'dead']" ]
	[ ! -e "$(home)/sessions/.rm-0123456789ab" ]
	[ ! -L "$(home)/names/dead" ]
	[ -L "$(home)/names/one" ]
	[ "$(pterm ls -q)" = one ]
}

@test "gc: a killed supervisor's session is settled, and told" {
	pterm new -d one -- sleep 1000 </dev/null
	"$BATS_TEST_DIRNAME/tools/fault" kill $("$BATS_TEST_DIRNAME/tools/fault" pid owners "$(field one id)")
	wait_for 20 eval 'pterm gc -o json >"$TOP/gc"; grep -q lost-session "$TOP/gc"'
	[ "$(field one reason)" = supervisor-lost ]
}

@test "gc: what a start that was cut short left of the runtime's" {
	local runtime id
	runtime=/run/pterm
	[ "$WHO" = root ] || runtime=/dev/shm/pterm-$(as "$WHO" id -u)
	[ -d "$runtime" ] || skip "the runtime directory is elsewhere"
	pterm new -d alive -- sleep 1000 </dev/null
	pterm new one -- true </dev/null
	id=$(field one id)
	# of an ended session, of a running one, of another home's that may be starting just now
	as "$WHO" mkdir -p "$runtime/crun-test-$$/$id-7" "$runtime/crun-test-$$/$(field alive id)-7" "$runtime/crun-test-$$/$id$$-1"
	as "$WHO" mkdir "$runtime/crun-test-$$/$(tr '0-9a-f' '1-9a-f0' <<<"$id")-1"
	pterm gc -o json >"$TOP/gc"
	run as "$WHO" ls "$runtime/crun-test-$$"
	as "$WHO" rm -r "$runtime/crun-test-$$"
	grep -q "\"$id-7\"" "$TOP/gc"
	[ "${#lines[@]}" -eq 3 ]
}

@test "gc: by number, age and disk; never what runs, never another machine's" {
	pterm new -d alive -- sleep 1000 </dev/null
	for name in a b c; do pterm new "$name" -- true </dev/null; done
	[ "$(pterm gc --keep-for 1h)" = "nothing to do" ]
	[ "$(pterm gc --max-disk 1g)" = "nothing to do" ]
	PTERM_TEST_MACHINE_ID=another run pterm gc --keep 0 --max-disk 0
	[ "$output" = "nothing to do" ]
	pterm gc --keep 2 --dry-run | grep -q 'would remove'
	[ "$(pterm ls -q | sort | xargs)" = "a alive b c" ]
	pterm gc --keep 2
	[ "$(pterm ls -q | sort | xargs)" = "alive b c" ]
	pterm gc --max-disk 0 --keep-for 0s
	[ "$(pterm ls -q)" = alive ]
	[ "$(field alive state)" = running ]
	for bad in "--keep x" "--keep-for x" "--max-disk x"; do
		# shellcheck disable=SC2086
		run pterm gc $bad
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "engines: what there is, without those for tests" {
	run pterm engines
	[ "$status" -eq 0 ]
	[[ $output == *"crun"*"yes"* ]]
	[[ $output != *fake* ]]
	[ "$(pterm engines -o json | json '[e["name"] for e in x if e["usable"]]')" = "['crun', 'process']" ]
	PTERM_CRUN=/nonexistent run pterm engines
	[ "$status" -eq 0 ]
	[[ $output == *"crun     no"*"/nonexistent"* ]]
}

@test "exec ends with the run of the command that it is in, though the session is restarted" {
	pterm new -d --restart always s -- sh -c 'mkfifo /tmp/go 2>/dev/null; read -r x </tmp/go'
	wait_for 20 eval 'pterm exec -T s test -p /tmp/go'
	run as "$WHO" timeout 60 "$TOP/bin/src/pterm" exec -T s sh -c 'echo >/tmp/go; exec sleep 1000'
	[ "$status" -eq 137 ]
}
