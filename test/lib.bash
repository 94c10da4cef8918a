# What the end-to-end tests share. A file's setup calls `pterm_setup`, its teardown `pterm_teardown`.
#
# WHO is user or root: as whom `pterm` runs (a file is run for each name in its line "# as: user root", see test/run). When the
# tests run as root, "user" is an ordinary user made here, with subordinate ids; when not, it is the caller.
# Programs are copied to a place that everybody can enter, since a build tree may lie below a private home.

WHO=${PTERM_TEST_AS:-user}
TEST_USER=${PTERM_TEST_USER:-pterm-test}

skip_unless_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

make_test_user() {
	id "$TEST_USER" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$TEST_USER"
	local first=$((700000000 + $(id -u "$TEST_USER") * 65536))
	grep -q "^$TEST_USER:" /etc/subuid || usermod --add-subuids "$first-$((first + 65535))" "$TEST_USER"
	grep -q "^$TEST_USER:" /etc/subgid || usermod --add-subgids "$first-$((first + 65535))" "$TEST_USER"
}

# as WHO COMMAND...: with a clean environment and the test's directories. Inside of what WITHIN says, a command that executes
# the rest of its arguments: other namespaces (network.bats).
WITHIN=()
PASSED_ON=(ASAN_OPTIONS UBSAN_OPTIONS PTERM_CRUN PTERM_HOOK PTERM_MAX_LAYER PTERM_NETWORK_PROGRAM PTERM_ROOT_IDS PTERM_TEST_BOOT_ID
	PTERM_TEST_MACHINE_ID)

as() {
	local who=$1 name
	shift
	local -a env=(env -i "PATH=$TOP/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" LANG=C.UTF-8
		"PTERM_HOME=$TOP/$who/home" "TOP=$TOP" "TERM=xterm")
	for name in "${PASSED_ON[@]}"; do
		[ -z "${!name-}" ] || env+=("$name=${!name}")
	done
	if [ "$who" = root ]; then
		"${WITHIN[@]}" "${env[@]}" HOME=/root "PTERM_STORE=$TOP/root/store" "$@"
	elif [ "$(id -u)" = 0 ]; then
		"${WITHIN[@]}" setpriv --reuid "$TEST_USER" --regid "$TEST_USER" --init-groups -- \
			"${env[@]}" "HOME=$TOP/user" "USER=$TEST_USER" "$@"
	else
		"${WITHIN[@]}" "${env[@]}" "HOME=$TOP/user" "USER=$(id -un)" "$@"
	fi
}

pterm() { as "$WHO" "$TOP/bin/src/pterm" "$@"; }

# Is $TOP a directory that pterm_setup made? Without it nothing may be changed or removed: it would be / or /tmp.
is_ours() { [[ ${TOP-} == */pterm-e2e.?????? && -d $TOP ]]; }

pterm_setup() {
	[ "$WHO" = user ] || skip_unless_root
	TOP=$(mktemp -d "${TMPDIR:-/tmp}/pterm-e2e.XXXXXX") && is_ours ||
		{ echo "cannot make a directory for the test" >&2; return 1; }
	export TOP
	chmod 755 "$TOP"
	mkdir -p "$TOP/user/home" "$TOP/root/home" "$TOP/root/store" "$TOP/bin"
	cp -r "$PTERM_BUILD/share" "$TOP/bin/share"
	mkdir "$TOP/bin/src"
	cp "$PTERM_BUILD"/src/pterm "$PTERM_BUILD"/src/ptermd "$PTERM_BUILD"/src/pterm-* "$TOP/bin/src/" 2>/dev/null || true
	chmod -R a+rX "$TOP/bin"
	chmod 711 "$TOP/root" "$TOP/root/store"
	[ "$(id -u)" != 0 ] || { make_test_user; chown -R "$TEST_USER:" "$TOP/user"; }
	# a session without a container begins where its user is, who may not be able to go to a clone in root's home
	as "$WHO" test -x "$PWD" || cd "$TOP"
	[ -z "${LEAVES_NOTHING-}" ] || { pterm ls >/dev/null && snapshot >"$TOP/before"; }
}

pterm_teardown() {
	is_ours || return 0
	pterm rm -af >/dev/null 2>&1 || true
	# files of mapped owners: root may remove them all, others have removed theirs with rm
	rm -rf "$TOP" 2>/dev/null || true
}

# A test waits for its jobs by pid: a bare `wait` would wait for the clock of the test's own time limit, too.

# wait_for SECONDS COMMAND...: until the command succeeds. For what has no event to wait for; events and pidfds are better.
# A busy machine is given PATIENCE times as long.
wait_for() {
	local end=$((SECONDS + $1 * ${PATIENCE:-6}))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "gave up waiting for: $*"; return 1; }
		read -r -t 0.02 <> <(:) || true
	done
}

# field SESSION KEY: from the session's status.
field() { pterm inspect "$1" -o json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["status"].get(sys.argv[1], ""))' "$2"; }

# --- nothing is left ---

# What there is now of processes, mounts, keys, cgroups, runtime state, sockets, names, directories in the making. A file that
# uses this says LEAVES_NOTHING=yes and has a user (PTERM_TEST_USER) and ids for root's containers (PTERM_ROOT_IDS) of its
# own, set before `load lib`: what other suites do at the same time is not seen.
snapshot() {
	local ids runtime
	if [ "$WHO" = root ]; then
		ids=${PTERM_ROOT_IDS%:*}-$((${PTERM_ROOT_IDS%:*} + ${PTERM_ROOT_IDS#*:} - 1))
		runtime=/run/pterm
	else
		local uid=$(as user id -u) range
		range=$(awk -F: -v u="$(as user id -un)" '$1 == u { print $2 "-" $2 + $3 - 1; exit }' /etc/subuid)
		ids=$range
		[ "$(id -u)" != 0 ] || ids+=,$uid-$uid
		runtime=/dev/shm/pterm-$uid
	fi
	local root_state=$runtime
	[ "$WHO" != root ] || root_state=$runtime/crun-root-${PTERM_ROOT_IDS%:*}
	"$BATS_TEST_DIRNAME/tools/fault" snapshot "$ids" "$root_state" "$TOP/$WHO/home/sessions" "$TOP/$WHO/home/names"
}

# assert_nothing_left: after the next pterm command has looked, nothing is there that was not when `pterm_setup` ran. Sessions
# that have ended are records, not remains.
assert_nothing_left() {
	pterm ls >/dev/null
	snapshot >"$TOP/after"
	if ! left=$(diff <(sort "$TOP/before") <(sort "$TOP/after") | grep '^>'); then return 0; fi
	# keys of a process that has ended are collected a little later, by the kernel
	wait_for 10 no_keys_left && [ "$(grep -cv '^> keys' <<<"$left")" = 0 ] && return 0
	echo "left behind:"
	echo "$left"
	return 1
}
no_keys_left() { ! diff <(grep '^keys' "$TOP/before") <(snapshot | grep '^keys') | grep -q '^>'; }
