#!/usr/bin/env bats
# A person at a session: real terminals, driven by pexpect (test/attach/*.py); pipes in the place of terminals; exec.
bats_require_minimum_version 1.5.0
# as: user root

load lib

setup() {
	/usr/bin/python3 -c 'import pexpect' 2>/dev/null || skip "needs python3-pexpect"
	pterm_setup
	cp -r "$BATS_TEST_DIRNAME/attach" "$TOP/attach"
	chmod -R a+rX "$TOP/attach"
}
teardown() { pterm_teardown; }

drive() { as "$WHO" PYTHONDONTWRITEBYTECODE=1 timeout -k 5 150 /usr/bin/python3 "$TOP/attach/$1.py"; }

@test "attach, type, detach with the default keys and with others; what was printed is shown again" { drive detach; }
@test "several viewers at once; one that only reads cannot type" { drive viewers; }
@test "a session cannot be attached to itself, however deep inside" { drive self; }
@test "--since shows what was printed since a position or a time" { drive since; }
@test "the terminal is restored when the session or its supervisor is killed" { drive restored; }
@test "the session has the size of who typed last" { drive size; }
@test "a stopped viewer slows nobody" { drive stopped; }
@test "what a viewer's terminal answers by itself is not typed, and no answer is recorded as typed" { drive late; }
@test "a supervisor that is killed: an attached terminal goes on" { drive adopted; }
@test "exec on a terminal: exit codes, size, job control, signals" { drive exec; }

@test "stdin may be a pipe or nothing" {
	run bash -c "$(declare -f as pterm); TOP=$TOP WHO=$WHO TEST_USER=$TEST_USER; echo 'echo h\$((1))i; exit 5' | pterm new --rm -- sh"
	[ "$status" -eq 5 ]
	[[ $output == *h1i* ]]
	run pterm new --rm -- sh </dev/null
	[ "$status" -eq 0 ]
	run pterm new --rm -- cat </dev/null
	[ "$status" -eq 0 ]
}

@test "exit codes of new: the command's own, 128 and the signal" {
	for code in 0 1 125 126 127 255; do
		run pterm new --rm -- sh -c "exit $code" </dev/null
		[ "$status" -eq "$code" ]
	done
	for signo in 1 2 9 15; do
		run pterm new --rm -- sh -c "kill -$signo \$\$" </dev/null
		[ "$status" -eq $((128 + signo)) ]
	done
}

@test "50 MB arrive complete through new" {
	head -c 37500000 /dev/urandom | base64 -w 76 >"$TOP/$WHO/big"
	chmod 644 "$TOP/$WHO/big"
	pterm new -v "$TOP/$WHO/big:/big:ro" -- sh -c 'stty -onlcr; cat /big' </dev/null >"$TOP/out"
	[ "$(sha256sum <"$TOP/out")" = "$(sha256sum <"$TOP/$WHO/big")" ]
	pterm new --rm -v "$TOP/$WHO/big:/big:ro" -- cat /big </dev/null | tr -d '\r' >"$TOP/out"
	[ "$(sha256sum <"$TOP/out")" = "$(sha256sum <"$TOP/$WHO/big")" ]
}

@test "exec without a terminal: 20 MB in and out byte for byte, stderr apart, exact exit codes" {
	pterm new -d s -- sh
	head -c 20000000 /dev/urandom >"$TOP/in"
	pterm exec -T s cat <"$TOP/in" >"$TOP/out"
	cmp "$TOP/in" "$TOP/out"
	pterm exec -T s sh -c 'echo out; echo err >&2; exit 255' </dev/null >"$TOP/out" 2>"$TOP/err" && code=0 || code=$?
	[ "$code" -eq 255 ]
	[ "$(cat "$TOP/out")" = out ]
	[ "$(cat "$TOP/err")" = err ]
	for code in 0 1 2 125 126 127; do
		run pterm exec -T s sh -c "exit $code" </dev/null
		[ "$status" -eq "$code" ]
	done
	run pterm exec -T s sh -c 'kill -KILL $$' </dev/null
	[ "$status" -eq 137 ]
	run -127 pterm exec -T s /no/such </dev/null
	run -126 pterm exec -T s /etc </dev/null
}

@test "exec ends with its command, though something that it left keeps the pipes" {
	pterm new -d s -- sh
	run timeout 20 bash -c "$(declare -f as pterm); TOP=$TOP WHO=$WHO TEST_USER=$TEST_USER; pterm exec -T s sh -c 'sleep 1000 & echo over' </dev/null"
	[ "$status" -eq 0 ]
	[ "$output" = over ]
}

@test "an exec that ends at once is never missed" {
	pterm new -d s -- sh
	for i in $(seq 50); do as "$WHO" timeout 10 "$TOP/bin/src/pterm" exec -T s true </dev/null; done
}
