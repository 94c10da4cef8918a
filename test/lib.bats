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
