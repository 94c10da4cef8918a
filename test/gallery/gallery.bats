#!/usr/bin/env bats
# The gallery: each template that comes with pterm is started, shows on its screen what it should, and is quit by its own keys.
# It needs a Debian mirror and some minutes, so it is not part of make check: make check-gallery.
# as: user

bats_require_minimum_version 1.5.0
load ../lib

BATS_TEST_TIMEOUT=900
# where /dev/net/tun is for root alone, as in some virtual machines, the packages could not be fetched
[ "$(stat -c %a /dev/net/tun 2>/dev/null)" = 666 ] || [ "$(id -u)" != 0 ] || WITHIN=("$BATS_TEST_DIRNAME/../lab/tun")

# The image and what the templates add to it are made once for all tests.
setup_file() {
	pterm_setup
	as "$WHO" mkdir -p "$TOP/user/here"
	# 22: what mmdebstrap or apt ends with where there is no mirror is said by the tests, which are skipped then
	# without bats' descriptors: see test/tools/debian-tar
	as "$WHO" "$TOP/bin/share/recipes/debian-12" >"$TOP/recipe" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- || echo "$?" >"$TOP/recipe.failed"
}
teardown_file() {
	cd /
	pterm_teardown
}
setup() {
	[ ! -e "$TOP/recipe.failed" ] || grep -q 'E: .*\(fetch\|resolv\|connect\|download\)' "$TOP/recipe" || { cat "$TOP/recipe"; false; }
	[ ! -e "$TOP/recipe.failed" ] || skip "no Debian mirror can be reached: $(tail -1 "$TOP/recipe")"
	cd "$TOP/user/here" || return
}
teardown() { pterm rm -af >/dev/null 2>&1 || true; }

# begins TEMPLATE TEXT [OPTION...]: a session of it shows this.
begins() {
	pterm new -d "$1" -t "$1" "${@:3}" </dev/null
	shows "$1" "$2"
}
shows() {
	pterm wait "$1" --text "$2" --timeout 3m || { pterm screen "$1"; pterm inspect "$1"; return 1; }
}
types() { pterm send "$@"; }
# ends SESSION [CODE]: it has ended by itself, with that exit code (0).
ends() {
	pterm wait "$1" --exit --timeout 3m || { pterm screen "$1"; return 1; }
	[ "$(field "$1" reason)" = exited ]
	[ "$(field "$1" exit_code)" = "${2:-0}" ]
}

@test "every template of the gallery is right, and is tried here" {
	local file name
	pterm template check
	for file in "$TOP"/bin/share/templates/*.json; do
		name=$(basename "$file" .json)
		grep -q "begins $name " "$BATS_TEST_FILENAME" || { echo "$name is not tried"; return 1; }
	done
}

@test "shell" {
	echo content >"$TOP/user/here/file"
	begins shell '#'
	types shell 'cat file' --enter
	shows shell content
	types shell -k ctrl-d
	ends shell
}

@test "debian" {
	begins debian '#'
	types debian '. /etc/os-release; echo $ID-$VERSION_ID' --enter
	shows debian debian-12
	types debian exit --enter
	ends debian
}

@test "python" {
	begins python '>>>'
	types python 'print(6 * 7)' --enter
	shows python 42
	types python -k ctrl-d
	ends python
}

@test "python-dev: pip, and a directory of mine" {
	begins python-dev '#'
	types python-dev 'python3 -m venv v && v/bin/pip --version && echo answer=42 >mine.py' --enter
	shows python-dev 'pip 2'
	types python-dev 'python3 -c "import mine; print(mine.answer)"' --enter
	pterm wait python-dev --regex '^42' --timeout 3m
	types python-dev exit --enter
	ends python-dev
	[ "$(stat -c %U workspace/mine.py)" = "$(as "$WHO" id -un)" ]
}

@test "node" {
	begins node '>'
	types node '6 * 7' --enter
	shows node 42
	types node -k ctrl-d
	ends node
}

@test "npm" {
	begins npm '#'
	types npm 'npm init -y >/dev/null && npm pkg set scripts.build="echo made by \$npm_lifecycle_event" && npm run build' --enter
	shows npm 'made by build'
	types npm exit --enter
	ends npm
	[ -f package.json ]
}

@test "vim" {
	begins vim 'VIM - Vi IMproved'
	types vim ihello -k escape ':wq by-vim' --enter
	ends vim
	[ "$(cat by-vim)" = hello ]
}

@test "neovim" {
	begins neovim NVIM
	types neovim ihello -k escape ':wq by-neovim' --enter
	ends neovim
	[ "$(cat by-neovim)" = hello ]
}

@test "git" {
	begins git '#'
	types git 'git init -q repo && cd repo && git config user.email a@b && git config user.name ann' --enter
	types git 'echo 1 >f && git add f && git commit -qm "the first one" && git log' --enter
	shows git 'Author: ann <a@b>'
	types git exit --enter
	ends git
	[ "$(stat -c %U repo/f)" = "$(as "$WHO" id -un)" ]
}

@test "c: make and gcc" {
	printf '#include <stdio.h>\nint main(void) { printf("%%d\\n", 6 * 7); }\n' >answer.c
	begins c '#'
	types c 'make answer && ./answer' --enter
	pterm wait c --regex '^42' --timeout 3m
	types c exit --enter
	ends c
}

@test "sqlite" {
	begins sqlite 'sqlite>'
	types sqlite 'select 6 * 7;' --enter
	pterm wait sqlite --regex '^42' --timeout 3m
	types sqlite .quit --enter
	ends sqlite
}

@test "postgres" {
	begins postgres 'postgres=#'
	types postgres 'select 6 * 7 as answer;' --enter
	shows postgres '(1 row)'
	types postgres '\q' --enter
	ends postgres
}

@test "redis" {
	begins redis '127.0.0.1:6379>'
	types redis 'set answer 42' --enter
	shows redis OK          # what is typed before its next prompt it throws away
	types redis 'get answer' --enter
	shows redis '"42"'
	types redis quit --enter
	ends redis
}

@test "htop" {
	begins htop F10Quit
	types htop -k f10
	ends htop
}

@test "iotop: refused, and its template says why" {
	run --separate-stderr pterm new -t iotop </dev/null # begins iotop not
	[ "$status" -eq 125 ]
	[[ $stderr == *"there is no engine 'docker'"* ]]
	pterm template ls | grep -q '^iotop .*CAP_NET_ADMIN'
}

@test "network-tools" {
	begins network-tools '#'
	types network-tools 'ip -brief address; curl --version | head -1; dig -v' --enter
	shows network-tools 'DiG 9'
	shows network-tools '127.0.0.1/8'
	types network-tools exit --enter
	ends network-tools
}

@test "mc" {
	touch here-it-is
	begins mc here-it-is
	types mc -k f10
	ends mc
}

@test "ranger" {
	touch here-it-is
	begins ranger here-it-is
	types ranger q
	ends ranger
}

@test "bastet" {
	begins bastet 'Play! (normal version)'
	types bastet -k down -k down -k down -k down -k enter
	ends bastet
}

@test "ninvaders" {
	begins ninvaders 'SPACE'
	types ninvaders q
	ends ninvaders
}

@test "moon-buggy" {
	begins moon-buggy 'moon'
	types moon-buggy q
	ends moon-buggy
}

@test "adventure" {
	begins adventure 'Would you like instructions?'
	types adventure no --enter
	shows adventure 'end of a road'
	types adventure quit --enter
	shows adventure 'really want to quit'
	types adventure yes --enter
	ends adventure
}

@test "snake" {
	begins snake '$'
	types snake q
	ends snake
}

@test "tetris" {
	begins tetris Score
	types tetris q
	shows tetris 'Hit RETURN'
	types tetris --enter
	ends tetris
}

@test "mud, and mud-client in its network" {
	pterm new -d -t mud </dev/null          # begins mud without a word
	begins mud-client 'connect'
	types mud-client '#end' --enter
	ends mud-client
	pterm stop mud
}
