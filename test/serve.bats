#!/usr/bin/env bats
# pterm serve: HTTP and WebSockets, what may not come, who may ask, and that sessions do not depend on it.
# as: user root

load lib

setup() {
	pterm_setup
	export SERVE_PORT='' SERVE_PID=''
}

teardown() {
	serve_stop || true
	pterm_teardown
}

# serve_start [OPTION...]: on a free port, until it is ready. Its log is in $TOP/serve.log.
serve_start() {
	: >"$TOP/serve.out"
	as "$WHO" env PTERM_LOG=debug "$TOP/bin/src/pterm" serve --listen 127.0.0.1:0 "$@" >"$TOP/serve.out" 2>>"$TOP/serve.log" 3>&- &
	SERVE_JOB=$!
	wait_for 60 serve_is_ready
	SERVE_PORT=$(sed -n 's,^http://127.0.0.1:\([0-9]*\)/.*,\1,p' "$TOP/serve.out")
	SERVE_PID=$(sed -n 's/.* ptermd\[\([0-9]*\)\].* serves .*/\1/p' "$TOP/serve.log" | tail -1)
	PASSED_ON+=(SERVE_PORT SERVE_PID)
}
serve_is_ready() { grep -q '/serve.sock$' "$TOP/serve.out" && grep -q "serves '" "$TOP/serve.log" || ! kill -0 "$SERVE_JOB"; }

serve_stop() {
	[ -n "${SERVE_JOB-}" ] || return 0
	[ -z "$SERVE_PID" ] || kill "$SERVE_PID" 2>/dev/null || true
	local status=0
	wait "$SERVE_JOB" || status=$?
	SERVE_JOB=''
	return "$status"
}

# program NAME [ARGUMENT...]: one of test/serve/, as the one who runs pterm; it prints "good" when it is.
program() {
	local name=$1
	shift
	run as "$WHO" /usr/bin/python3 -B "$BATS_TEST_DIRNAME/serve/$name.py" "$@"
	echo "$output"
	[ "$status" = 0 ] && [ "${lines[-1]}" = good ]
}

@test "a session's life by REST" {
	serve_start
	program rest
	serve_stop
	! grep -E ' (err|crit) ' "$TOP/serve.log"
}

@test "OpenAPI and the route table say the same" {
	run /usr/bin/python3 -B "$BATS_TEST_DIRNAME/serve/openapi.py"
	echo "$output"
	[ "$output" = good ]
}

# A generator of requests from the description, from PyPI into the build folder.
schemathesis() {
	local venv=$PTERM_BUILD/schemathesis log=$PTERM_BUILD/schemathesis.log
	if [ ! -e "$venv/good" ]; then
		{ /usr/bin/python3 -m venv --clear "$venv" && "$venv/bin/pip" install --quiet schemathesis==4.32.0 && touch "$venv/good"; } \
			>"$log" 2>&1 || skip "schemathesis cannot be had from PyPI: $(tail -1 "$log")"
	fi
	"$venv/bin/schemathesis" "$@"
}

@test "requests made from OpenAPI by another program: no 5xx, and nothing that it does not say" {
	serve_start
	pterm new -d here -- sh
	cd "$TOP"
	schemathesis --version
	schemathesis run "http://127.0.0.1:$SERVE_PORT/api/v1/openapi.json" -H "Authorization: Bearer $(cat "$TOP/$WHO/home/serve.token")" \
		--exclude-path '/api/v1/sessions/{id}/tty' --max-examples 5 --phases coverage,fuzzing --seed 1 --generation-database none \
		--checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance
	serve_stop
}

@test "what two servers could read differently is refused, and what is too much" {
	serve_start
	program framing
	serve_stop
}

@test "who drips, or never reads, is closed" {
	serve_start
	program slow
	serve_stop
}

@test "who may ask: token, socket, origin" {
	serve_start
	program login
	serve_stop
}

@test "the terminal over a WebSocket: output, input, positions, sizes, its end" {
	serve_start
	program tty
	serve_stop
}

@test "an independent client agrees" {
	/usr/bin/python3 -c 'import websockets' || skip "there is no python3-websockets"
	serve_start
	program judge
	serve_stop
}

@test "a viewer that is too slow is told what it missed, and slows nobody" {
	serve_start
	program slow-viewer
	serve_stop
}

@test "a supervisor that is killed is followed to the next, at the same byte" {
	serve_start
	program adoption
	serve_stop
}

@test "killed and started again, it finds everything as it was" {
	serve_start
	pterm new -d kept -- sh
	id=$(field kept id)
	kill -KILL "$SERVE_PID"
	serve_stop || true
	serve_start
	program found kept "$id"
	serve_stop
	[ "$(field kept state)" = running ]
}

@test "what comes and goes leaves nothing: descriptors, memory" {
	[ -z "${PTERM_SANITIZED-}" ] || skip "a sanitizer keeps memory"
	serve_start
	program churn
	serve_stop
}

@test "stopped: viewers are told, sessions go on, the exit code is 0" {
	serve_start
	pterm new -d kept -- sh
	as "$WHO" /usr/bin/python3 -B "$BATS_TEST_DIRNAME/serve/goodbye.py" >"$TOP/goodbye" 3>&- &
	local viewer=$!
	wait_for 60 grep -q open "$TOP/goodbye"
	serve_stop
	wait "$viewer"
	grep -q 'closed 1001' "$TOP/goodbye"
	[ "$(field kept state)" = running ]
	[ ! -e "/proc/$SERVE_PID" ]
}

@test "one server for a home; addresses that others can reach; a base path" {
	serve_start --base /pterm
	run pterm serve --listen 127.0.0.1:0
	[ "$status" = 125 ] && [[ $output == *"a pterm serve runs for"* ]]
	run curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$SERVE_PORT/pterm/healthz"
	[ "$output" = 200 ]
	run curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$SERVE_PORT/healthz"
	[ "$output" = 404 ]
	grep -q "^http://127.0.0.1:$SERVE_PORT/pterm$" "$TOP/serve.out"
	serve_stop
	run pterm serve --listen 0.0.0.0:0
	[ "$status" = 125 ] && [[ $output == *"can be reached by other machines"* ]]
	run pterm serve --listen nonsense
	[ "$status" = 125 ] && [[ $output == *"is no address"* ]]
	run pterm serve --base relative
	[ "$status" = 125 ] && [[ $output == *"must be a path"* ]]
}

@test "pterm itself is not linked with the libraries of the server" {
	run ldd "$PTERM_BUILD/src/pterm"
	[[ $output != *microhttpd* && $output != *sodium* ]]
	run ldd "$PTERM_BUILD/src/ptermd"
	[[ $output == *microhttpd* ]]
}
