#!/bin/bash
# Runs in the machine of test/vm/run, as its root, once: what needs systemd, delegated cgroups and logouts. TAP on the serial
# console, each line after "TAP> ", since the kernel writes there too.
set -u
PTERM=/opt/pterm/src/pterm
COUNT=0
UID_ANN=$(id -u ann)

tap() { printf 'TAP> %s\n' "$*"; }

# What a test that failed had seen; the last failed step and its output.
explain() { sed 's/^/TAP> # /' /run/test.log; }

# check NAME FUNCTION: one test. It fails with its first command that does; so it must not be the condition of anything.
check() {
	local status
	COUNT=$((COUNT + 1))
	(set -eux; "$2") >/run/test.log 2>&1 </dev/null
	status=$?
	if [ "$status" -eq 0 ]; then
		tap "ok $COUNT $1"
	else
		tap "not ok $COUNT $1"
		explain
		su -s /bin/sh - "${WHO-root}" -c "$PTERM rm -af" >/dev/null 2>&1     # the next one begins with none
	fi
}

# --- who ---

# root: a login of root's, in a scope of its own; ann: in a login session of hers, as ssh or a terminal gives.
login() { su -s /bin/sh - "$1" -c "$2"; }
pterm() { login "$WHO" "$PTERM $*"; }
field() { login "${2-$WHO}" "$PTERM inspect $1 -o json" | tr ',' '\n' | sed -n "s/.*\"$3\": *\"\{0,1\}\([^\"}]*\)\"\{0,1\}.*/\1/p" | head -n 1; }
status_of() { field "$1" "$WHO" "$2"; }
# By its arguments: a supervisor that hears of the start before it hears of the pid leaves init_pid at 0.
init_of() { pgrep -f "pterm-init $(status_of "$1" id)"; }
cgroup_of() { sed -n 's/^0:://p' "/proc/$(init_of "$1")/cgroup"; }
value_of() { cat "/sys/fs/cgroup$(cgroup_of "$1")/$2"; }

# Until PID is gone.
await_gone() { timeout 120 tail --pid="$1" -f /dev/null; }
is_alive() { [ -d "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status"; }

# --- limits ---

greedy_command_is_ended() {
	pterm new --memory 64m greedy -- sh -c "'tail /dev/zero'" || true
	[ "$(status_of greedy reason)" = out-of-memory ]
	pterm rm greedy
}

fork_bomb_is_stopped() {
	# each of the fifty says how it went: the limit, and not the machine, ends the row
	pterm new --pids 20 bomb -- sh -c "'for i in \$(seq 50); do sleep 1000 & done; wait'" >/run/bomb 2>&1 || true
	grep -qi 'fork' /run/bomb
	pterm rm -f bomb
	pterm new -d --pids 20 bomb -- cat
	[ "$(value_of bomb pids.max)" = 23 ]
	pterm rm -f bomb
}

cpus_are_limited() {
	pterm new -d --cpus 0.2 slow -- cat
	[ "$(value_of slow cpu.max)" = '20000 100000' ]
	cgroup=/sys/fs/cgroup$(cgroup_of slow)
	pterm rm -f slow
	[ ! -e "$cgroup" ]
}

no_limits_no_scope() {
	pterm new -d free -- cat
	[[ $(cgroup_of free) == /*[!/] && $(cgroup_of free) != *pterm-* ]]
	pterm rm -f free
}

# Not by memory: systemd counts that everywhere, so it is there with any delegation.
undelegated_is_an_error() {
	mkdir -p "/etc/systemd/system/user@$UID_ANN.service.d"
	printf '[Service]\nDelegate=\nDelegate=pids\n' >"/etc/systemd/system/user@$UID_ANN.service.d/test.conf"
	systemctl daemon-reload
	systemctl restart "user@$UID_ANN.service"
	if pterm new --cpus 0.5 --rm refused -- true 2>/run/refused; then return 1; fi
	cat /run/refused
	grep -q 'Delegate=cpu cpuset io memory pids' /run/refused
	rm -r "/etc/systemd/system/user@$UID_ANN.service.d"
	systemctl daemon-reload
	systemctl restart "user@$UID_ANN.service"
	pterm new --cpus 0.5 --rm allowed -- true
}

# --- logging out ---

# In a session of logind's own, as ssh or a console gives: its scope goes with the logout, KillUserProcesses decides the rest.
in_login() { systemd-run --quiet --wait --property=PAMName=login --property=User=ann --setenv=HOME=/home/ann sh -c "$1 >/run/user/$UID_ANN/login.log 2>&1" ||
	{ cat "/run/user/$UID_ANN/login.log"; return 1; }; }

free_outlives_the_logout() {
	loginctl disable-linger ann
	in_login "$PTERM new -d free -- cat"
	pid=$(init_of free)
	[[ $(cgroup_of free) == */session-*.scope ]]
	await_logout
	is_alive "$pid"
	pterm rm -f free
}

# The user's manager ends 10 s after the last logout, unless she lingers.
await_manager_gone() {
	local pid
	loginctl user-status ann || true
	while systemctl is-active --quiet "user@$UID_ANN.service"; do
		pid=$(systemctl show -P MainPID "user@$UID_ANN.service")
		[ "$pid" = 0 ] || await_gone "$pid"
	done
}

limited_outlives_it_with_lingering() {
	loginctl enable-linger ann
	systemctl start "user@$UID_ANN.service"
	in_login "$PTERM new -d --memory 64m lingers -- cat"
	[[ $(cgroup_of lingers) == *"/user@$UID_ANN.service/"*/pterm-* ]]
	pid=$(init_of lingers)
	await_logout
	is_alive "$pid"
}

# Until logind has counted her logout ("closing" while the supervisor lives in the scope of that login).
await_logout() {
	local end=$((SECONDS + 60))
	until [[ $(loginctl show-user ann -P State) == @(closing|lingering) ]]; do
		[ "$SECONDS" -lt "$end" ] || return 1
		read -r -t 0.1 <> <(:) || true
	done
}

# Begun below the user's manager, as by a terminal of GNOME or KDE: nothing of it is in the scope of the login.
limited_ends_without_lingering_and_says_so() {
	pterm rm -af
	loginctl disable-linger ann
	in_login "systemd-run --user --scope --quiet $PTERM new -d --memory 64m ends -- cat"
	pid=$(init_of ends)
	await_manager_gone
	await_gone "$pid"
	[ "$(status_of ends state)" = ended ]
	[ "$(status_of ends reason)" != none ]
	echo "recorded: $(status_of ends reason), $(status_of ends message)"
}

# --- all ---

tap "# $(uname -r), $(systemctl --version | head -n 1)"
for WHO in root ann; do
	[ "$WHO" = root ] || { loginctl enable-linger ann; systemctl start "user@$UID_ANN.service"; }
	check "$WHO: a command that wants more memory than its limit is ended, and the status says so" greedy_command_is_ended
	check "$WHO: a fork bomb meets the limit of processes" fork_bomb_is_stopped
	check "$WHO: a limit of CPU time is in cpu.max, and its cgroup goes with the session" cpus_are_limited
	check "$WHO: a session without limits has no cgroup of its own" no_limits_no_scope
done
check 'ann: a limit whose controller is not delegated is refused with the fix' undelegated_is_an_error
check 'ann: a session without limits outlives the logout' free_outlives_the_logout
check 'ann: a limited session outlives it with lingering' limited_outlives_it_with_lingering
check 'ann: without lingering it is ended, which is recorded' limited_ends_without_lingering_and_says_so
tap "1..$COUNT"
tap 'end of tests'
