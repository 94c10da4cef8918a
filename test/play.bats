#!/usr/bin/env bats
# What was recorded, shown again: export, play.
bats_require_minimum_version 1.5.0
# as: user root

load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

# session NAME SCRIPT: to its end; what it prints is in $TOP/NAME.out, byte for byte.
session() {
	pterm new "$1" -- sh -c "$2" </dev/null >"$TOP/$1.new" || true
	pterm logs "$1" >"$TOP/$1.out"
}

# cast FILE EXPRESSION: is it true of an asciicast? h is the header, e the events, text all output, times since the beginning.
cast() { /usr/bin/python3 "$BATS_TEST_DIRNAME/play/cast.py" "$1" "$2"; }

@test "export: asciicast 2 and 3 hold what was printed, and when" {
	session s 'printf "one\033[1;31m\n"; sleep 0.3; printf "\"two\"\\\\\t\n"; exit 3'
	pterm export s >"$TOP/2.cast"
	pterm export -f asciicast-v3 s -o "$TOP/$WHO/3.cast"
	[ "$(pterm export -f asciicast-v2 s)" = "$(cat "$TOP/2.cast")" ]
	cast "$TOP/2.cast" 'h["version"] == 2 and h["width"] == 80 and h["height"] == 24 and h["title"] == "s" and h["timestamp"] > 1.6e9'
	cast "$TOP/$WHO/3.cast" 'h["version"] == 3 and h["term"]["cols"] == 80 and h["term"]["rows"] == 24 and e[-1][1:] == ["x", "3"]'
	for file in "$TOP/2.cast" "$TOP/$WHO/3.cast"; do
		cast "$file" 'text == "one\x1b[1;31m\r\n\"two\"\\\t\r\n" and times[-1] >= 0.25 and times[-1] < 60'
		cast "$file" '[x[1] for x in e[:2]] == ["o", "o"]'
	done
}

@test "export: a character that was printed in two pieces is whole; what is no text is replaced" {
	session s "printf 'a\\342\\202'; sleep 0.2; printf '\\254\\377b\\360\\237'"
	pterm export s >"$TOP/s.cast"
	cast "$TOP/s.cast" 'text == "a\u20ac\ufffdb\ufffd"'
}

@test "export: real asciinema plays it" {
	command -v asciinema >/dev/null || skip "needs asciinema"
	session s 'i=0; while [ $i -lt 300 ]; do printf "\033[3%dmline %d \303\244\342\202\254\033[m\n" $((i % 8)) $i; i=$((i + 1)); done; sleep 0.3; echo end'
	pterm export s >"$TOP/s.cast"
	# it wants a terminal for keys, wherever its output goes
	for what in cat "play -s 50"; do
		as "$WHO" script -qec "asciinema $what '$TOP/s.cast' >'$TOP/$WHO/got'" /dev/null </dev/null
		cmp "$TOP/$WHO/got" "$TOP/s.out"
	done
}

@test "export: pauses can be cut, and a part can be taken" {
	session s 'echo one; sleep 1; echo two; sleep 1; echo three'
	pterm export s >"$TOP/whole.cast"
	pterm export --idle-limit 100ms s >"$TOP/short.cast"
	cast "$TOP/whole.cast" 'times[-1] >= 1.9'
	cast "$TOP/short.cast" 'times[-1] < 0.5 and text == "one\r\ntwo\r\nthree\r\n"'
	pterm export --from 5 --to 10 s >"$TOP/part.cast"
	cast "$TOP/part.cast" 'text.endswith("two\r\n") and "three" not in text and "one" in e[0][2] and e[0][0] == 0'
	pterm export --to 5 s >"$TOP/part.cast"
	cast "$TOP/part.cast" 'text == "one\r\n"'
}

@test "export: text is what one would have read" {
	session s 'seq 1 100; printf "\033[1mbold\033[m\rB\n"; printf "%0100d\n" 7; printf "\n\nend"'
	pterm export -f text s >"$TOP/text"
	{ seq 1 100; echo Bold; printf '%0100d\n' 7; printf '\n\nend\n'; } | diff - "$TOP/text"
	pterm export -f text --to 9 s | diff - <(seq 1 3)
	session empty 'true'
	[ -z "$(pterm export -f text empty)" ]
}

@test "export: svg is a picture of the screen, at any time" {
	session s 'printf "<&\033[31mred\033[m \346\274\242\n"; printf "\033[2J\033[Hlater"'
	pterm export -f svg s -o "$TOP/$WHO/end.svg"
	pterm export -f svg --at 19 s >"$TOP/then.svg"
	for file in "$TOP/$WHO/end.svg" "$TOP/then.svg"; do
		/usr/bin/python3 -c 'import sys, xml.etree.ElementTree as e; assert e.parse(sys.argv[1]).getroot().tag.endswith("svg")' "$file"
	done
	grep -q '>later<' "$TOP/$WHO/end.svg"
	grep -q '>&lt;&amp;<' "$TOP/then.svg"
	grep -q 'fill="#cd0000">red<' "$TOP/then.svg"
}

@test "export and play take sessions that still run" {
	pterm new -d s -- sh -c 'echo here; read -r x; echo "got $x"; read -r x'
	wait_for 20 eval 'pterm export s | grep -q here'
	pterm export -f svg s | grep -q '>here<'
	[ "$(pterm play --speed 0 s)" = "$(pterm logs s)" ]
}

@test "play: the bytes as they were, in their time" {
	session s 'printf "one\n"; sleep 1; printf "two \342\202\254 \377\n"'
	pterm play --speed 0 s | cmp - "$TOP/s.out"
	began=$(date +%s%N)
	pterm play --speed 2 s | cmp - "$TOP/s.out"
	[ $(($(date +%s%N) - began)) -ge 450000000 ]
	pterm play --idle-limit 10ms s | cmp - "$TOP/s.out"
	[ "$(pterm play --to 5 --speed 0 s)" = "$(head -c 5 "$TOP/s.out")" ]
	pterm play --from 5 --speed 0 s | grep -aq 'two'
	pterm play s | head -c 3 >/dev/null
}

@test "play: keys, and the terminal as it was" {
	/usr/bin/python3 -c 'import pexpect' 2>/dev/null || skip "needs python3-pexpect"
	cp "$BATS_TEST_DIRNAME/play/keys.py" "$TOP/keys.py"
	chmod a+r "$TOP/keys.py"
	session s 'i=0; while [ $i -lt 6 ]; do echo "number $i"; i=$((i + 1)); sleep 0.5; done; printf "\033[?1049h\033[?25lfull screen"'
	as "$WHO" PYTHONDONTWRITEBYTECODE=1 timeout -k 5 100 /usr/bin/python3 "$TOP/keys.py"
}

@test "export and play say what they cannot do" {
	session s 'echo one'
	refused() { run pterm "${@:2}"; [ "$status" -eq 125 ] && [[ $output == *"$1"* ]] || { echo "$output"; return 1; }; }
	refused "there is no session" export nobody
	refused "--from: 'soon' is no position" export --from soon s
	refused "--at is for --format svg" export --at 3 s
	refused "cannot write '/no/where'" export -o /no/where s
	refused "--speed: 'fast' is no number" play --speed fast s
	refused "--to: '-1'" play --to=-1 s
}

@test "export: what was typed, when that was asked for, and no password" {
	pterm new -d s --record-input -- sh -c 'read -r x; stty -echo; echo secret?; read -r y; stty echo; echo again; read -r z; echo end'
	pterm new -d unrecorded -- cat
	mkfifo "$TOP/keys"
	pterm attach s <"$TOP/keys" >/dev/null 2>&1 &
	local viewer=$!
	exec 5>"$TOP/keys"
	echo first >&5
	wait_for 20 eval 'pterm logs s | grep -q secret'
	echo hidden >&5
	wait_for 20 eval 'pterm logs s | grep -q again'
	echo last >&5
	wait_for 20 eval 'pterm logs s | grep -q end'
	exec 5>&-
	wait "$viewer"
	echo first | pterm attach unrecorded >/dev/null 2>&1
	pterm export s >"$TOP/s.cast"
	cast "$TOP/s.cast" '"".join(x[2] for x in e if x[1] == "i").rstrip("\x04") == "first\nlast\n"'
	cast "$TOP/s.cast" '[x[1] for x in e][0] == "i"'
	[ ! -e "$TOP/$WHO/home/sessions/$(field unrecorded id)/input.log" ]
	run grep -ac hidden "$TOP/$WHO/home/sessions/$(field s id)/input.log"
	[ "$output" = 0 ]
}

# typed SESSION: its input events
typed() { pterm export "$1" >"$TOP/typed.cast" && cast "$TOP/typed.cast" 'print("".join(x[2] for x in e if x[1] == "i")) is None'; }
got() { pterm logs "$1" | grep -qF "got $2"; }

@test "record --input: from then on, and no longer; no password; through a restart and a killed supervisor" {
	pterm new -d s -- sh -c 'stty -echo -icanon; while read -r x; do case $x in line) stty icanon;; raw) stty -icanon;; esac; echo "got $x"; done'
	pterm new -d other -- sleep 1000
	say() { pterm send s "$1" --enter && wait_for 20 got s "$1"; }
	say before
	pterm record --input on s
	[ "$(field s records_input)" = True ]
	say one
	say line
	say secret
	say raw
	pterm record --input off s
	say hidden
	pterm record --input on s other
	say two
	"$BATS_TEST_DIRNAME/tools/fault" kill "$("$BATS_TEST_DIRNAME/tools/fault" pid supervisor "$(field s id)")"
	say three
	pterm restart s
	[ "$(typed s)" = "$(printf 'one\rline\rtwo\rthree\r')" ]
	run -125 pterm record s
	[[ $output == *"say what to record: --input on, or --input off"* ]]
	pterm stop -t 0 s
	run -125 pterm record --input on s
	[[ $output == *"session 's' is not running"* ]]
}

@test "play: asciicasts, ours and others, as a session is played" {
	session s 'printf "one \342\202\254\000\n"; sleep 1; stty rows 30 cols 90; printf "two\n"; sleep 0.2; printf "three\n"'
	pterm export s >"$TOP/2.cast"
	pterm export -f asciicast-v3 s >"$TOP/3.cast"
	for file in "$TOP/2.cast" "$TOP/3.cast"; do
		pterm play --speed 0 "$file" | cmp - "$TOP/s.out"
		began=$(date +%s%N)
		pterm play --speed 2 "$file" | cmp - "$TOP/s.out"
		[ $(($(date +%s%N) - began)) -ge 500000000 ]
		[ "$(pterm play --speed 0 --to 500ms "$file" | tr -d '\0\r')" = 'one €' ]
		pterm play --speed 0 --from 500ms "$file" | grep -q three
	done
	# as asciinema writes it, with a limit for pauses, a remark, what we do not know, and cut short
	printf '%s\n' '{"version": 3, "term": {"cols": 20, "rows": 4}, "timestamp": 1700000000, "idle_time_limit": 0.1}' '# a remark' \
		'[100.0, "o", "late\r\n"]' '[0.0, "m", "mark"]' '[0.1, "i", "x"]' '[0.1, "z", "?"]' '[0.1, "o", "end\u001b[m"]' '[0.1, "x", "0"]' >"$TOP/a.cast"
	printf '[0.1, "o", "cu' >>"$TOP/a.cast"
	[ "$(pterm play "$TOP/a.cast" | tr -d '\r')" = $'late\nend\e[m' ]
	[ -z "$(find /tmp -maxdepth 1 -name 'pterm-cast.*' -user "$(as "$WHO" id -u)")" ]
}

@test "play says what is wrong with an asciicast" {
	wrong() { printf "$1" >"$TOP/wrong.cast"; run -125 pterm play "$TOP/wrong.cast"; [[ $output == *"$2"* ]] || { echo "$output"; return 1; }; }
	wrong '' "it is empty"
	wrong 'hello\n' "'$TOP/wrong.cast' is no asciicast: an asciicast's first line is not JSON"
	wrong '{"version": 1, "width": 80, "height": 24, "stdout": []}\n' 'it is of version 1, and 2 and 3 can be played'
	wrong '{"version": 2}\n' 'no size of the terminal'
	wrong '{"version": 2, "width": 80, "height": 24}\n["x"]\n[1, "o", "a"]\n' 'must be a list of 3 values'
	wrong '{"version": 2, "width": 80, "height": 24}\n[-1, "o", "a"]\n' 'line 2 is at no time'
	wrong '{"version": 2, "width": 80, "height": 24}\n[1, "r", "0x0"]\n' 'line 2 has no size'
	run -125 pterm play /dev/zero # no line ends: it is not read into memory for ever
	[[ $output == *"line 1 is longer than 67108864 bytes"* ]]
	run -125 pterm play /no/such.cast
	[[ $output == *"cannot open '/no/such.cast'"* ]]
}
