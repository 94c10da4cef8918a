#!/usr/bin/env bats
# libpterm, by its two example programs: each does the same with a real session.
bats_require_minimum_version 1.5.0
# as: user root

load lib

setup() {
	pterm_setup
	cp "$BATS_TEST_DIRNAME/../examples/follow-session.py" "$PTERM_BUILD/examples/follow-session" "$TOP/bin/"
	cp -L "$PTERM_BUILD/src/libpterm.so.0" "$TOP/bin/"
	chmod -R a+rX "$TOP/bin"
	FAULT=$BATS_TEST_DIRNAME/tools/fault
}
teardown() { pterm_teardown; }

# follow LANGUAGE ARGUMENT...: one of the examples; what it prints in $TOP/WHO/LANGUAGE.out, what it says in .err
follow() {
	local language=$1
	local -a program=("$TOP/bin/follow-session")
	shift
	[ "$language" = c ] || program=(/usr/bin/python3 "$TOP/bin/follow-session.py")
	as "$WHO" LIBPTERM="$TOP/bin/libpterm.so.0" LD_LIBRARY_PATH="$TOP/bin" "${program[@]}" "$@" \
		>"$TOP/$language.out" 2>"$TOP/$language.err"
}

# The python of the system has no sanitizer to load the library with.
languages() { if [ -n "${PTERM_SANITIZED-}" ]; then echo c; else echo c python; fi; }
# The followers in the background: until they have all ended.
followers=()
followed() { wait "${followers[@]}"; followers=(); }
said() { grep -qaF -- "$2" "$TOP/$1.out"; }
# The command of SESSION goes on and ends, and what lets it go on may be killed with its container.
go() { pterm exec -T "$1" sh -c 'echo >/tmp/go' || [ $? -eq 137 ]; }
adopted() { [ "$(field "$1" adoptions)" -ge "$2" ]; }

@test "all of a session, to its end, while it runs and from the record" {
	local language
	pterm new -d s -- sh -c 'stty -opost; mkfifo /tmp/go; read x </tmp/go; seq 300000; exit 7' </dev/null
	for language in $(languages); do
		follow "$language" --since 0 s 3>&- &
		followers+=($!)
	done
	wait_for 60 eval 'pterm exec -T s test -p /tmp/go'
	go s
	followed
	for language in $(languages); do
		seq 300000 | cmp - "$TOP/$language.out"
		grep -qx 'ended with exit code 7' "$TOP/$language.err"
		grep -qx '24 rows, 80 columns' "$TOP/$language.err"
		follow "$language" --since 1000000 "$(field s id)"
		seq 300000 | tail -c +1000001 | cmp - "$TOP/$language.out"
		grep -qx 'ended with exit code 7' "$TOP/$language.err"
	done
}

@test "what is older than the ring comes from the recording; what is not kept any more is counted" {
	local language session lost
	for language in $(languages); do
		# the ring has 1 MiB; of 6.9 MB, the recording of "cut" keeps less
		pterm new -d "kept-$language" -- sh -c 'stty -opost; seq 1000000; mkfifo /tmp/go; read x </tmp/go' </dev/null
		pterm new -d --record 4m "cut-$language" -- sh -c 'stty -opost; seq 1000000; mkfifo /tmp/go; read x </tmp/go' </dev/null
		for session in kept cut; do
			pterm wait "$session-$language" --text 1000000 --timeout 60s
			follow "$language" --since 0 "$session-$language" 3>&- &
			followers+=($!)
			wait_for 60 said "$language" 1000000
			wait_for 60 eval 'pterm exec -T "$session-$language" test -p /tmp/go'
			go "$session-$language"
			followed
			lost=$(awk '/ bytes are not kept any more/ { n += $1 } END { print n + 0 }' "$TOP/$language.err")
			if [ "$session" = kept ]; then [ "$lost" = 0 ]; else [ "$lost" -gt 1000000 ]; fi
			seq 1000000 | tail -c "+$((lost + 1))" | cmp - "$TOP/$language.out"
		done
	done
}

@test "typing, and another size" {
	local language
	for language in $(languages); do
		pterm new -d s -- sh -c 'stty -echo; echo ready; while read line; do echo "got $line"; stty size; [ "$line" != over ] || exit 5; done' </dev/null
		pterm wait s --text ready --timeout 20s
		follow "$language" --size 31x97 --type $'hello\n' s 3>&- &
		followers+=($!)
		wait_for 60 said "$language" 'got hello'
		grep -qx '31 rows, 97 columns' "$TOP/$language.err"
		pterm send s --enter over --enter
		followed
		grep -qx 'ended with exit code 5' "$TOP/$language.err"
		said "$language" '31 97'
		pterm rm s
	done
}

@test "the supervisor is killed, again and again: no byte is lost" {
	local language
	pterm new -d s -- sh -c 'stty -opost -echo; read x; seq 1 200000; read x; seq 200001 400000; read x; read x; exit 3' </dev/null
	for language in $(languages); do
		follow "$language" --since 0 s 3>&- &
		followers+=($!)
	done
	for n in 1 2 3; do
		pterm send s --enter
		"$FAULT" kill "$("$FAULT" pid supervisor "$(field s id)")"
		wait_for 60 adopted s "$n"
	done
	pterm send s --enter
	followed
	for language in $(languages); do
		seq 400000 | cmp - "$TOP/$language.out"
		grep -qx 'ended with exit code 3' "$TOP/$language.err"
	done
}

@test "what cannot be is said" {
	local language
	pterm new -d s -- sleep 1000
	for language in $(languages); do
		run -1 follow "$language" nobody
		grep -q "there is no session 'nobody'" "$TOP/$language.err"
		run -1 follow "$language" --size 0x80 s
		grep -q '0 rows and 80 columns are no size' "$TOP/$language.err"
		run -1 follow "$language" --size 99999x80 s
		grep -q '99999 rows and 80 columns are no size' "$TOP/$language.err"
		run -1 as "$WHO" PTERM_HOME=/no/where LD_LIBRARY_PATH="$TOP/bin" "$TOP/bin/follow-session" s
		[[ $output == *"cannot open '/no/where', where sessions are"* ]]
	done
	pterm stop -t 0 s
	for language in $(languages); do
		run -1 follow "$language" --type x s
		grep -q 'the session has ended' "$TOP/$language.err"
	done
}
