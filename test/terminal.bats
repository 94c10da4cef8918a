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
	pterm attach --read-only s </dev/null >"$TOP/one" 3>&- &
	pterm attach --read-only s </dev/null >"$TOP/two" 3>&- &
	wait_for 20 both_attached
	answered_once
	pterm stop -t 0 s
	wait
	for out in "$TOP/one" "$TOP/two"; do
		grep -q next "$out"
		! grep -qF $'\e[6n' "$out" || false
	done
}
