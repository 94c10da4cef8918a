#!/usr/bin/env bats
# Templates, on the real crun: what a session of one is, what is refused, and what is kept secret.
# as: user root

load lib
bats_require_minimum_version 1.5.0

setup() {
	pterm_setup
	templates=$TOP/$WHO/home/templates
	as "$WHO" mkdir -p "$templates" "$TOP/$WHO/here"
	cd "$TOP/$WHO/here" || return
}
teardown() {
	cd /
	pterm_teardown
}

json() { python3 -c 'import json,sys; x = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
put() { as "$WHO" tee "$templates/$1.json" >/dev/null; }
# with VARIABLE=VALUE... -- COMMAND...
with() {
	local -a variables=()
	while [ "$1" != -- ]; do
		variables+=("$1")
		shift
	done
	as "$WHO" env "${variables[@]}" "$TOP/bin/src/pterm" "${@:2}"
}
# refused WORDS -- COMMAND...: one sentence with these words, and no session.
refused() {
	local words=$1
	shift
	run --separate-stderr pterm "$@" </dev/null
	echo "status $status, stdout '$output', stderr '$stderr'"
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"$words"* ]]
	[[ ! $stderr =~ [[:cntrl:]] ]]
	[ -z "$(pterm ls -q)" ]
}
# shown SESSION: what it printed, without its carriage returns.
shown() { pterm logs --plain "$1"; }

@test "the sample of the requirements: files, variables, directory" {
	put python-dev <<-'END'
	{
	  "name": "python-dev",
	  "image": "default",
	  "command": "/bin/sh -c 'pwd; echo $PYTHONPATH; touch made'",
	  "volumes": ["./workspace:/workspace"],
	  "environment": {"PYTHONPATH": "/workspace"},
	  "working_dir": "/workspace"
	}
	END
	sed -i '/"image"/d' "$templates/python-dev.json"
	pterm new -t python-dev </dev/null >"$TOP/out"
	[ "$(tr -d '\r' <"$TOP/out")" = $'/workspace\n/workspace' ]
	[ -f workspace/made ]
	[ "$(stat -c %U workspace/made)" = "$(as "$WHO" id -un)" ]
	pterm new -t python-dev </dev/null >/dev/null
	[ "$(pterm ls -q | sort | xargs)" = "python-dev python-dev-2" ]
}

@test "readonly, interactive, user, hostname, tmpfs, limits, restart" {
	put all <<-'END'
	{ "command": ["sh", "-c", "id -un; hostname; touch /x || echo no; touch /t/x && echo yes; sleep 1000"], "readonly": true,
	  "interactive": false, "user": "nobody", "hostname": "host-of-it", "tmpfs": ["/t:mode=1777"], "restart": "on-failure:2",
	  "labels": {"team": "a", "for": "${session.name}"} }
	END
	[ "$(pterm new -t all box </dev/null)" = box ]
	wait_for 60 eval 'shown box | grep -q yes'
	[ "$(shown box | grep -v "touch:" | xargs)" = "nobody host-of-it no yes" ]
	pterm inspect box -o json >"$TOP/box"
	[ "$(json "x['spec']['restart'], x['spec']['restart_max'], x['spec']['labels']" <"$TOP/box")" = "('on-failure', 2, {'team': 'a', 'for': 'box'})" ]
}

@test "options and a command win over the template" {
	as "$WHO" mkdir a b
	echo a | as "$WHO" tee a/f >/dev/null
	echo b | as "$WHO" tee b/f >/dev/null
	put base <<<'{ "command": "false", "volumes": ["./a:/v"], "environment": {"A": "1", "B": "2"}, "working_dir": "/", "labels": {"x": "1"} }'
	pterm new -t base one -v "$PWD/b:/v" -e B=3 -w /tmp --label x=2 --label y=3 -- sh -c 'cat /v/f; echo $A $B; pwd' </dev/null >"$TOP/out"
	[ "$(tr -d '\r' <"$TOP/out" | xargs)" = "b 1 3 /tmp" ]
	[ "$(pterm inspect one -o json | json "x['spec']['labels'], len(x['spec']['volumes'])")" = "({'x': '2', 'y': '3'}, 1)" ]
}

@test "extends: merged, null takes away, circles are named" {
	put base <<<'{ "command": "sh -c \"echo $A $B\"", "environment": {"A": "1", "B": "2"}, "user": "nobody" }'
	put top <<<'{ "extends": "base", "environment": {"A": null, "B": "3"}, "user": null }'
	[ "$(pterm new -t top </dev/null | tr -d '\r')" = 3 ]
	[ "$(pterm template show top | json "x['environment'], 'user' in x")" = "({'B': '3'}, False)" ]
	pterm rm -a
	put base <<<'{ "extends": "top" }'
	refused "base.json:1:14: 'extends': templates go round in a circle: top.json extends base.json extends top.json" new -t top
	put self <<<'{ "extends": "self" }'
	refused "circle: self.json extends self.json" new -t self
}

@test "parameters: --set, the environment, defaults; nothing is run or divided" {
	put p <<-'END'
	{ "command": "echo ${WORD:-none} ${session.id} ${session.name} ${NEEDED:?say which}",
	  "environment": {"X": "${WORD:-none}"} }
	END
	refused "p.json:1:14: the parameter 'NEEDED' is needed: say which" new -t p
	refused "--set: the template has no parameter 'WROD': did you mean 'WORD'?" new -t p --set WROD=1 --set NEEDED=1
	refused "--set: 'session.id' is given by pterm, and cannot be set" new -t p --set session.id=1
	refused "--set gives a template's parameter: add -t TEMPLATE" new --set A=1
	with NEEDED=n -- new -t p one --set 'WORD=$(touch evil) `touch evil` a  b;ls' </dev/null >"$TOP/out"
	[ "$(tr -d '\r' <"$TOP/out")" = "\$(touch evil) \`touch evil\` a  b;ls $(field one id) one n" ]
	[ "$(field one command)" = "echo \$(touch evil) \`touch evil\` a  b;ls $(field one id) one n" ]
	[ ! -e evil ]
	with WORD=w -- new -t p --set NEEDED=x </dev/null >"$TOP/out"
	grep -q "^w [0-9a-f]\{12\} p x" "$TOP/out"
	[ "$(pterm template show p --parameters | sort | xargs)" = "NEEDED WORD session.id session.name" ]
	[ "$(pterm template show p --set NEEDED=1 | json "x['command'][4]")" = 1 ]
	# what a person writes is never taken for the session's id
	! grep -rq "m[0-9a-f]\{16\}[in]" "$TOP/$WHO/home/sessions"/*/spec.json "$TOP/$WHO/home/sessions"/*/status.json
}

@test "secrets: only inside, only its user, never on disk, read again at each start" {
	local value=hush-$RANDOM-$RANDOM
	echo "$value" | as "$WHO" tee token >/dev/null
	put s <<-'END'
	{ "command": ["sh", "-c", "cat /run/secrets/token | md5sum; md5sum </run/secrets/key; ls -ld /run/secrets; ls -l /run/secrets; echo x >/run/secrets/token || true"],
	  "user": "nobody", "secrets": {"token": {"file": "${F:-token}"}, "key": {"environment": "API_KEY"}} }
	END
	refused "the secret 'key': the variable 'API_KEY' is not set" new -t s
	refused "the secret 'token': cannot read 'nosuch'" new -t s --set F=nosuch
	with "API_KEY=$value" -- new -t s box </dev/null >"$TOP/out"
	[ "$(head -n 1 "$TOP/out" | cut -d' ' -f1)" = "$(echo "$value" | md5sum | cut -d' ' -f1)" ]
	[ "$(sed -n 2p "$TOP/out" | cut -d' ' -f1)" = "$(printf %s "$value" | md5sum | cut -d' ' -f1)" ]
	grep -q "^dr-x------ .*nobody" "$TOP/out"
	[ "$(grep -c '^-r-------- .*nobody' "$TOP/out")" -eq 2 ]
	grep -q "/run/secrets/token: \(Read-only file system\|Permission denied\)" "$TOP/out"
	! grep -rq "$value" "$TOP/$WHO/home" "$TOP/$WHO/store"
	! pterm inspect box -o json | grep -q "$value"
	pterm inspect box | grep -q "secret .*/run/secrets/key, from the variable API_KEY"
	# nothing of it is left in the session's files, and a start reads it again
	echo other | as "$WHO" tee token >/dev/null
	with API_KEY=k -- start box
	wait_for 60 eval '[ "$(field box state)" = ended ]'
	shown box | grep -q "$(echo other | md5sum | cut -d' ' -f1)"
	as "$WHO" rm token
	run with API_KEY=k -- start box
	[ "$status" -eq 125 ]
	[[ $output == *"the secret 'token': cannot read"* ]]
}

@test "secrets: another user inside cannot read them, and no engine without containers has them" {
	echo hush | as "$WHO" tee token >/dev/null
	pterm new -d box -u nobody --secret token=token -- sleep 1000 </dev/null
	[ "$(pterm exec box cat /run/secrets/token)" = hush ]
	run pterm exec -u 7:7 box cat /run/secrets/token
	[ "$status" -ne 0 ]
	[[ $output == *"Permission denied"* ]]
	run pterm new --engine process --secret token=token -- true </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *"cannot do --secret"* ]]
	run pterm new --secret ../x=token -- true </dev/null
	[ "$status" -eq 125 ]
	run pterm new --secret a=token --secret a=env:PATH -- true </dev/null
	[[ $output == *"there are two secrets 'a'"* ]]
	head -c 200000 /dev/zero | as "$WHO" tee large >/dev/null
	run pterm new --secret a=large -- true </dev/null
	[[ $output == *"is larger than 128 KiB"* ]]
}

@test "labels: shown, and filtered by" {
	pterm new one --label team=a --label env=prod -- true </dev/null
	pterm new two --label team=b -- true </dev/null
	pterm new three -- true </dev/null
	[ "$(pterm ls -q --label team | sort | xargs)" = "one two" ]
	[ "$(pterm ls -q --label team=a)" = one ]
	[ "$(pterm ls -q --label team --label env)" = one ]
	[ -z "$(pterm ls -q --label tea)" ]
	[ "$(pterm ls -o json --label team=b | json "[s['labels'] for s in x]")" = "[{'team': 'b'}]" ]
	pterm inspect one | grep -q "label .*env=prod"
	run pterm new --label "a b=c" -- true </dev/null
	[ "$status" -eq 125 ]
}

@test "probes of a template, and an option instead of one" {
	put t <<<'{ "command": "cat", "health": { "command": ["test", "${session.name}", "=", "box"], "interval": "50ms" },
		"readiness": { "command": "false", "interval": "50ms" } }'
	pterm new -d -t t --ready-cmd true box </dev/null
	pterm wait box --healthy -t 60s
	pterm wait box --ready -t 60s
	pterm inspect box -o json | grep -q '"test"'
}

@test "what is refused: one sentence, at its place, and no session" {
	put t <<<'{ "privileged": true }'
	refused "t.json:1:17: 'privileged' is refused: a container that may do everything confines nothing; give it what it needs" new -t t
	put t <<<'{ "image": "python:3.9-slim" }'
	refused "python:3.9-slim" new -t t
	for key in '"model": "m"' '"gpu": true'; do
		put t <<<"{ $key }"
		refused "the template 't' asks for '$(cut -d'"' -f2 <<<"$key")', which this version of pterm cannot give" new -t t
	done
	put t <<<'{ "packages": [], "gpu": false, "command": "true" }'
	pterm new --rm -t t </dev/null
	put t <<<'{ "command": "x", "command": "y" }'
	refused "'command' stands here a second time" new -t t
	put t <<<'{ "comand": "x" }'
	refused "unknown key 'comand': did you mean 'command'?" new -t t
	printf '{ "image": "\xff" }' | put t
	refused "t.json:1:13: this is no valid UTF-8" new -t t
	printf '[%.0s' {1..5000} | put t
	refused "nested more than 64 deep" new -t t
	head -c 10000000 /dev/zero | tr '\0' ' ' | put t
	refused "it is larger than 1024 KiB" new -t t
	as "$WHO" rm "$templates/t.json"
	refused "there is no template 't': pterm template ls shows what there is" new -t t
	refused "there is no template 'shel': did you mean 'shell'?" new -t shel
	refused "cannot be a template's name" new -t ..
	refused "there is no template in a file './nosuch.json'" new -t ./nosuch.json
}

@test "ls, check, rm: yours and those that came with pterm" {
	put mine <<<'{ "description": "of mine", "image": "i" }'
	put broken <<<'{ '
	pterm template ls | grep -q "^mine  *you  *i  *of mine"
	pterm template ls | grep -q "^shell  *pterm "
	pterm template ls | grep -q "^broken .*broken.json:2:1: a key in quotes is expected here"
	all=$(cd "$TOP/bin/share/templates" && printf '%s\n' *.json broken.json mine.json | sed 's/\.json$//' | LC_ALL=C sort)
	[ "$(pterm template ls -q)" = "$all" ]
	[ "$(pterm template ls -o json | json "sorted(t['name'] for t in x if not t['shipped'])")" = "['broken', 'mine']" ]
	[ "$(pterm __complete templates | LC_ALL=C sort)" = "$all" ]
	run pterm template check
	[ "$status" -eq 1 ]
	grep -qx 'mine: ok' <<<"$output"
	[ "$(pterm template check mine shell)" = $'mine: ok\nshell: ok' ]
	refused "came with pterm and cannot be removed" template rm shell
	pterm template rm mine broken
	[ "$(pterm template ls -o json | json "all(t['shipped'] for t in x)")" = True ]
	refused "there is no template 'mine'" template rm mine
	pterm template check
}

@test "every template that came with pterm is right" {
	pterm template check
	pterm new -t shell --rm -- sh -c 'pwd' </dev/null | tr -d '\r' | grep -qx /work
}

@test "edit: a new one, a wrong one does not take its place, a copy of a shipped one" {
	editor() { printf '#!/bin/sh\n%s\n' "$1" | as "$WHO" tee "$TOP/$WHO/editor" >/dev/null && as "$WHO" chmod +x "$TOP/$WHO/editor"; }
	edit() { as "$WHO" env EDITOR="$TOP/$WHO/editor -x" "$TOP/bin/src/pterm" template edit "$@"; }
	editor 'echo "{ \"description\": \"new\" }" >"$2"; [ "$1" = -x ]'
	edit mine
	[ "$(cat "$templates/mine.json")" = '{ "description": "new" }' ]
	editor 'echo "{ \"descripton\": 1 }" >"$2"'
	run edit mine
	[ "$status" -eq 125 ]
	[[ $output == *"the template is as it was"*".edit-mine.json:1:3: unknown key 'descripton': did you mean 'description'?" ]]
	[ "$(cat "$templates/mine.json")" = '{ "description": "new" }' ]
	editor 'sed -i s/descripton.*1/description\":\"mended\"/ "$2"'
	edit mine 2>"$TOP/said"
	grep -q "going on with what the last edit left" "$TOP/said"
	[ "$(pterm template show mine | json "x['description']")" = mended ]
	editor 'exit 3'
	run edit mine
	[ "$status" -eq 125 ]
	[[ $output == *"ended with exit code 3: nothing was changed"* ]]
	editor 'grep -q /work "$2"'
	as "$WHO" rm -f "$templates/.edit-mine.json"
	edit shell
	[ "$(pterm template ls -o json | json "[t['shipped'] for t in x if t['name'] == 'shell']")" = "[False]" ]
	[ -z "$(find "$templates" -name '.edit-*')" ]
}
