#!/usr/bin/env bats
# What cannot be: one sentence on stderr that names the thing, the reason and what to do; exit code 125, or 126 and 127 as shells
# have them; and nothing half-made.
# as: user root

LEAVES_NOTHING=yes
PTERM_TEST_USER=pterm-faults
export PTERM_ROOT_IDS=1810000000:65536
load lib

setup() { pterm_setup; }
teardown() {
	chmod -R u+rwX "$TOP/$WHO" 2>/dev/null || true
	pterm_teardown
}

# said CODE WORDS... : what `run --separate-stderr` saw is this code, nothing on stdout, and on stderr one line with the words.
said() {
	local code=$1 word
	shift
	echo "status $status, stdout '$output', stderr '$stderr'"
	[ "$status" -eq "$code" ]
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[[ $stderr == pterm* ]]
	[[ ! $stderr =~ [[:cntrl:]] ]]
	for word; do [[ $stderr == *"$word"* ]] || { echo "does not say '$word'"; return 1; }; done
}

# refused CODE WORDS... -- COMMAND...: pterm refuses it so, and makes nothing.
refused() {
	local -a words=()
	while [ "$1" != : ]; do
		words+=("$1")
		shift
	done
	shift
	local before
	before=$(listing)
	run --separate-stderr -"${words[0]}" pterm "$@" </dev/null
	said "${words[@]}"
	assert_nothing_left
	[ "$(listing)" = "$before" ]
}
listing() { find "$TOP/$WHO"/{home,store}/{sessions,names} -mindepth 1 -maxdepth 1 ! -name .lock 2>/dev/null | sort; }

bats_require_minimum_version 1.5.0

@test "a session that is not there" {
	for command in "attach" "start" "stop" "rm" "inspect" "kill" "restart"; do
		refused 125 "no session 'nobody'" "see pterm ls" : $command nobody
	done
	refused 125 "no session 'nobody'" : exec nobody true
	refused 125 "no session 'nobody'" : rename nobody other
	refused 125 "no session 'nobody'" : logs nobody
}

@test "a session that has ended" {
	pterm new -d box -- true
	wait_for 20 has_ended box
	refused 125 "'box' is over" "pterm start box" : attach box
	refused 125 "'box' is not running" : exec box true
	refused 125 "'box' is not running" : kill box
}
has_ended() { [ "$(field "$1" state)" = ended ]; }

@test "an image that is none" {
	refused 125 "/no/such/image" "no such file" : new --image /no/such/image
	echo "no tar" >"$TOP/$WHO/text.tar"
	refused 125 "text.tar" : new --image "$TOP/$WHO/text.tar"
	mkdir -m 755 "$TOP/$WHO/empty"
	refused 125 "$TOP/$WHO/empty" "no root file system" : new --image "$TOP/$WHO/empty" -- sh
	mkdir "$TOP/$WHO/empty/bin"
	refused 127 "command not found" : new --image "$TOP/$WHO/empty" -- sh
	: >"$TOP/$WHO/nothing.tar"
	refused 125 "nothing.tar" : new --image "$TOP/$WHO/nothing.tar"
}

@test "a name that is taken" {
	pterm new -d box -- true
	refused 125 "'box' already" "choose another name" "pterm rm box" : new box -- true
	pterm new -d other -- true
	refused 125 "'other' already" : rename box other
}

@test "a name that cannot be" {
	for name in a/b ../up . .. $'a\nb' $'\e[2Jx' "a b" "" "$(printf 'x%.0s' {1..64})"; do
		refused 125 "cannot be a session's name" "letters, digits" : new -d "$name" -- true
	done
	pterm new -d box -- true
	for name in a/b $'a\nb' $'\e[2Jx'; do refused 125 "cannot be a session's name" : rename box "$name"; done
	for name in a/b $'a\nb' $'\e[2Jx' ..; do refused 125 "there is no session" : inspect "$name"; done
}

@test "listings show no escape sequence" {
	pterm new -d box -- sh -c $'echo \e[31mred\nnext' $'\e[2J'
	pterm ls >"$TOP/list"
	pterm inspect box >>"$TOP/list"
	cat -v "$TOP/list"
	! grep -q $'\e' "$TOP/list"
	pterm ls -o json | /usr/bin/python3 -c 'import json, sys; json.load(sys.stdin)'
	[ "$(pterm ls | wc -l)" -eq 2 ]
}

@test "a command that is not there, or is no program" {
	refused 127 "/no/such/command" "command not found" : new -- /no/such/command
	refused 127 "nosuch" "command not found" : new -d box -- nosuch
	refused 126 "/etc" "Permission denied" : new box -- /etc
	refused 126 "/etc/passwd" "Permission denied" : new -d -- /etc/passwd
	refused 125 "/no/such/directory" "No such file" : new -d -w /no/such/directory -- true
	refused 125 "relative" "absolute" : new -d -w relative -- true
	refused 125 "nobody-there" : new -d -u nobody-there -- true
	refused 125 "4294967295" : new -d -u 4294967295 -- true
	pterm new -d box -- sleep 1000
	run --separate-stderr pterm exec box nosuch </dev/null
	said 127 "command not found"
	run --separate-stderr pterm exec box /etc </dev/null
	said 126 "Permission denied"
	pterm rm -f box
}

@test "a home that cannot be written" {
	[ "$WHO" = user ] || skip "root can write everywhere"
	run --separate-stderr as "$WHO" env PTERM_HOME=/proc/pterm "$TOP/bin/src/pterm" new -- true
	said 125 "/proc/pterm" "PTERM_HOME"
	run --separate-stderr as "$WHO" env PTERM_HOME=/usr/pterm "$TOP/bin/src/pterm" ls
	said 125 "/usr/pterm" "Permission denied" "PTERM_HOME"
	mkdir "$TOP/foreign"
	run --separate-stderr as "$WHO" env PTERM_HOME="$TOP/foreign" "$TOP/bin/src/pterm" ls
	said 125 "$TOP/foreign" "PTERM_HOME"
	pterm ls
	chmod 500 "$TOP/user/home/sessions"
	run --separate-stderr pterm new -- true
	said 125 "home/sessions" "Permission denied"
	chmod 700 "$TOP/user/home/sessions"
	assert_nothing_left
}

@test "a home that is no directory, or not ours" {
	: >"$TOP/$WHO/file"
	run --separate-stderr as "$WHO" env PTERM_HOME="$TOP/$WHO/file" "$TOP/bin/src/pterm" ls
	said 125 "$TOP/$WHO/file"
	run --separate-stderr as "$WHO" env PTERM_HOME="$TOP/$WHO/file/below" "$TOP/bin/src/pterm" ls
	said 125 "$TOP/$WHO/file/below"
}

@test "a disk that is full" {
	[ "$(id -u)" = 0 ] || skip "needs root, to mount a small file system"
	export WHO TOP TEST_USER
	# a file system of 256 KiB as home and store, in a mount namespace of its own; filled but for less and less
	cat >"$TOP/full" <<-'SH'
		set -e
		mount -t tmpfs -o size=256k,mode=755 small "$TOP/$WHO/home"
		[ "$WHO" = root ] || chown "$TEST_USER:" "$TOP/$WHO/home"
		"$@" ls >/dev/null
		for free in 0 4 8 16 24 32; do
			rm -f "$TOP/$WHO/home/fill"
			head -c "$((256 - free))k" /dev/zero >"$TOP/$WHO/home/fill" 2>/dev/null || true
			code=0
			timeout 60 "$@" new -d box -- true >"$TOP/out" 2>"$TOP/err" </dev/null || code=$?
			rm -f "$TOP/$WHO/home/fill"
			if [ $code = 0 ]; then
				"$@" rm -f box
			else
				echo "with $free KiB free: $(cat "$TOP/err")"
				[ $code = 125 ]
				[ "$(wc -l <"$TOP/err")" = 1 ]
				grep -q "No space left" "$TOP/err"
			fi
			"$@" ls >/dev/null
			[ -z "$(ls -A "$TOP/$WHO/home/sessions")" ]
			[ "$(ls -A "$TOP/$WHO/home/names" | grep -v '^.lock$')" = "" ]
		done
	SH
	local name
	# what `pterm` is, as words: functions do not reach through unshare
	{
		declare -p PASSED_ON WITHIN PTERM_ROOT_IDS TEST_USER TOP WHO
		declare -f as
		# shellcheck disable=SC2016
		echo 'as "$WHO" "$TOP/bin/src/pterm" "$@"'
	} >"$TOP/pterm-as"
	unshare --mount --propagation private bash "$TOP/full" bash "$TOP/pterm-as"
	assert_nothing_left
}

@test "no container runtime, or one that is too old" {
	export PTERM_CRUN=/no/such/crun
	refused 125 "/no/such/crun" "PTERM_CRUN" : new -d -- true
	printf '#!/bin/sh\necho crun version 1.8\n' >"$TOP/bin/crun"
	chmod 755 "$TOP/bin/crun"
	export PTERM_CRUN=$TOP/bin/crun
	refused 125 "1.8" "1.14" "tools/install-crun" : new -d -- true
	printf '#!/bin/sh\necho hello\n' >"$TOP/bin/crun"
	refused 125 "$TOP/bin/crun" : new -d -- true
	printf '#!/bin/sh\nexit 1\n' >"$TOP/bin/crun"
	refused 125 "$TOP/bin/crun" : new -d box -- true
}

@test "a runtime that fails: the record keeps what it said" {
	printf '#!/bin/sh\n[ "$1" != --version ] || { echo crun version 1.21; exit; }\necho it does not want to >&2\nexit 1\n' >"$TOP/bin/crun"
	chmod 755 "$TOP/bin/crun"
	export PTERM_CRUN=$TOP/bin/crun
	run --separate-stderr pterm new -d box -- true </dev/null
	said 125 "exit code 1" "it does not want to"
	[ "$(field box state)" = ended ]
	[ "$(field box reason)" = start-failed ]
	grep -q "it does not want to" "$TOP/$WHO/home/sessions/"*/crash/runtime.log
	assert_nothing_left
}

@test "no subordinate ids" {
	[ "$WHO" = user ] || skip "root has ids of its own"
	[ "$(id -u)" = 0 ] || skip "needs root, to make a user without"
	local poor=pterm-poor
	id $poor >/dev/null 2>&1 || useradd --create-home --shell /bin/sh $poor
	sed -i "/^$poor:/d" /etc/subuid /etc/subgid
	chown -R $poor: "$TOP/user"
	TEST_USER=$poor
	run --separate-stderr pterm new -d -- true </dev/null
	said 125 "/etc/subuid" "$poor" "usermod --add-subuids"
	[ -z "$(ls -A "$TOP/user/home/sessions")" ]
}

@test "a terminal of size 0" {
	run env SHELL=/bin/bash timeout 60 script -qec "stty rows 0 cols 0; $(declare -p TOP WHO TEST_USER PTERM_ROOT_IDS PASSED_ON WITHIN | tr '\n' ';') $(declare -f as); as $WHO $TOP/bin/src/pterm new --rm -- stty size" /dev/null </dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"24 80"* ]]
}

@test "a deep home" {
	local deep=$TOP/$WHO n
	for n in {1..12}; do deep=$deep/a-rather-long-name-of-a-directory; done
	[ ${#deep} -gt 300 ]
	deep_pterm() { as "$WHO" env PTERM_HOME="$deep" PTERM_STORE="$deep/store" "$TOP/bin/src/pterm" "$@"; }
	mkdir -p "$deep/store"
	[ "$WHO" = root ] || chown -R "$TEST_USER:" "$TOP/user"
	chmod 711 "$deep" "$deep/store"
	[ "$(deep_pterm new --rm -- echo hello </dev/null | tr -d '\r')" = hello ]
	deep_pterm new -d box -- sleep 1000
	[ "$(deep_pterm exec -T box echo hello)" = hello ]
	deep_pterm stop box
	deep_pterm rm box
}

@test "bad values of options" {
	refused 125 "nocolon" "SOURCE:TARGET" : new -d -v nocolon -- true
	refused 125 "/no/such/dir" "No such file" : new -d -v /no/such/dir:/x -- true
	refused 125 "relative" "absolute" : new -d -v "$TOP:relative" -- true
	refused 125 "/x/../y" : new -d -v "$TOP:/x/../y" -- true
	refused 125 "rx" : new -d -v "$TOP:/x:rx" -- true
	refused 125 "pterm's own directory" : new -d -v "$TOP/$WHO/home:/x" -- true
	refused 125 "KEY=VALUE" : new -d -e =x -- true
	refused 125 "KEY=VALUE" : new -d -e "a b=x" -- true
	refused 125 "/no/such/file" "No such file" : new -d --env-file /no/such/file -- true
	printf 'a\0b\n' >"$TOP/$WHO/env"
	refused 125 "$TOP/$WHO/env" "no text" : new -d --env-file "$TOP/$WHO/env" -- true
	for value in x 0:1 1:0 65536 1:65536 -1 1:2:3 ""; do
		refused 125 "$value" : new -d --network private -p "$value" -- true
	done
	refused 125 "-p" "--network private" : new -d -p 8080:80 -- true
	for value in x -1 "" 1q 99999999999999999999g; do refused 125 "--memory" "$value" : new -d --memory "$value" -- true; done
	for value in x -1 0 "" 1x nan inf; do refused 125 "--cpus" "$value" : new -d --cpus "$value" -- true; done
	for value in x sometimes on-failure:0 on-failure:x on-failure: ""; do
		refused 125 "--restart" "$value" : new -d --restart "$value" -- true
	done
	refused 125 "--network" "bridge" "none" "private" "host" : new -d --network bridge -- true
	refused 125 "--pids" : new -d --pids 0 -- true
	refused 125 "--hostname" : new -d --hostname $'a\eb' -- true
	refused 125 "--rm" "--restart" : new -d --rm --restart always -- true
	refused 125 "no engine 'other'" "pterm engines" : new -d --engine other -- true
	refused 125 "--privileged is refused" : new -d --privileged -- true
	refused 125 "relative" "absolute" : new -d --tmpfs relative -- true
	refused 125 "unknown option" : new --no-such-option
	refused 125 "unknown command" : no-such-command
}

@test "a session whose status cannot be read" {
	for content in "" "{" "[]" '{"id": 3}' '{"id":"x","name":"y","state":"sideways"}' "$(printf '\033[2J')"; do
		pterm new -d box -- true
		wait_for 20 has_ended box
		pterm new -d good -- true
		local id
		id=$(readlink "$TOP/$WHO/home/names/box")
		printf '%s' "$content" >"$TOP/$WHO/home/sessions/$id/status.json"
		pterm ls >"$TOP/list"
		cat -v "$TOP/list"
		grep -q "$id.*broken" "$TOP/list"
		grep -q "^good" "$TOP/list"
		pterm ls -o json | /usr/bin/python3 -c 'import json, sys; json.load(sys.stdin)'
		for command in inspect start stop attach; do refused 125 "$id" "is broken" "pterm rm $id" "status.json" : $command box; done
		pterm rm "$id"
		pterm rm -af
		[ -z "$(listing)" ]
		assert_nothing_left
	done
}

@test "a session whose spec says what is not so can be removed" {
	[ "$WHO" = root ] || PASSED_ON+=(PTERM_STORE)
	local change store
	for store in "$TOP/$WHO/home" "$TOP/$WHO/elsewhere"; do
		[ "$WHO" = root ] || export PTERM_STORE=$store
		for change in '"engine": "other"' '"engine": "process"' '"map": null' '"map": "0:0:1;0:0:1"' '"map": "?"'; do
			pterm new -d box -- sh -c 'mkdir -p /tmp/d; echo x >/tmp/d/f; chown 1000 /tmp/d'
			wait_for 20 has_ended box
			local id
			id=$(readlink "$TOP/$WHO/home/names/box")
			/usr/bin/python3 - "$TOP/$WHO/home/sessions/$id/spec.json" "{$change}" <<-'P'
			import json, sys
			spec = json.load(open(sys.argv[1]))
			spec.update(json.loads(sys.argv[2]))
			json.dump({k: v for k, v in spec.items() if v is not None}, open(sys.argv[1], "w"))
			P
			pterm rm box
			[ -z "$(listing)" ]
			[ -z "$(ls "$store/sessions" 2>/dev/null)" ]
		done
	done
}

@test "a session whose spec cannot be read" {
	for content in "" "{" '{"engine": 3}' "[]"; do
		pterm new -d box -- sh -c 'mkdir -p /tmp/d; echo x >/tmp/d/f; adduser -D u 2>/dev/null; chown 1000 /tmp/d'
		wait_for 20 has_ended box
		local id
		id=$(readlink "$TOP/$WHO/home/names/box")
		printf '%s' "$content" >"$TOP/$WHO/home/sessions/$id/spec.json"
		pterm ls >/dev/null
		refused 125 "spec" : inspect box
		run --separate-stderr pterm start box
		said 125 "spec"
		pterm rm box
		[ -z "$(listing)" ]
		assert_nothing_left
	done
}
