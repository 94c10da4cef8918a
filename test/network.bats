#!/usr/bin/env bats
# Networks of sessions, with the real pasta and slirp4netns, between a host and an outside made for each test (test/lab/network).
# as: user root

load lib

setup() {
	skip_unless_root
	pterm_setup
	mkfifo "$TOP/lab.in" "$TOP/lab.out"
	unshare --net --mount "$BATS_TEST_DIRNAME/lab/network" <"$TOP/lab.in" >"$TOP/lab.out" 2>"$TOP/lab.err" 3>&- &
	LAB=$!
	exec 7>"$TOP/lab.in" 8<"$TOP/lab.out"
	read -r ready <&8 || { cat "$TOP/lab.err"; return 1; }
	[ "$ready" = ready ]
	WITHIN=(nsenter "--target=$LAB" --net --mount --)
}

teardown() {
	pterm_teardown
	exec 7>&- 8<&-
	[ -z "${LAB-}" ] || { kill "$LAB" && wait "$LAB"; } 2>/dev/null || true
}

# --- looking ---

# fetch ADDRESS PORT: what the server there says, as the lab's host sees it; outside: as the other machine does.
fetch() { "${WITHIN[@]}" timeout 3 bash -c 'exec 5<>"/dev/tcp/$0/$1" && cat <&5' "$@" 2>&1; }
fetch_outside() { "${WITHIN[@]}" nsenter --net=/run/netns/outside timeout 3 bash -c 'exec 5<>"/dev/tcp/$0/$1" && cat <&5' "$@" 2>&1; }
says() { [[ $(fetch "$1" "$2") == *"$3"* ]]; }

inside() { pterm exec "$1" -- sh -c "$2" </dev/null; }
# fetch_inside SESSION ADDRESS PORT
fetch_inside() { inside "$1" "timeout 5 nc -w 2 $2 $3 </dev/null 2>&1" || true; }
says_inside() { [[ $(fetch_inside "$1" "$2" "$3") == *"$4"* ]]; }
has_route() { inside "$1" 'ip route' | grep -q '^default'; }

# begin SESSION OPTION...: a session that stays, with a private network that is up.
begin() {
	local name=$1
	shift
	pterm new -d --network private "$@" "$name" -- cat
	wait_for 10 has_route "$name"
}

# A process that is a zombie is gone too: whether it is reaped is up to its parent, which may be the machine's first process.
is_gone() { [ ! -e "/proc/$1/stat" ] || [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) != [^Z]* ]]; }

# helper SESSION PROGRAM: its pid, once it is seen to be that program.
helper() {
	local pid
	pid=$(field "$1" helper_pid)
	[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == */"$2 "* ]] || return 1
	echo "$pid"
}

# --- what holds with both programs ---

reaches_outside_only() {
	begin s "$@"
	[ "$(fetch 127.0.0.1 81)" = loopback ] # there is something to be reached
	wait_for 10 says_inside s 10.9.0.1 80 outside
	for address in 127.0.0.1 127.0.0.53 10.9.0.1 10.9.0.2 10.0.2.2 10.0.2.3 169.254.1.1; do
		[[ $(fetch_inside s $address 81) != *loopback* ]]
	done
}

asks_the_hosts_name_server() {
	begin s
	[[ $(inside s 'nslookup outside.test') == *10.9.0.1* ]]
	run inside s 'cat /etc/resolv.conf'
	[[ $output == *"nameserver $1"* ]]
	[[ $output != *127.0.0.53* ]]
}

publishes_on_loopback() {
	begin s -p 9090:8080
	inside s 'nc -ll -p 8080 -e echo inside >/dev/null 2>&1 &'
	wait_for 10 says 127.0.0.1 9090 inside
	[ "$(fetch_outside 10.9.0.2 82)" = address ] # the host's other address can be reached
	[[ $(fetch 10.9.0.2 9090) == *"Connection refused"* ]]
	[[ $(fetch_outside 10.9.0.2 9090) == *"Connection refused"* ]]
}

refuses_a_taken_port() {
	begin s -p 9090:8080
	wait_for 10 "${WITHIN[@]}" bash -c 'exec 5<>/dev/tcp/127.0.0.1/9090' 2>/dev/null
	run pterm new -d --network private -p 9090:80 t -- cat
	[ "$status" -eq 125 ]
	[[ $output == *"cannot publish port 9090: something else listens on it"* ]]
	[ "$(field s state)" = running ]
}

ends_with_the_session() {
	begin stopped -p 9090:8080 "${@:2}"
	pid=$(helper stopped "$1")
	pterm stop stopped
	is_gone "$pid"

	begin killed -p 9090:8080 "${@:2}"
	pid=$(helper killed "$1")
	"$BATS_TEST_DIRNAME/tools/fault" kill $("$BATS_TEST_DIRNAME/tools/fault" pid owners "$(field killed id)")
	pterm ls >/dev/null
	is_gone "$pid"
	[ "$(field killed reason)" = supervisor-lost ]

	pterm new -d --network private "${@:2}" done -- sh -c 'mkfifo /tmp/end && read x </tmp/end'
	wait_for 10 has_route done
	pid=$(helper done "$1")
	inside done 'echo >/tmp/end' || true # it may be ended with the container
	wait_for 10 is_gone "$pid"
	wait_for 10 has_ended done
}

has_ended() { [ "$(field "$1" state)" = ended ]; }

tells_that_it_is_lost() {
	begin s
	pid=$(helper s "$1")
	kill -KILL "$pid"
	wait_for 10 has_warned s "the network's helper $1 ended: killed by signal 9"
	[ "$(field s state)" = running ]
	[ "$(field s helper_pid)" = 0 ]
	is_gone "$pid"
}

has_warned() { grep -h '"event":"[a-z.]*warned"' "$TOP/$WHO/home/sessions/$(field "$1" id)/events.jsonl" | grep -qF "$2"; }

# --- pasta ---

@test "pasta: private reaches the outside, never the host's loopback" {
	PTERM_NETWORK_PROGRAM=pasta reaches_outside_only
}

@test "pasta: the same for a session with a user of its own" {
	PTERM_NETWORK_PROGRAM=pasta reaches_outside_only -u 1000
}

@test "pasta: names are asked of the host's own name server, which is never named inside" {
	PTERM_NETWORK_PROGRAM=pasta asks_the_hosts_name_server 169.254.1.1
}

@test "pasta: a published port is on the host's loopback only" {
	PTERM_NETWORK_PROGRAM=pasta publishes_on_loopback
}

@test "pasta: a port can be published once" {
	PTERM_NETWORK_PROGRAM=pasta refuses_a_taken_port
}

@test "pasta: it is gone after stop, after its supervisor was killed, after the command ended" {
	PTERM_NETWORK_PROGRAM=pasta ends_with_the_session pasta
}

@test "pasta: also that of a session with a user of its own" {
	PTERM_NETWORK_PROGRAM=pasta ends_with_the_session pasta -u 1000
}

@test "pasta: when it is killed, the session is told of it and goes on" {
	PTERM_NETWORK_PROGRAM=pasta tells_that_it_is_lost pasta
}

@test "pasta: on a host without a route the session is told why it has no network" {
	"${WITHIN[@]}" ip route del default
	! "${WITHIN[@]}" pasta --config-net -- true 2>/dev/null || skip "this pasta does without a route"
	PTERM_NETWORK_PROGRAM=pasta pterm new -d --network private s -- cat
	wait_for 10 has_warned s 'this host has no default route'
	[ "$(field s state)" = running ]
}

# --- slirp4netns ---

@test "slirp4netns: private reaches the outside, never the host's loopback" {
	PTERM_NETWORK_PROGRAM=slirp4netns reaches_outside_only
}

@test "slirp4netns: the same for a session with a user of its own" {
	PTERM_NETWORK_PROGRAM=slirp4netns reaches_outside_only -u 1000
}

@test "slirp4netns: names are asked of the host's own name server, which is never named inside" {
	PTERM_NETWORK_PROGRAM=slirp4netns asks_the_hosts_name_server 10.0.2.3
}

@test "slirp4netns: a published port is on the host's loopback only" {
	PTERM_NETWORK_PROGRAM=slirp4netns publishes_on_loopback
}

@test "slirp4netns: a port can be published once" {
	PTERM_NETWORK_PROGRAM=slirp4netns refuses_a_taken_port
}

@test "slirp4netns: it is gone after stop, after its supervisor was killed, after the command ended" {
	PTERM_NETWORK_PROGRAM=slirp4netns ends_with_the_session slirp4netns
}

@test "slirp4netns: also that of a session with a user of its own" {
	PTERM_NETWORK_PROGRAM=slirp4netns ends_with_the_session slirp4netns -u 1000
}

@test "slirp4netns: when it is killed, the session is told of it and goes on" {
	PTERM_NETWORK_PROGRAM=slirp4netns tells_that_it_is_lost slirp4netns
}

# --- without a program ---

# Its first process is a zombie: its parent, the supervisor, is stopped.
has_dead_init() {
	local pid
	for pid in $(cat "/proc/$1/task/$1/children"); do
		[[ $(cat "/proc/$pid/stat") != *"(pterm-init) Z"* ]] || return 0
	done
	return 1
}

@test "a command that has ended before its network could be started keeps its exit code" {
	command -v pasta >/dev/null || skip "needs pasta"
	local point pid
	mkfifo "$TOP/hook"
	chmod 666 "$TOP/hook"
	export PTERM_HOOK="supervisor.init-known=stop:$TOP/hook"
	pterm new s --network private -- sh -c 'exit 7' </dev/null >"$TOP/out" 2>&1 3>&- 7>&- 8>&- &
	read -r -t 20 point pid <"$TOP/hook"
	[ "$point" = supervisor.init-known ]
	wait_for 10 has_dead_init "$pid"
	kill -CONT "$pid"
	local status=0
	wait $! || status=$?
	cat "$TOP/out"
	[ "$status" -eq 7 ]
	unset PTERM_HOOK
	[ "$(field s reason)" = exited ]
}

@test "none has a loopback interface only, and it is up" {
	run pterm new --rm --network none -- ip -o link </dev/null
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *" lo: <LOOPBACK,UP,"* ]]
}

@test "host has the host's interfaces, and reaches what the host reaches" {
	run pterm new --rm --network host -- sh -c 'ip -o link; timeout 5 nc -w 2 127.0.0.1 81 </dev/null' </dev/null
	[ "$status" -eq 0 ]
	[[ $output == *" h0"[@:]* ]]
	[[ $output == *loopback* ]]
}

@test "without /dev/net/tun a private network is refused with what to do" {
	"${WITHIN[@]}" rm /dev/net/tun
	run pterm new --rm --network private -- true </dev/null
	echo "$output"
	[ "$status" -eq 125 ]
	[[ $output == *"a private network needs /dev/net/tun, and there is none: load its module (modprobe tun)"* ]]
	[ "${#lines[@]}" -eq 1 ]
}

# --- one session in the network of another ---

serves() { inside "$1" "nc -ll -p $2 -e echo $3 >/dev/null 2>&1 & while ! nc -w 1 127.0.0.1 $2 </dev/null | grep -q $3; do :; done"; }

@test "session:NAME: two sessions talk over loopback, and share nothing else" {
	pterm new -d web -- cat
	pterm new -d --network session:web -u 1000 client -- cat
	serves web 8080 from-web
	serves client 8081 from-client
	says_inside client 127.0.0.1 8080 from-web
	says_inside web 127.0.0.1 8081 from-client
	[ "$(pterm exec web -- readlink /proc/self/ns/net)" = "$(pterm exec client -- readlink /proc/self/ns/net)" ]
	[ "$(pterm exec web -- readlink /proc/self/ns/user)" = "$(pterm exec client -- readlink /proc/self/ns/user)" ]
	for space in pid mnt ipc uts cgroup; do
		[ "$(pterm exec web -- readlink /proc/self/ns/$space)" != "$(pterm exec client -- readlink /proc/self/ns/$space)" ]
	done
	[ "$(inside client 'id -u')" = 1000 ]
	[[ $(inside client 'cat /proc/[0-9]*/cmdline' | tr '\0' ' ') != *from-web* ]]
	inside client 'echo x >/sys/x 2>/dev/null || cat /sys/class/net/lo/operstate'
	[[ $(pterm inspect client) == *"that of session web"* ]]
	# a third, by way of the second
	pterm new -d --network session:client third -- cat
	says_inside third 127.0.0.1 8080 from-web
}

@test "session:NAME: what one reaches outside the other reaches, and the host's loopback neither" {
	command -v pasta >/dev/null || command -v slirp4netns >/dev/null || skip "needs pasta or slirp4netns"
	begin s
	pterm new -d --network session:s t -- cat
	wait_for 10 says_inside t 10.9.0.1 80 outside
	[[ $(fetch_inside t 127.0.0.1 81) != *loopback* ]]
	[[ $(fetch_inside t 10.9.0.2 81) != *loopback* ]]
	[ "$(inside t 'cat /etc/resolv.conf')" = "$(inside s 'cat /etc/resolv.conf')" ]
}

@test "session:NAME: when that one ends this one goes on, is told, and enters its new network when it is started again" {
	pterm new -d web -- cat
	pterm new -d --network session:web client -- cat
	pterm stop web
	wait_for 10 has_warned client 'the session whose network this one has ended'
	[ "$(field client state)" = running ]
	pterm stop client
	run pterm start client
	[ "$status" -eq 125 ]
	[[ $output == *"session 'web', whose network this one has, does not run: pterm start web starts it"* ]]
	[ "${#lines[@]}" -eq 1 ]
	pterm start web
	pterm start client
	serves web 8080 from-web
	says_inside client 127.0.0.1 8080 from-web

	# whoever supervises it watches
	fault=$BATS_TEST_DIRNAME/tools/fault
	"$fault" kill $("$fault" pid supervisor "$(field client id)")
	wait_for 20 eval '[ "$(field client adoptions)" = 1 ]'
	says_inside client 127.0.0.1 8080 from-web
	warnings() { pterm events client -o json | grep -c 'the session whose network this one has ended'; }
	[ "$(warnings)" = 1 ]
	pterm stop web
	wait_for 10 eval '[ "$(warnings)" = 2 ]'
	pterm rm -f client web
}

@test "session:NAME: what cannot be joined is refused with the reason" {
	pterm new -d host --network host -- cat
	pterm new ended -- true </dev/null
	pterm new -d bare --engine process -- cat
	refused() { # NAME WORDS
		run pterm new --rm --network "$1" -- true </dev/null
		echo "$output"
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"$2"* ]]
	}
	refused session:host "session 'host' has the host's network: use --network host"
	refused session:ended "session 'ended' does not run here: start it first (pterm start ended)"
	refused session:bare "session 'bare' has no container"
	refused session:nosuch "there is no session 'nosuch'"
	refused session "of which one? Say session:NAME"
	refused none:x "nothing follows 'none'"
	refused sessions:x "'sessions:x' is not one of none, private, host, session"
	pterm new -d web -- cat
	run pterm new --rm --network session:web -p 8080:80 -- true </dev/null
	[ "$status" -eq 125 ]
}
