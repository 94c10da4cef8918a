# The command line itself: help, errors, output, completion, manual pages, doctor, version. No session is needed.
# $PTERM_BIN is pterm; $PTERM_MADE_UP is the same program with commands of every shape (made-up.c).

setup() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/pterm-cli.XXXXXX")
	export PTERM_HOME=$T/home PTERM_STORE=$T/home
	unset PTERM_DEFAULT_IMAGE PTERM_CRUN PTERM_LOG MADE_UP_SESSIONS
	mkdir "$T/bin"
	ln -s "$PTERM_MADE_UP" "$T/bin/pterm"
	here=$BATS_TEST_DIRNAME
	cd "$T" || return
}

teardown() {
	cd /
	rm -rf "$T"
}

# expect CODE COMMAND...: it exits so; $output and $stderr are what it printed.
expect() {
	local want=$1 code=0
	shift
	output=$("$@" 2>"$T/stderr") || code=$?
	stderr=$(cat "$T/stderr")
	rm "$T/stderr"
	[ "$code" = "$want" ] || { echo "$*: exit code $code, not $want: $output $stderr"; return 1; }
}

# json EXPRESSION: prints what it is for the JSON on stdin, d; a wrong claim fails.
json() {
	python3 -c 'import json, sys; d = json.load(sys.stdin); r = eval(sys.argv[1])
if r is not True: print(r)
sys.exit(r is False or r is None)' "$1"
}

pterm() { "$PTERM_BIN" "$@"; }
made_up() { "$PTERM_MADE_UP" "$@"; }

commands_of() { "$1" help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'; }

# "! command" alone never fails a test.
refute() { if "$@"; then echo "went well: $*"; return 1; fi; }

# No byte of the file would act on a terminal.
no_control_bytes() { refute env LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$1"; }

@test "help: every way to ask gives the same text" {
	pterm help >"$T/want"
	for words in "" -h --help; do
		pterm $words | diff - "$T/want"
	done
	grep -q '^This host and pterm itself:$' "$T/want"
	grep -q '^  doctor  ' "$T/want"
	refute grep -q __ "$T/want"
}

@test "help: headings are shown only where there is something below them" {
	made_up help >"$T/text"
	[ "$(grep -c '^Work with sessions:$' "$T/text")" = 1 ]
	[ "$(sed -n '/^See what sessions do:$/,/^$/p' "$T/text" | awk 'NR > 1 {print $1}' | xargs)" = "load ls image template" ]
}

@test "help: every command has its own, within 80 columns, by --help and by help" {
	for bin in pterm made_up; do
		for command in $(commands_of $bin); do
			$bin "$command" --help >"$T/text"
			$bin help "$command" | diff - "$T/text"
			head -n 1 "$T/text" | grep -q "^Usage: pterm $command "
			[ "$(wc -L <"$T/text")" -le 80 ]
			refute grep -q ' $' "$T/text"
		done
	done
}

@test "help: a group and its commands" {
	made_up image >"$T/group"
	for words in "image --help" "image -h" "help image"; do made_up $words | diff - "$T/group"; done
	grep -qx "Usage: pterm image COMMAND .*" "$T/group"
	[ "$(sed -n '/^Commands:$/,/^$/p' "$T/group" | awk 'NR > 1 {print $1}' | xargs)" = "pull ls" ]
	made_up image pull --help | diff - <(made_up help image pull)
	[ "$(made_up help image pull | head -n 1)" = "Usage: pterm image pull [OPTIONS] IMAGE" ]
	made_up image pull -f busybox | grep -qx "word busybox"
	expect 125 made_up image pul
	[ "$stderr" = "pterm: unknown command 'image pul': did you mean 'image pull'?" ]
	expect 125 made_up image xyzzy
	[ "$stderr" = "pterm: unknown command 'image xyzzy': 'pterm help image' lists them" ]
	expect 125 made_up image --xyzzy
	[ "$stderr" = "pterm: unknown option '--xyzzy': 'pterm help image' shows what there is" ]
	expect 125 made_up help image pul
	[ "$stderr" = "pterm help: there is no command 'image pul': did you mean 'image pull'?" ]
	expect 125 made_up help fail bare
	[ "$stderr" = "pterm help: there is no command 'fail bare'" ]
	expect 125 made_up image pull
	[ "$stderr" = "pterm image pull: something is missing: pterm image pull IMAGE" ]
	expect 125 made_up "image pull"
	[ "$stderr" = "pterm: unknown command 'image pull': 'pterm help' lists them" ]
}

@test "manual pages: a group's tells about its commands, and no page but that does" {
	made_up __man image >"$T/page"
	for text in ".SS pterm image pull" ".B pterm image ls" "Get an image." "Of a command in a group."; do
		grep -qF -- "$text" "$T/page"
	done
	made_up __man image pull | cmp - "$T/page"
	refute grep -q 'image..pull' <(made_up __man)
	expect 125 made_up __man image pul
	expect 125 made_up __man nosuch
}

@test "help: --help after the words of a command line belongs to that" {
	run made_up exec web ls --help
	[ "$status" = 0 ]
	[ "${lines[3]}" = "word --help" ]
	run made_up new -- ls --help
	[ "${lines[2]}" = "word --help" ]
	run made_up exec --help
	[[ ${lines[0]} == "Usage: pterm exec "* ]]
}

@test "help: -h is an option's where one has that letter" {
	run made_up new -h box
	[ "${lines[0]}" = "flag=0 hostname=box restart=no" ]
	run made_up attach -h
	[[ ${lines[0]} == "Usage: pterm attach "* ]]
}

@test "version: on one line, as a table, as JSON" {
	[[ $(pterm --version) =~ ^pterm\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	[ "$(pterm version --short)" = "$(pterm --version)" ]
	pterm version | grep -q "^pterm  *$(pterm --version | cut -d' ' -f2) "
	pterm version -o json | json 'd["version"] and all(d["build"][k] for k in ("compiler", "libexec")) and d["build"]["hooks"] in (True, False)'
}

@test "version: the runtime that would be used, or none" {
	printf '#!/bin/sh\necho crun version 1.99\necho +SECCOMP\n' >"$T/crun"
	chmod +x "$T/crun"
	export PTERM_CRUN=$T/crun
	[ "$(pterm version -o json | json '" ".join(d["runtime"][k] for k in ("name", "version", "path"))')" = "crun 1.99 $PTERM_CRUN" ]
	PTERM_CRUN=no-such-program pterm version -o json | json '"runtime" not in d'
}

@test "errors: one line that names the command, and exit code 125" {
	expect 125 made_up fail
	[ "$stderr" = 'pterm fail: it \e[2Jfailed\nbadly: Input/output error' ]
	[ -z "$output" ]
	expect 125 made_up fail bare
	[ "$stderr" = 'pterm fail: No such file or directory' ]
}

@test "errors: an unknown command, and the nearest one" {
	expect 125 pterm docter
	[ "$stderr" = "pterm: unknown command 'docter': did you mean 'doctor'?" ]
	expect 125 pterm frobnicate
	[ "$stderr" = "pterm: unknown command 'frobnicate': 'pterm help' lists them" ]
	expect 125 pterm --frobnicate
	[ "$stderr" = "pterm: unknown option '--frobnicate': 'pterm help' shows what there is" ]
	expect 125 pterm help docter
	[ "$stderr" = "pterm help: there is no command 'docter': did you mean 'doctor'?" ]
	expect 125 pterm ''
	[ "$stderr" = "pterm: unknown command '': 'pterm help' lists them" ]
}

@test "errors: what is wrong with options and words" {
	expect 125 pterm doctor -o xml
	[ "$stderr" = "pterm doctor: --output: 'xml' is not one of table, json" ]
	expect 125 pterm doctor extra
	[ "$stderr" = "pterm doctor: 'extra' is one word too many: see pterm doctor --help" ]
	expect 125 pterm completion
	[ "$stderr" = "pterm completion: something is missing: pterm completion bash|zsh|fish" ]
	expect 125 made_up new --count 10
	[ "$stderr" = "pterm new: --count: 10 is not between 1 and 9" ]
}

@test "errors: nothing that came from outside acts on the terminal" {
	evil=$'\e[2J\x9b\x7f\xff\r\n\x01'
	for words in "X" "help X" "doctor X" "doctor --X" "doctor -oX" "completion X" "--X"; do
		set -- $words
		"$PTERM_BIN" "${@//X/$evil}" >"$T/text" 2>&1 && false
		[ "$(wc -l <"$T/text")" = 1 ]
		no_control_bytes "$T/text"
		iconv -f UTF-8 -t UTF-8 "$T/text" >/dev/null
	done
}

@test "output: a full disk is reported, by stdio too" {
	[ -c /dev/full ] || skip "no /dev/full"
	for words in help "version -o json" doctor "completion bash"; do
		expect 125 sh -c "\"$PTERM_BIN\" $words 2>&1 >/dev/full"
		[[ $output == "pterm ${words%% *}: cannot write to standard output: No space left on device" ]]
	done
	expect 125 sh -c "\"$PTERM_MADE_UP\" exit 7 2>&1 >/dev/full"
	[ "$output" = "pterm exit: cannot write to standard output: No space left on device" ]
}

@test "output: a reader that went away is no error" {
	mkfifo "$T/pipe"
	exec 7<>"$T/pipe" 8>"$T/pipe"
	exec 7<&-
	expect 0 sh -c "\"$PTERM_BIN\" help >&8"
	[ -z "$stderr" ]
	expect 7 sh -c "\"$PTERM_MADE_UP\" exit 7 >&8"
	[ -z "$stderr" ]
	exec 8>&-
}

@test "output: closed descriptors do no harm" {
	expect 0 sh -c "\"$PTERM_BIN\" help <&- >&- 2>&-"
	expect 125 sh -c "\"$PTERM_BIN\" docter <&- >&- 2>&-"
}

@test "exit codes are the command's own" {
	expect 7 made_up exit 7
	[ "$output" = "by stdio" ]
	expect 255 made_up exit 255
}

@test "options reach a command in every form" {
	expect 0 made_up new -fe A=1 --env B=2 --env=C=3 --restart=always -h x -- sh -c 'y z'
	[ "$output" = "flag=1 hostname=x restart=always
env A=1
env B=2
env C=3
word sh
word -c
word y z" ]
}

@test "JSON: control characters of a name stay escaped, indented on a terminal" {
	export MADE_UP_SESSIONS=$'[{"name":"a\\u001b\\u007f\\u009bb\x7f\xc2\x9b"}]'
	made_up ls -o json >"$T/text"
	no_control_bytes "$T/text"
	refute env LC_ALL=C grep -q $'\x9b' "$T/text"
	[ "$(wc -l <"$T/text")" = 1 ]
	command -v script || skip "no script(1)"
	script -qec "\"$PTERM_MADE_UP\" ls -o json" /dev/null </dev/null | tr -d '\r' >"$T/tty"
	[ "$(wc -l <"$T/tty")" = 5 ]
	no_control_bytes "$T/tty"
	refute env LC_ALL=C grep -q $'\x9b' "$T/tty"
}

@test "doctor: JSON, table and exit code agree" {
	pterm doctor -o json >"$T/json" && code=0 || code=$?
	json 'len(d["checks"]) > 15 and all(c["name"] and c["status"] and c["found"] for c in d["checks"])' <"$T/json"
	json 'd["ok"] == all(c["status"] != "problem" for c in d["checks"])' <"$T/json"
	[ "$code" = "$(json 'int(not d["ok"])' <"$T/json")" ]
	pterm doctor >"$T/table" || [ $? = "$code" ]
	for name in $(json '" ".join(c["name"] for c in d["checks"])' <"$T/json"); do
		grep -Eq "^(ok|warning|problem)  *$name " "$T/table"
	done
	[ "$(grep -c '^ *fix: ' "$T/table")" = "$(json 'sum("fix" in c for c in d["checks"])' <"$T/json")" ]
	tail -n 1 "$T/table" | grep -Eq '^[0-9]+ problems?, [0-9]+ warnings?$'
}

# A field of a check in $output.
check() { json "next(c for c in d['checks'] if c['name'] == '$1')['$2']" <<<"$output"; }

@test "doctor: makes nothing that stays, also where the home is not there yet" {
	pterm doctor || true
	[ ! -e "$PTERM_HOME" ]
	mkdir "$PTERM_HOME"
	pterm doctor || true
	[ -z "$(ls -A "$PTERM_HOME")" ]
	[ "$(ls -A "$T" | sort | xargs)" = "bin home" ]
}

@test "doctor: takes less than 100 ms" {
	if grep -q __asan_init "$PTERM_BIN"; then skip "a sanitizer takes its time"; fi
	best=1000000
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		start=${EPOCHREALTIME/[.,]/}
		pterm doctor >/dev/null || true
		took=$((${EPOCHREALTIME/[.,]/} - start))
		if ((took < best)); then best=$took; fi
	done
	echo "$best us"
	((best < 100000))
}

@test "doctor: finds a runtime that is too old, and names the fix" {
	printf '#!/bin/sh\necho crun version 1.8.1\necho +SECCOMP\n' >"$T/crun"
	chmod +x "$T/crun"
	PTERM_CRUN=$T/crun expect 1 pterm doctor -o json
	[ "$(check runtime status)" = problem ]
	[ "$(check runtime found)" = "$T/crun is crun 1.8.1, and pterm needs 1.14 or later" ]
	[ "$(check runtime fix)" = "unset PTERM_CRUN" ]
}

@test "doctor: an ordinary user without subordinate ids, under no_new_privs" {
	[ "$(id -u)" = 0 ] || skip "only root can become somebody else"
	cp "$PTERM_BIN" "$T/pterm"
	chmod 711 "$T"
	probe=(setpriv --reuid 4242424 --regid 4242424 --clear-groups --no-new-privs)
	"${probe[@]}" test -x "$T/pterm" || skip "the build is not readable for others"
	install -d -o 4242424 -g 4242424 "$PTERM_HOME"
	expect 1 "${probe[@]}" "$T/pterm" doctor -o json
	[ -z "$(ls -A "$PTERM_HOME")" ]
	[ "$(check subuid status)" = problem ]
	[ "$(check subgid status)" = problem ]
	[ "$(check no-new-privs status)" = problem ]
	check subuid fix | grep -Eq '^sudo usermod --add-subuids [0-9]+-[0-9]+ 4242424$'
}

@test "completion: bash offers commands, options, values and sessions" {
	pterm completion bash | bash -n
	made_up completion bash >"$T/script"
	bash -n "$T/script"
	export PATH=$T/bin:$PATH MADE_UP_SESSIONS='[{"name":"web"},{"name":"work"},{"name":"db"}]'
	offers() {
		local want=$1
		shift
		expect 0 bash "$here/complete.bash" "$T/script" "$@"
		[ "$(xargs <<<"$output")" = "$want" ] || { echo "for '$*': '$output', not '$want'"; false; }
	}
	offers "exec exit" pterm ex
	offers "--help --version" pterm --
	offers "--flag" pterm new --fl
	offers "-f --flag -h --hostname --env-file -w --workdir -e --env --count --an-option-with-a-long-name --restart --help" \
		pterm new -
	offers "no" pterm new --restart n
	offers "no on-failure always" pterm new --restart = =
	offers "on-failure" pterm new --restart = on
	offers "" pterm new --count ""
	offers "web work" pterm attach w
	offers "" pterm attach web w
	offers "web work" pterm rm db w
	offers "db" pterm exec -e A = b d
	offers "db" pterm exec -f d
	offers "" pterm exec -e A = d
	offers "" pterm cp web : /e
	offers "db:" pterm cp web : /etc d
	offers "bash zsh fish" pterm completion ""
	offers "new exec attach rm cp load ls fail exit image template help completion" pterm help ""
	offers "" pterm help image ""
	offers "pull ls" pterm image ""
	offers "pull" pterm image -f pu
	offers "-h --help" pterm image -
	offers "--flag" pterm image pull --fl
	offers "always" pterm image pull --restart al
	offers "first second" pterm image pull ""
	offers "" pterm image nosuch ""
	offers "json" pterm image ls -o j
	offers "bare other" pterm fail ""
	offers "/etc/hostname" pterm load /etc/hostn
	offers "/etc/hostname" pterm new --env-file /etc/hostn
	offers "/usr/bin" pterm new -w /usr/bi
	offers "web:" pterm cp we
	COMPOPT_LOG=$T/log offers "" pterm exec web --fl
	grep -qx "compopt -o default" "$T/log"
	offers "" pterm nonsense x
	offers "json" pterm ls -o j
	(($(bash "$here/complete.bash" "$T/script" pterm "" | wc -l) == 13))
}

@test "completion: names of sessions are never evaluated, and a failing list is nothing" {
	made_up completion bash >"$T/script"
	export PATH=$T/bin:$PATH
	MADE_UP_SESSIONS='[{"id":"a1","name":"$(touch evil)"},{"id":"b2","name":"`touch evil`"}]' \
		expect 0 bash "$here/complete.bash" ./script pterm attach ""
	[ "$output" = "a1
b2" ]
	# even if pterm said such a name, the script would only compare it
	rm bin/pterm
	printf '#!/bin/sh\necho "\\$(touch evil)"; echo "*"\n' >bin/pterm
	chmod +x bin/pterm
	expect 0 bash "$here/complete.bash" ./script pterm attach ""
	[ "$output" = '$(touch evil)
*' ]
	[ ! -e evil ]
	printf '#!/bin/sh\necho "it is broken" >&2; exit 125\n' >bin/pterm
	expect 0 bash "$here/complete.bash" ./script pterm attach ""
	[ -z "$output$stderr" ]
	expect 0 made_up __complete sessions
	[ -z "$output$stderr" ]
	expect 0 made_up __complete nonsense
	[ -z "$output$stderr" ]
}

@test "completion: zsh" {
	command -v zsh || skip "no zsh here"
	pterm completion zsh >"$T/real"
	zsh -n "$T/real"
	made_up completion zsh >"$T/script"
	export PATH=$T/bin:$PATH MADE_UP_SESSIONS='[{"name":"web"},{"name":"db"}]'
	becomes() {
		[ "$(zsh -f "$here/complete.zsh" "$T/script" "$1")" = "$2" ]
	}
	becomes "pterm att" "pterm attach "
	becomes "pterm attach w" "pterm attach web "
	becomes "pterm exec --restart alw" "pterm exec --restart always "
	becomes "pterm new --restart=on" "pterm new --restart=on-failure "
	becomes "pterm new --hostn" "pterm new --hostname="
	becomes "pterm rm web d" "pterm rm web db "
	becomes "pterm cp d" "pterm cp db:"
	becomes "pterm completion f" "pterm completion fish "
	becomes "pterm load /etc/hostn" "pterm load /etc/hostname "
	becomes "pterm ima" "pterm image "
	becomes "pterm image pu" "pterm image pull "
	becomes "pterm image pull fi" "pterm image pull first "
	becomes "pterm image pull --restart alw" "pterm image pull --restart always "
}

@test "completion: fish" {
	command -v fish || skip "no fish here"
	pterm completion fish | fish -n
	made_up completion fish >"$T/script"
	export HOME=$T PATH=$T/bin:$PATH MADE_UP_SESSIONS='[{"name":"web"},{"name":"db"}]'
	offers() {
		[ "$(fish --no-config -c "source $T/script; complete -C '$1'" | cut -f1 | sort | xargs)" = "$2" ]
	}
	offers "pterm att" "attach"
	offers "pterm attach w" "web"
	offers "pterm rm web " "db web"
	offers "pterm exec --restart " "always no on-failure"
	offers "pterm new --fla" "--flag"
	offers "pterm completion " "bash fish zsh"
	offers "pterm cp w" "web:"
	offers "pterm load /etc/hostn" "/etc/hostname"
	offers "pterm new --env-file /etc/hostn" "/etc/hostname"
	offers "pterm new --count " ""
	offers "pterm image " "ls pull"
	offers "pterm image pull " "first second"
	offers "pterm image pull --restart " "always no on-failure"
}

@test "manual pages: one for each command, without a warning" {
	for bin in pterm made_up; do
		for command in "" $(commands_of $bin); do
			page=$T/page.1
			$bin __man $command >"$page"
			if command -v mandoc >/dev/null; then mandoc -Tlint -W style "$page"; fi
			if command -v groff >/dev/null; then
				[ -z "$(groff -man -Tutf8 -ww -z "$page" 2>&1)" ]
			fi
		done
	done
	command -v mandoc || command -v groff || skip "neither mandoc nor groff here"
}

@test "manual pages: text is shown as it stands" {
	command -v mandoc || skip "no mandoc here"
	made_up __man new | mandoc -Tutf8 -O width=100 | col -b >"$T/text"
	grep -q 'back\\slash' "$T/text"
	grep -q 'kept as   it' "$T/text"
	grep -q '\.stands' "$T/text"
	grep -q '\.dotted' "$T/text"
	grep -q -- "-w, --workdir DIR" "$T/text"
}

@test "manual pages: pterm(1) tells about exit status, environment and files" {
	pterm __man >"$T/page"
	for title in "EXIT STATUS" ENVIRONMENT FILES COMMANDS; do
		grep -qx ".SH $title" "$T/page"
	done
	for word in PTERM_HOME PTERM_STORE PTERM_CRUN PTERM_LOG PTERM_DEFAULT_IMAGE PTERM_SESSION '128+n' 125 126 127; do
		grep -qxF ".B $word" "$T/page"
	done
}
