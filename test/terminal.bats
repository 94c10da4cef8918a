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
