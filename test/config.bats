#!/usr/bin/env bats
# The configuration: where a value comes from, what is refused, and that it is used.
# as: user

load lib
bats_require_minimum_version 1.5.0

setup() {
	pterm_setup
	home=$TOP/$WHO/home
}
teardown() { pterm_teardown; }

# json EXPRESSION: of the JSON on stdin, called x.
json() { python3 -c 'import json,sys; x = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
put() { as "$WHO" tee "$home/$1" >/dev/null; }
# value OPTION: what holds, and where it was said.
value() { pterm config show -o json | json "[(o.get('value'), (o.get('origin') or '').rsplit('/', 1)[-1]) for o in x if o['option'] == '$1'][0]"; }
# with VARIABLE=VALUE... -- COMMAND...
with() {
	local -a variables=()
	while [ "$1" != -- ]; do
		variables+=("$1")
		shift
	done
	as "$WHO" env "${variables[@]}" "$TOP/bin/src/pterm" "${@:2}"
}
# refused WORDS: what `run --separate-stderr` saw is one line on stderr with these words.
refused() {
	echo "status $status, stdout '$output', stderr '$stderr'"
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"$1"* ]]
	[[ ! $stderr =~ [[:cntrl:]] ]]
}

@test "defaults, config.json, the environment's file, variables, options: the later wins" {
	[ "$(value gc.keep)" = "(None, '')" ]
	[ "$(value recording.size)" = "('64m', '')" ]
	put config.json <<<'{ "gc": { "keep": 1 },
  "environment": "staging" }'
	[ "$(value gc.keep)" = "(1, 'config.json:1:19')" ]
	put config.staging.json <<<'{ "gc": { "keep": 2 } }'
	put config.production.json <<<'{ "gc": { "keep": 3 } }'
	[ "$(value gc.keep)" = "(2, 'config.staging.json:1:19')" ]
	[ "$(with PTERM_ENV=production -- config show | awk '$1 == "gc.keep" { print $2 }')" = 3 ]
	[ "$(with PTERM_GC_KEEP=4 -- config show --origin | awk '$1 == "gc.keep" { print $2, $3 }')" = "4 PTERM_GC_KEEP" ]
	for name in a b c d e; do pterm new "$name" -- true </dev/null; done
	with PTERM_GC_KEEP=4 -- gc --dry-run | grep -q "would remove"
	[ "$(with PTERM_GC_KEEP=4 -- gc --dry-run | grep -c "would remove")" -eq 1 ]
	[ "$(pterm gc --dry-run | grep -c "would remove")" -eq 3 ]
	[ "$(pterm gc --keep 5)" = "nothing to do" ]
}

@test "what is wrong stops every command but those that help to mend it" {
	put config.json <<<'{
  "gc": {
    "kep": 1 } }'
	run --separate-stderr pterm ls
	refused "$home/config.json:3:5: unknown key 'gc.kep': did you mean 'keep'?"
	run --separate-stderr pterm new -- true
	refused "config.json:3:5"
	[ "$(pterm --version)" = "$(pterm version --short)" ]
	pterm help >/dev/null
	pterm __complete sessions
	run pterm config check
	[ "$status" -eq 1 ]
	[ "$output" = "$home/config.json:3:5: unknown key 'gc.kep': did you mean 'keep'?" ]
	pterm doctor -o json >"$TOP/doctor" || [ $? -eq 1 ]
	[ "$(json "[c['status'] for c in x['checks'] if c['name'] == 'config']" <"$TOP/doctor")" = "['problem']" ]
	put config.json <<<'{ "gc": { "keep": 1 } }'
	[ "$(pterm ls -q)" = "" ]
	[ "$(pterm config check)" = "$home/config.json: ok" ]
}

@test "config check: files of other environments, one that is not yet in place, variables" {
	run pterm config check
	[ "$status" -eq 0 ]
	put config.production.json <<<'{ "network": { "default": "nat" } }'
	run pterm config check
	[ "$status" -eq 1 ]
	[[ $output == *"config.production.json:1:27: 'network.default' must be one of none, private, host, not 'nat'"* ]]
	put new.json <<<'{ "gc": 1 }'
	run pterm config check "$home/new.json"
	[ "$status" -eq 1 ]
	[[ $output == *"new.json:1:9: 'gc' must be an object, not 1" ]]
	as "$WHO" rm "$home/config.production.json"
	run with PTERM_LOG=loud -- config check
	[ "$status" -eq 1 ]
	[[ $output == *"PTERM_LOG: 'log.level' must be one of"*"not 'loud'" ]]
	run with PTERM_RECORDNG_SIZE=1m -- config check
	[ "$status" -eq 1 ]
	[[ $output == *"PTERM_RECORDNG_SIZE: no option has this variable: did you mean PTERM_RECORDING_SIZE?"* ]]
	run pterm config check "$home/nosuch.json"
	[ "$status" -eq 1 ]
}

@test "bad input: one sentence, at the place" {
	bad() { # CONTENT WORDS
		printf '%b' "$1" | put config.json
		run --separate-stderr pterm ls
		refused "$2"
	}
	bad '' "config.json:1:1: a value is expected here, not the end of the file"
	bad '{"gc": {"keep": 1}, "gc": {"keep": 2}}' "config.json:1:21: 'gc' stands here a second time: the first is in line 1"
	bad '{"gc": {"keep": 1},}' "after the last ',' something is missing"
	bad '{"gc": {"keep": "many"}}' "'gc.keep' must be a whole number of at least 0, not 'many'"
	bad '{"store": "/a\\u0000b"}' "a text cannot hold the character NUL"
	bad '{"store": "/a\0b"}' "a control character in a text"
	bad '{"store": "/\xff"}' "config.json:1:13: this is no valid UTF-8"
	bad '{"store": "\x1b[2J"}' "a control character in a text"
	bad '{"\\u001b[2J": 1}' "unknown key '\\e[2J'"
	bad "$(printf '[%.0s' {1..5000})" "nested more than 64 deep"
	bad '{"environment": "test"}' "'environment' must be one of development, staging, production, not 'test'"
	head -c 10000000 /dev/zero | tr '\0' ' ' | put config.json
	run --separate-stderr pterm ls
	refused "config.json: it is larger than 1024 KiB"
	as "$WHO" rm "$home/config.json"
	as "$WHO" mkdir "$home/config.json"
	run --separate-stderr pterm ls
	refused "cannot read '$home/config.json': Is a directory"
}

@test "what sessions are made with comes from it, and options win" {
	put config.json <<<'{ "recording": { "size": "1m" }, "network": { "default": "host" }, "restart": { "first_delay": "10ms" },
		"limits": { "pids": 0 }, "engine": "crun" }'
	pterm new one -- true </dev/null
	pterm inspect one -o json >"$TOP/one"
	[ "$(json "x['spec']['record_bytes'], x['spec']['network'], x['spec']['restart_first_ms']" <"$TOP/one")" = "(1048576, 'host', 10)" ]
	pterm new two --record 2m --network none -- true </dev/null
	[ "$(pterm inspect two -o json | json "x['spec']['record_bytes'], x['spec']['network']")" = "(2097152, 'none')" ]
	put config.json <<<'{ "engine": "nosuch" }'
	run --separate-stderr pterm new -- true
	refused "there is no engine 'nosuch'"
	put config.json <<<'{ "default_image": "/nonexistent.tar" }'
	run --separate-stderr pterm new -- true
	refused "the default image '/nonexistent.tar' is not there"
	put config.json <<<'{ "runtime": "/nonexistent/crun" }'
	pterm engines | grep -q "crun  *no.*/nonexistent/crun"
}

@test "restart delays are the session's" {
	put config.json <<<'{ "restart": { "first_delay": "1ms", "longest_delay": "2ms" } }'
	pterm new -d again --restart on-failure:5 -- false </dev/null
	wait_for 60 eval '[ "$(field again state)" = ended ]'
	pterm events again -o json | grep session.restarting | json_lines_within 2
}
# json_lines_within MAX: of events, each waits at most so many milliseconds, and there are five.
json_lines_within() {
	python3 -c 'import json,sys
waits = [json.loads(line) for line in sys.stdin]
assert len(waits) == 5, waits
assert all(w["number"] <= int(sys.argv[1]) for w in waits), waits' "$1"
}

@test "the keys that detach" {
	/usr/bin/python3 -c 'import pexpect' 2>/dev/null || skip "needs python3-pexpect"
	put config.json <<<'{ "attach": { "detach_keys": "ctrl-x,q" } }'
	pterm new -d box -- cat </dev/null
	export -f as pterm is_ours
	export WHO TOP TEST_USER
	/usr/bin/python3 - <<-'END'
	import pexpect
	child = pexpect.spawn("bash", ["-c", "pterm attach box"], timeout=120)
	child.send("hello\r")
	child.expect("hello")
	child.send("\x18q")
	child.expect("detached from session box")
	child.expect(pexpect.EOF)
	END
}

@test "the schemas are what the decoders take, by another's judgement" {
	/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"
	PTERM_HOME=$home run /usr/bin/python3 "$BATS_TEST_DIRNAME/tools/schema-judge" "$TOP/bin/src/pterm" "$TOP/bin/share/schema"
	echo "$output"
	[ "$status" -eq 0 ]
	pterm config schema | cmp - "$TOP/bin/share/schema/config.json"
	pterm template schema | cmp - "$TOP/bin/share/schema/template.json"
}

@test "the tables in docs are current" {
	"$BATS_TEST_DIRNAME/../tools/make-reference" "$TOP/bin/src/pterm" --check
}
