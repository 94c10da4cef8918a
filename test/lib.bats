#!/usr/bin/env bats
# What the suites stand on.

load lib

@test "without a directory of its own a test changes and removes nothing" {
	mkdir "$BATS_TEST_TMPDIR/bystander"
	chmod 700 "$BATS_TEST_TMPDIR/bystander"
	cd "$BATS_TEST_TMPDIR/bystander"
	TMPDIR=/nonexistent run pterm_setup
	[ "$status" -ne 0 ]
	[[ $output == *"cannot make a directory for the test"* ]]
	for TOP in "" / /tmp "$BATS_TEST_TMPDIR/bystander"; do
		run pterm_teardown
		[ "$status" -eq 0 ]
		[ "$(stat -c %a "$BATS_TEST_TMPDIR/bystander")" = 700 ]
	done
}


@test "what hangs is ended with all it started, whatever that holds or ignores" {
	run "$BATS_TEST_DIRNAME/tools/leash" 2 sh -c "trap '' TERM; echo 1..2; echo ok 1 a; setsid sleep 1000.${$}1 & sleep 1000.${$}2"
	echo "$output"
	[ "$status" -eq 124 ]
	[[ $output == *"not ok "*"no result came for 2 s"*"runs: sleep 1000.${$}2"* ]]
	! pgrep -f "sleep 1000[.]${$}"
}

@test "what has ended leaves nothing running, and its exit code is kept" {
	run "$BATS_TEST_DIRNAME/tools/leash" 300 sh -c "echo 1..1; echo ok 1 a; setsid sleep 1000.${$} >/dev/null & exit 3"
	echo "$output"
	[ "$status" -eq 3 ]
	[ "$output" = $'1..1\nok 1 a' ]
	! pgrep -f "sleep 1000[.]${$}"
}

@test "what is held open when all its tests are through does not hold the run" {
	run "$BATS_TEST_DIRNAME/tools/leash" 2 sh -c "echo 1..1; echo ok 1 a; sleep 1000.${$}"
	[ "$status" -eq 124 ]
	[[ $output == *"not ok "* ]]
	! pgrep -f "sleep 1000[.]${$}"
}

@test "results are counted test by test; what ends without any counts as one" {
	build=$BATS_TEST_TMPDIR
	mkdir "$build/meson-logs" "$build/test"
	cat >"$build/meson-logs/testlog.json" <<-'JSON'
		{"name": "a", "result": "OK", "stdout": "1..3\nok 1 - x\nok 2 - y # SKIP why\nok 3 - okay\nnot okay, but no result\n"}
		{"name": "b", "result": "FAIL", "stdout": "1..2\nok 1 - x\nnot ok 2 - y\n"}
		{"name": "crashes", "result": "FAIL", "stdout": "1..2\nok 1 - x\n"}
		{"name": "plain", "result": "OK"}
		{"name": "cannot", "result": "SKIP"}
	JSON
	printf '%s\n' '1..3' 'ok 1 a' 'ok 2 b # skip needs root' 'not ok 3 c' '# ok' >"$build/test/report.tap"
	run "$BATS_TEST_DIRNAME/tools/tally" "$build"
	echo "$output"
	[ "$output" = "6 passed, 3 failed, 3 skipped" ]
}
