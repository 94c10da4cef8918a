#!/usr/bin/env bats
# Driving a session by commands: screen, send, wait.
bats_require_minimum_version 1.5.0
# as: user root

load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

# json SESSION EXPRESSION [OPTION...]: of what `screen -o json` says, as d
json() {
	local session=$1 expression=$2
	shift 2
	pterm screen "$session" -o json "$@" | /usr/bin/python3 -c "import json,sys; d=json.load(sys.stdin); print(($expression))"
}

# A session that prints $2 (for printf) and ends.
printed() { pterm new "$1" -- printf "$2" </dev/null >/dev/null; }

@test "screen: the text, styled rows, and JSON" {
	printed s 'plain\r\n\033[1;31mred\033[0m \033[38;2;1;2;3;48;5;200mrgb\033[0m \033]8;;http://x/\033\\link\033]8;;\033\\ 漢\033]2;a title\007\033[?1;2004h'
	run -0 pterm screen s
	[ "$output" = $'plain\nred rgb link 漢' ]
	run -0 pterm screen --ansi s
	[[ $output == *$'\e['*31m*red* ]]
	[ "$(json s 'd["rows"], d["cols"], d["title"], d["alternate"]')" = "(24, 80, 'a title', False)" ]
	[ "$(json s 'd["cursor"]["row"], d["cursor"]["col"], d["position"] > 20')" = "(1, 15, True)" ]
	[ "$(json s 'd["modes"]["application-cursor"], d["modes"]["bracketed-paste"], d["modes"]["focus"]')" = "(True, True, False)" ]
	run -0 json s '[(r["text"], r["columns"], r.get("foreground"), r.get("background"), r.get("link"), r.get("attributes")) for r in d["lines"][1]["runs"]]'
	[ "$output" = "[('red', 3, 1, None, None, ['bold']), (' ', 1, None, None, None, None), ('rgb', 3, '#010203', 200, None, None), (' ', 1, None, None, None, None), ('link', 4, None, None, 'http://x/', None), (' 漢', 3, None, None, None, None)]" ]
}

@test "screen --scrollback and --at: what was printed" {
	pterm new s -- seq 20000 </dev/null >/dev/null
	run -0 pterm screen s
	[ "$output" = "$(seq 19978 20000)" ]
	run -0 pterm screen --scrollback 15000 s
	[ "$output" = "$(seq 4978 20000)" ]
	run -0 pterm screen --scrollback 1000000 s
	[ "$output" = "$(seq 1 20000)" ]
	[ "$(json s 'len(d["above"]), d["above"][0]["runs"][0]["text"]' --scrollback 10)" = "(10, '19968')" ]
	at=$(seq 1000 | sed 's/$/\r/' | wc -c)
	run -0 pterm screen --at "$at" s
	[ "$output" = "$(seq 978 1000)" ]
	run -0 pterm screen --at "$at" --scrollback 3 s
	[ "$output" = "$(seq 975 1000)" ]
	[ "$(json s 'd["position"]' --at "$at")" = "$at" ]
	run -0 pterm screen --at 0 s
	[ "$output" = "" ]
	run -0 pterm screen --at 0s s
	[ "$output" = "$(seq 19978 20000)" ]
}

@test "screen: what cannot be is said" {
	printed s hello
	run -125 pterm screen --at never s
	[[ $output == *"'never' is no position, no time"* ]]
	run -125 pterm screen nobody
	[[ $output == *"there is no session 'nobody'"* ]]
	run -125 pterm screen
	run -125 pterm screen --scrollback 2000000 s
	[[ $output == *"not between 0 and 1000000"* ]]
}

# shows SESSION TEXT: the screen has it
shows() { pterm screen "$1" | grep -qF -- "$2"; }

@test "send: text, enter and keys in their order; stdin; the position before" {
	pterm new -d s -- sh -c 'stty -echo; read a; read b; read c; echo "<$a><$b><$c>"; exec cat'
	pterm send s one ' two' --enter --key x --key Y z -e
	echo three | pterm send s -
	wait_for 20 shows s '<one two><xYz><three>'
	before=$(pterm inspect s -o json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["alive"])')
	[ "$before" = True ]
	position=$(pterm send -o json s done --enter | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["position"])')
	[ "$position" = "$(json s 'd["position"]' --at "$position")" ]
	wait_for 20 shows s done
	echo last | pterm send s
	wait_for 20 shows s last
}

@test "send: keys by the modes in force, pastes in brackets where they are asked for" {
	pterm new -d s -- sh -c 'stty raw -echo; printf "\033[?1h\033[?2004hon"; head -c 23 | od -An -tx1 -v; exec sleep 1000'
	wait_for 20 shows s on
	printf 'a\n\033b' | pterm send --paste s --key up --key f5 -
	wait_for 20 shows s '62 1b 5b 32 30 31 7e'
	shows s '1b 4f 41 1b 5b 31 35 7e 1b 5b 32 30 30 7e 61 0d'
}

@test "send: what cannot be is said" {
	pterm new -d s -- sleep 1000
	run -125 pterm send s --key nokey
	[[ $output == *"there is no key 'nokey'"* ]]
	run -125 pterm send s --key ''
	head -c 1100000 /dev/zero >"$TOP/large"
	run -125 pterm send s - <"$TOP/large"
	[[ $output == *"too many to be typed"* ]]
	pterm stop -t 0 s
	run -125 pterm send s hello
	[[ $output == *"session 's' is not running"* ]]
}

# A session that asks where its cursor is when it is sent a "g", then shows the answer and the three bytes that come next.
asks() {
	pterm new -d s -- sh -c 'stty raw -echo; printf ready; head -c 1 >/dev/null; printf "\033[2J\033[3;4H\033[6n"
		head -c 6 | od -An -c -v; printf "\r\nnext\r\n"; head -c 3 | od -An -c -v; exec sleep 1000'
	wait_for 20 shows s ready
}

answered_once() {
	pterm send s g
	wait_for 20 shows s next
	pterm send s abc
	wait_for 20 shows s 'a   b   c'
	pterm screen s | grep -qF '033   [   3   ;   4   R'
}

@test "a question is answered once when nobody looks" {
	asks
	answered_once
}

both_attached() { [ "$(grep -c attached "$TOP/$WHO/home/sessions/$(field s id)/events.jsonl")" = 2 ]; }
@test "a question is answered once when two look, and neither of them sees it" {
	asks
	local viewers=()
	for out in one two; do
		pterm attach --read-only s </dev/null >"$TOP/$out" 3>&- &
		viewers+=($!)
	done
	wait_for 20 both_attached
	answered_once
	pterm stop -t 0 s
	for viewer in "${viewers[@]}"; do
		wait "$viewer" || [ $? -eq 137 ]         # the command was killed
	done
	for out in "$TOP/one" "$TOP/two"; do
		grep -q next "$out"
		! grep -qF $'\e[6n' "$out" || false
	done
}

# of SESSION EXPRESSION OPTION...: what `wait -o json` says, as d
of() {
	local session=$1 expression=$2
	shift 2
	pterm wait "$session" -o json "$@" | /usr/bin/python3 -c "import json,sys; d=json.load(sys.stdin); print(($expression))"
}
sent_at() { pterm send -o json "$@" | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["position"])'; }

@test "wait: for text and expressions, on the screen and in the stream" {
	pterm new -d s -- sh -c 'stty -echo; echo begun; while read -r x; do eval "$x"; done'
	pterm wait s --text begun --timeout 20s
	[ "$(of s 'd["event"], d["wanted"], d["found"]' --text nowhere --regex '^b.*n$')" = "('regex', '^b.*n\$', 'begun')" ]
	run -124 pterm wait s --stream --text begun --timeout 0s
	[[ $output == *"did not happen in session 's'"* ]]
	pterm wait s --stream --text begun --since 0 --timeout 20s
	at=$(sent_at s "echo 'be''gun'; seq 100000; echo fin''ished" --enter)
	pterm wait s --since "$at" --text finished --timeout 20s
	run -124 pterm wait s --text begun --timeout 0s
	pterm wait s --since "$at" --stream --regex '^777$' --timeout 20s
	pterm wait s --since "$at" --idle 50ms --timeout 20s
	pterm wait s --stream --text later --timeout 20s 3>&- &
	job=$!
	at=$(sent_at s 'printf "la\033[1mter"' --enter)
	pterm wait s --since "$at" --stream --text later --timeout 20s
	pterm send s 'echo later' --enter
	wait "$job"
}

@test "wait: for the prompt, and for the end" {
	pterm new -d s -- sh -c 'stty -echo; while printf "\033]133;A\033\\$ " && read -r x; do eval "$x"; done; exit 7'
	pterm wait s --prompt --timeout 20s
	at=$(sent_at s 'printf "\033]133;C\033\\"; read y' --enter)
	run -124 pterm wait s --prompt --since "$at" --timeout 100ms
	pterm send s --enter
	[ "$(of s 'd["event"]' --prompt --since "$at" --timeout 20s)" = prompt ]
	pterm wait s --exit -o json >"$TOP/exit" 3>&- &
	exits=$!
	pterm wait s --text nowhere 2>"$TOP/never" 3>&- &
	never=$!
	pterm send s --key ctrl-d
	wait "$exits"
	grep -q '"exit_code":7' "$TOP/exit"
	code=0
	wait "$never" || code=$?
	[ "$code" = 1 ] || { grep -q 'ended before (exited with code 7)' "$TOP/never" && [ "$code" = 1 ]; }
	[ "$(of s 'd["event"], d["exit_code"]' --exit)" = "('exit', 7)" ]
	pterm wait s --text '$ '
	run -1 pterm wait s --text nowhere
	[[ $output == *"session 's' ended before (exited with code 7)"* ]]
}

adopted() { [ "$(field "$1" adoptions)" -ge "$2" ]; }
@test "wait: goes on when the supervisor is killed" {
	pterm new -d s -- sh -c 'stty -echo; echo begun; while read -r x; do eval "$x"; done; exit 3'
	pterm wait s --text begun --timeout 20s
	pterm wait s --text nowhere --text finished --timeout 60s -o json >"$TOP/text" 3>&- &
	text=$!
	pterm wait s --exit -o json >"$TOP/exit" 3>&- &
	exits=$!
	for i in 1 2 3; do
		"$BATS_TEST_DIRNAME/tools/fault" kill "$("$BATS_TEST_DIRNAME/tools/fault" pid supervisor "$(field s id)")"
		wait_for 20 adopted s "$i"
	done
	pterm send s 'echo finished' --enter
	wait "$text"
	grep -q '"found":"finished"' "$TOP/text"
	pterm send s --key ctrl-d
	wait "$exits"
	grep -q '"exit_code":3' "$TOP/exit"
}

@test "wait: what cannot be is said" {
	pterm new -d s -- sleep 1000
	run -125 pterm wait s
	[[ $output == *"for what?"* ]]
	run -125 pterm wait s --regex 'a(b'
	[[ $output == *"'a(b' is no regular expression"* ]]
	run -125 pterm wait s --stream --exit
	run -125 pterm wait s --text ''
	run -125 pterm wait nobody --exit
	[[ $output == *"there is no session 'nobody'"* ]]
}

@test "vi, driven by commands" {
	pterm new -d s -- vi /tmp/poem
	pterm wait s --text '~' --timeout 20s
	[ "$(json s 'd["alternate"]')" = True ]
	pterm send s 'ofirst' --enter second --key escape
	pterm wait s --idle 500ms --timeout 20s
	pterm send s --key up
	pterm wait s --idle 500ms --timeout 20s
	pterm send s Aword --key escape
	pterm wait s --text firstword --timeout 20s
	run -0 pterm screen s
	[[ $output == *$'firstword\nsecond\n~'* ]]
	pterm send s :wq --enter
	pterm wait s --exit --timeout 20s
}
