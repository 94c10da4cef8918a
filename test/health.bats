#!/usr/bin/env bats
# Probes: is a session healthy, is it ready; what becomes of it when it is not.
# as: user root

load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

FAST=(--health-interval 50ms --health-retries 2)

json() { pterm inspect "$1" -o json | python3 -c 'import json,sys; x = json.load(sys.stdin); print(eval(sys.argv[1]))' "$2"; }
event() { pterm events "$1" -o json | grep -q "\"$2\""; }
is() { [ "$(field "$1" "$2")" = "$3" ]; }
inside() { pterm exec "$1" -- sh -c "$2" </dev/null; }
# processes SESSION WORD: how many inside have it among their arguments, but for those that look
processes() { inside "$1" "grep -la '[${2:0:1}]${2:1}' /proc/[0-9]*/cmdline 2>/dev/null | wc -l"; }
no_processes() { [ "$(processes "$1" "$2")" = 0 ]; }

@test "healthy, unhealthy, healthy again: in ls, inspect, events, and for those who wait" {
	pterm new -d --health-cmd 'cat /tmp/good' "${FAST[@]}" box -- cat
	wait_for 20 is box health unhealthy
	[[ $(pterm ls) == *"running, unhealthy"* ]]
	[ "$(json box 'x["health"]["probes"][0]["results"][-1]["exit_code"]')" = 1 ]
	[[ $(json box 'x["health"]["probes"][0]["results"][-1]["output"]') == *"/tmp/good"*"No such file"* ]]
	[[ $(pterm inspect box) == *"health "*"exit code 1: "* ]]
	pterm wait box --healthy -t 60s -o json >"$TOP/waited" 3>&- &
	inside box 'echo fine >/tmp/good'
	wait $!
	[[ $(cat "$TOP/waited") == *'"event":"healthy"'* ]]
	[[ $(pterm ls) == *"running, healthy"* ]]
	pterm wait box --healthy -t 60s # it is so already
	event box session.unhealthy
	event box session.healthy
	is box run 1 # without a restart policy it is only told
}

@test "a probe runs as the session's user, in its directory, with its environment" {
	pterm new -d -u 1000 -w /tmp -e WORD=hello --health-cmd 'echo $WORD $(id -u) $PWD; tr "\0" x </dev/zero | head -c 9000' "${FAST[@]}" box -- cat
	pterm wait box --healthy -t 60s
	[[ $(json box 'x["health"]["probes"][0]["results"][0]["output"]') == "hello 1000 /tmp"* ]]
	[ "$(json box 'len(x["health"]["probes"][0]["results"][0]["output"])')" = 4096 ]
	many() { [ "$(json box 'len(x["health"]["probes"][0]["results"])')" = 5 ]; }
	wait_for 20 many
}

@test "ready: asked soon, told once; unready when it fails again" {
	pterm new -d --ready-cmd 'test -e /tmp/ready' --ready-interval 50ms --ready-retries 2 box -- cat
	[[ $(pterm ls) == *"running, not ready"* ]]
	run pterm wait box --ready -t 300ms
	[ "$status" -eq 124 ]
	inside box 'touch /tmp/ready'
	pterm wait box --ready -t 60s
	[[ $(pterm ls) == *"running, ready"* ]]
	inside box 'rm /tmp/ready'
	wait_for 20 is box readiness unready
	event box session.ready
	event box session.unready
}

@test "what hangs is killed with all that it started" {
	pterm new -d --health-cmd 'sleep 4711 & setsid sh -c "sleep 4711 & exec sleep 4711" & sleep 4711' --health-timeout 300ms \
		--health-interval 1h --health-retries 1 box -- cat
	wait_for 30 is box health unhealthy
	no_processes box 4711
	[ "$(json box 'x["health"]["probes"][0]["results"][0]["timed_out"]')" = True ]
	is box state running
}

@test "what a probe leaves behind ends with it, and what ends by SIGALRM did not take too long" {
	pterm new -d --health-cmd 'setsid sleep 4712 & kill -ALRM $$' --health-interval 1h --health-retries 1 box -- cat
	wait_for 30 is box health unhealthy
	no_processes box 4712
	[ "$(json box 'x["health"]["probes"][0]["results"][0]["timed_out"]')" = False ]
	[ "$(json box 'x["health"]["probes"][0]["results"][0]["exit_code"]')" = 142 ]
}

@test "with a restart policy the unhealthy is started again; on-failure counts it" {
	pterm new -d --restart on-failure:2 --health-cmd 'test -e /tmp/good' "${FAST[@]}" box -- sh -c 'trap "exit 0" HUP; while :; do sleep 1; done'
	wait_for 60 is box state ended
	is box reason unhealthy
	is box run 3
	[[ $(pterm ls) == *" unhealthy "* ]]
	[ "$(pterm events box -o json | grep -c '"session.unhealthy"')" = 3 ]
	grep -q . "$TOP/$WHO/home/sessions/$(field box id)/crash/reason"

	# its second run is a good one
	pterm new -d --restart always --health-cmd 'test -e /v/good' "${FAST[@]}" -v runs:/v always -- \
		sh -c 'echo >>/v/runs; [ "$(wc -l </v/runs)" -lt 2 ] || touch /v/good; exec cat'
	pterm wait always --healthy -t 60s
	[ "$(field always run)" -ge 2 ]
}

@test "failures in the start period do not count" {
	pterm new -d --restart always --health-cmd 'test -e /tmp/good' --health-interval 50ms --health-retries 1 --health-start-period 1h box -- cat
	tried() { [ "$(json box 'len(x["health"]["probes"][0]["results"])')" = 5 ]; }
	wait_for 20 tried
	is box health starting
	is box run 1
	inside box 'touch /tmp/good'
	pterm wait box --healthy -t 60s
}

@test "it goes on when the supervisor is replaced, and when it is killed while a probe runs" {
	pterm new -d --restart always --health-cmd 'echo $$ >>/tmp/asked; test ! -e /tmp/bad' "${FAST[@]}" box -- cat
	pterm wait box --healthy -t 60s
	fault=$BATS_TEST_DIRNAME/tools/fault
	"$fault" kill $("$fault" pid supervisor "$(field box id)")
	wait_for 20 is box adoptions 1
	is box health healthy
	before=$(inside box 'wc -l </tmp/asked')
	more() { [ "$(inside box 'wc -l </tmp/asked')" -gt $((before + 3)) ]; }
	wait_for 20 more
	is box run 1
	pterm upgrade box
	before=$(inside box 'wc -l </tmp/asked')
	wait_for 20 more
	inside box 'touch /tmp/bad'
	wait_for 60 eval '[ "$(field box run)" -ge 2 ]'

	# the probe itself is ended by the container, whoever supervises it
	pterm new -d --health-cmd 'sleep 4713' --health-timeout 3s --health-interval 1h --health-retries 1 hangs -- cat
	running() { [ "$(processes hangs 4713)" -gt 0 ]; }
	wait_for 20 running
	"$fault" kill $("$fault" pid supervisor "$(field hangs id)")
	wait_for 20 no_processes hangs 4713
	is hangs state running
}

@test "probes stop when the session is stopped, and begin anew when it is started" {
	pterm new -d --health-cmd true "${FAST[@]}" --ready-cmd true box -- sh -c 'trap "" HUP; while :; do sleep 0.1; done'
	pterm wait box --healthy -t 60s
	pterm wait box --ready -t 60s
	pterm stop -t 500ms box
	is box readiness unready
	[[ $(pterm ls) != *healthy* ]]
	run pterm wait box --healthy
	[ "$status" -eq 1 ]
	pterm start box
	pterm wait box --ready -t 60s
}

@test "nothing of it without a probe; wrong options are one sentence" {
	pterm new -d box -- cat
	is box health none
	[ ! -e "$TOP/$WHO/home/sessions/$(field box id)/health.json" ]
	run pterm wait box --healthy
	[ "$status" -eq 125 ]
	[[ $output == *"session 'box' has no probe for that"* ]]
	for options in '--health-interval 1s' '--ready-retries 2' '--health-cmd= ' '--health-cmd true --health-timeout 2d'; do
		# shellcheck disable=SC2086
		run pterm new $options -- true </dev/null
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	# a shell that is not there is a failure like another
	mkdir -p "$TOP/empty/bin"
	cp /bin/busybox "$TOP/empty/bin/sleep" 2>/dev/null || skip "no busybox"
	chmod -R a+rX "$TOP/empty"
	pterm new -d --image "$TOP/empty" --health-cmd true --health-interval 50ms --health-retries 1 bare -- /bin/sleep 1000
	wait_for 20 is bare health unhealthy
	[ "$(json bare 'x["health"]["probes"][0]["results"][0]["exit_code"]')" = 127 ]
}
