#!/usr/bin/env bats
# Sessions on the real crun: what the commands do.
# as: user root

load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

@test "a command runs in a container, confined" {
	run pterm new --rm -- sh -c 'id -u; cat /proc/self/status' </dev/null
	[ "$status" -eq 0 ]
	[ "${lines[0]//$'\r'/}" = 0 ]
	[[ $output == *"NoNewPrivs:	1"* ]]
	[[ $output == *"Seccomp:	2"* ]]
	caps=$(sed -n 's/^CapEff:\t\([0-9a-f]*\).*/\1/p' <<<"$output")
	[ $((0x$caps >> 21 & 1)) -eq 0 ] # CAP_SYS_ADMIN
}

@test "uid 0 inside is no root outside" {
	run pterm new --rm -- cat /proc/self/uid_map </dev/null
	[ "$status" -eq 0 ]
	outside=$(awk '$1 == 0 { print $2 }' <<<"$output")
	[ "$outside" -gt 0 ]
}

@test "a session of another user of the image can be started again" {
	pterm new box -u nobody -- id -u </dev/null
	pterm start box
	wait_for 60 eval '[ "$(field box state) $(field box run)" = "ended 2" ]'
	[ "$(field box reason)" = exited ]
}

@test "the exit code is the command's" {
	run pterm new --rm -- sh -c 'exit 7' </dev/null
	[ "$status" -eq 7 ]
	run pterm new --rm -- sh -c 'kill -TERM $$' </dev/null
	[ "$status" -eq 143 ]
	run pterm new --rm -- /no/such/command </dev/null
	[ "$status" -eq 127 ]
	run pterm new --rm -- /etc </dev/null
	[ "$status" -eq 126 ]
}
