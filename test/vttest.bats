#!/usr/bin/env bats
# vttest, which was made to try terminals, in a session that nobody watches: typed into by send, read by screen.
bats_require_minimum_version 1.5.0
# as: user

load lib

setup() {
	command -v vttest >/dev/null || skip "needs vttest"
	pterm_setup
}
teardown() { pterm_teardown; }

menu() { as "$WHO" env "PYTHONPATH=$BATS_TEST_DIRNAME/vttest" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$BATS_TEST_DIRNAME/vttest/menus.py" "$1"; }

@test "vttest: cursor movements" { menu 1; }
@test "vttest: screen features" { menu 2; }
@test "vttest: reports" { menu 6; }
@test "vttest: inserting and deleting" { menu 8; }
