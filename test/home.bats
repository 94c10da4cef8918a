#!/usr/bin/env bats
# Inside feels like home: one test for each thing that people expect of a terminal (shared/design/rootless.md, points 1, 8 and 10).
# as: user root

bats_require_minimum_version 1.5.0
load lib

setup() {
	pterm_setup
	work=$(mktemp -d "$TOP/$WHO/w.XXXXXX")
	chmod 755 "$work"
	give "$work"
}
teardown() { [ -z "${agent-}" ] || kill "$agent"; pterm_teardown; }

give() { [ "$WHO" = root ] || [ "$(id -u)" != 0 ] || chown -R "$TEST_USER:" "$@"; }
caller() { as "$WHO" id -u; }
says() { run pterm new --rm "$@" </dev/null; output=${output//$'\r'/}; mapfile -t lines <<<"$output"; echo "$status: $output"; }
drive() {
	/usr/bin/python3 -c 'import pexpect' 2>/dev/null || skip "needs python3-pexpect"
	cp -r "$BATS_TEST_DIRNAME/attach" "$TOP/attach"
	chmod -R a+rX "$TOP/attach"
	as "$WHO" PYTHONDONTWRITEBYTECODE=1 timeout -k 5 120 /usr/bin/python3 "$TOP/attach/$1.py"
}

# --- whose files ---

owner_is_caller() { # OPTION...
	says -v "$work:/work" "$@" -- sh -c 'id -u; mkdir /work/d && echo x >/work/d/f && ls -ln /work/d/f'
	[ "$status" -eq 0 ]
	[ "$(stat -c %u:%g "$work/d/f" "$work/d")" = "$(as "$WHO" sh -c 'echo $(id -u):$(id -g); echo $(id -u):$(id -g)')" ]
}

@test "files made in a volume belong to the caller" { owner_is_caller; }

@test "also with -u 1000" {
	owner_is_caller -u 1000
	[ "${lines[0]}" = 1000 ]
	[[ ${lines[1]} == *" 1000 "*"1000 "* ]]
}

@test "what the caller has in a volume can be read and changed inside" {
	echo mine >"$work/f"
	chmod 600 "$work/f"
	give "$work"
	says -v "$work:/work" -- sh -c 'cat /work/f; echo more >>/work/f; rm /work/f && echo gone'
	[ "$output" = $'mine\ngone' ]
}

@test "a volume may be read-only, a file, or carry the z of other tools" {
	echo text >"$work/f"
	give "$work"
	says -v "$work:/work:ro" -- sh -c 'cat /work/f; echo x >/work/g || echo refused'
	[[ $output == text*refused ]]
	says -v "$work/f:/file" -- cat /file
	[ "$output" = text ]
	for z in z Z ro,z; do
		says -v "$work:/work:$z" -- cat /work/f
		[ "$output" = text ]
	done
}

# --- the terminal ---

@test "job control, ctrl-c, ctrl-z, size, IUTF8, exit code" { drive jobs; }

@test "the size of the terminal at the start" {
	says -- stty size
	[ "$output" = "24 80" ]
}

@test "IUTF8 is set, also for exec" {
	says -- stty -a
	[[ $output == *" iutf8"* ]]
	pterm new -d s -- sleep 1000
	run pterm exec -t s stty -a </dev/null
	[[ $output == *" iutf8"* ]]
}

# --- the environment ---

@test "TERM, COLORTERM, LANG, HOME, USER, SHELL" {
	says -- sh -c 'echo $TERM $COLORTERM $LANG $HOME $USER $LOGNAME $SHELL; pwd'
	[ "$output" = $'xterm-256color truecolor C.UTF-8 /root root root /bin/sh\n/root' ]
	run as "$WHO" LANG=de_DE.UTF-8 "$TOP/bin/src/pterm" new --rm -- sh -c 'echo $LANG' </dev/null
	[ "${output//$'\r'/}" = de_DE.UTF-8 ]
	run as "$WHO" LANG= "$TOP/bin/src/pterm" new --rm -- sh -c 'echo $LANG' </dev/null
	[ "${output//$'\r'/}" = C.UTF-8 ]
}

@test "HOME, USER and SHELL are those of the image's passwd" {
	says -u user -- sh -c 'id -un; echo $HOME $USER; pwd; touch mine && echo home is mine'
	[ "$output" = $'user\n/home/user user\n/home/user\nhome is mine' ]
}

@test "TZ is the caller's, else the host's, without zone files inside" {
	run as "$WHO" TZ=JST-9 "$TOP/bin/src/pterm" new --rm -- date +%Z%z </dev/null
	[ "${output//$'\r'/}" = JST+0900 ]
	says -- sh -c 'date +%z'
	[ "$output" = "$(as "$WHO" date +%z)" ]
}

@test "-e sets, -e NAME passes on, --env-file reads, the last word counts" {
	printf '# comment\nA=from file\n\nB=two words\nPASSED\n' >"$work/env"
	run as "$WHO" PASSED=yes ALSO=too "$TOP/bin/src/pterm" new --rm --env-file "$work/env" -e A=again -e ALSO -e ABSENT -e EMPTY= -- \
		sh -c 'echo "$A|$B|$PASSED|$ALSO|${ABSENT-unset}|${EMPTY-unset}"' </dev/null
	[ "${output//$'\r'/}" = "again|two words|yes|too|unset|" ]
}

@test "-w is where it starts; one that is not there is told" {
	says -w /tmp -- pwd
	[ "$output" = /tmp ]
	says -w /no/such -- pwd
	[ "$status" -eq 125 ]
	[[ $output == *"working directory"* ]]
}

# --- the network's files ---

@test "hosts, hostname and resolv.conf are generated" {
	says -- sh -c 'hostname; cat /etc/hostname /etc/hosts; grep -c 127.0.0.53 /etc/resolv.conf'
	[ "${lines[0]}" = pterm ]
	[ "${lines[1]}" = pterm ]
	[[ $output == *localhost*pterm* ]]
	[ "${lines[-1]}" = 0 ]
	says --hostname my-host -- sh -c 'hostname; cat /etc/hostname; grep -c my-host /etc/hosts'
	[ "$output" = $'my-host\nmy-host\n1' ]
	run pterm new --rm named_one -- hostname </dev/null
	[ "${output//$'\r'/}" = named-one ]
}

@test "with --network host the host's resolv.conf is there" {
	says --network host -- cat /etc/resolv.conf
	[ "$output" = "$(cat /etc/resolv.conf)" ]
}

# --- the file system ---

@test "--read-only: only volumes and tmpfs can be written" {
	says --read-only --tmpfs /tmp -v "$work:/work" -- sh -c 'echo x >/x || echo refused; echo x >/tmp/x && echo tmp; echo x >/work/x && echo work'
	[[ $output == *refused*tmp*work ]]
}

@test "--tmpfs is empty, and may have options" {
	says --tmpfs /scratch:size=1m,mode=1777 -- sh -c 'ls -A /scratch; stat -c %a /scratch; head -c 2000000 /dev/zero >/scratch/x || echo full'
	[[ $output == 1777*full ]]
}

image() { # DIR: a root file system with files of two owners
	local busybox
	busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 || skip "needs a static busybox"
	mkdir -p "$1"/{bin,etc,home/u,root,tmp,dev,proc,sys}
	cp "$busybox" "$1/bin/busybox"
	for a in sh ls cat id stat touch; do ln -sf busybox "$1/bin/$a"; done
	printf 'root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n' >"$1/etc/passwd"
	echo of-the-image >"$1/etc/mark"
	chmod -R a+rX "$1"
}

@test "an image may be a directory, which stays as it is" {
	image "$work/image"
	give "$work"
	says --image "$work/image" -- sh -c 'cat /etc/mark; touch /etc/new && ls /etc/new; stat -c %u /bin/busybox'
	[ "$output" = $'of-the-image\n/etc/new\n0' ]
	[ ! -e "$work/image/etc/new" ]
}

@test "an image may be a tar, and owners inside are its own" {
	skip_unless_root # tar must be made with two owners
	image "$work/image"
	chown -R 1000:1000 "$work/image/home/u"
	tar -C "$work/image" --numeric-owner -cf "$work/image.tar" .
	chmod 644 "$work/image.tar"
	says --image "$work/image.tar" -- sh -c 'cat /etc/mark; stat -c %u:%g /bin/busybox /home/u'
	[ "$output" = $'of-the-image\n0:0\n1000:1000' ]
	says --image "$work/image.tar" -u u -- sh -c 'id -u; touch ~/x && stat -c %u ~/x; touch /etc/x || echo refused'
	[[ $output == 1000$'\n'1000*refused ]]
}

# --- the SSH agent ---

@test "--ssh-agent: keys of the caller's agent can be used inside" {
	command -v ssh-agent >/dev/null || skip "needs openssh-client"
	local sock="$work/agent"
	agent=$(as "$WHO" ssh-agent -a "$sock" -s | sed -n 's/.*SSH_AGENT_PID=\([0-9]*\);.*/\1/p')
	as "$WHO" ssh-keygen -q -t ed25519 -N '' -C key-of-mine -f "$work/key"
	as "$WHO" SSH_AUTH_SOCK="$sock" ssh-add -q "$work/key"
	cat >"$work/ask.py" <<-'P'
	import socket, struct, sys
	s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(struct.pack(">IB", 1, 11))
	print(s.recv(65536))
	P
	run as "$WHO" SSH_AUTH_SOCK="$sock" "$TOP/bin/src/pterm" new --rm --ssh-agent -v "$work:/work" -- \
		sh -c 'echo $SSH_AUTH_SOCK; [ -S $SSH_AUTH_SOCK ] && printf "\0\0\0\1\13" | nc local:$SSH_AUTH_SOCK | cat -v' </dev/null
	[[ $output == */dev/ssh-agent* ]]
	if [[ $output != *key-of-mine* ]]; then # the image's nc knows no Unix sockets: a connection proves it, too
		cp "$PTERM_BUILD/test/hostile" "$work/hostile"
		chmod 755 "$work/hostile"
		run as "$WHO" SSH_AUTH_SOCK="$sock" "$TOP/bin/src/pterm" new --rm --ssh-agent -v "$work:/work" -- /work/hostile unix /dev/ssh-agent </dev/null
		[[ $output == *"connect OK"* ]]
	fi
}

@test "--ssh-agent without an agent is told" {
	says --ssh-agent -- true
	[ "$status" -eq 125 ]
	[[ $output == *SSH_AUTH_SOCK* ]]
}

# --- how little is needed ---

@test "no XDG_RUNTIME_DIR, no systemd, no HOME, an environment of two variables" {
	run as "$WHO" env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin PTERM_HOME="$TOP/$WHO/home" PTERM_STORE="$TOP/$WHO/store" \
		"$TOP/bin/src/pterm" new --rm -- echo it-runs </dev/null
	[[ $output == *it-runs* ]]
}

@test "a terminal that is gone: the session goes on, and HUP ends a shell that is stopped" {
	pterm new -d s -- sh
	pterm stop s
	[ "$(field s reason)" = stopped ]
}
