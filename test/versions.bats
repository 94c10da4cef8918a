#!/usr/bin/env bats
# A pterm and a supervisor that do not speak the same version of the messages: one sentence, at once.
# as: user root

bats_require_minimum_version 1.5.0
load lib

setup() { pterm_setup; }
teardown() {
	[ -z "${supervisor-}" ] || kill "$supervisor" 2>/dev/null || true
	pterm_teardown
}

# Frames (wire/frame.h): length, type, descriptors, 0; then the body.
FRAMES='
import fcntl, json, os, socket, struct, sys
def frame(type, body):
    return struct.pack("<IHBB", len(body), type, 0, 0) + body
def read(s):
    head = b""
    while len(head) < 8:
        head += s.recv(8 - len(head)) or sys.exit("closed")
    n, type, _, _ = struct.unpack("<IHBB", head)
    body = b""
    while len(body) < n:
        body += s.recv(n - len(body))
    return type, body
def address(dir, fd=[]):
    fd.append(os.open(dir, os.O_RDONLY))
    return "/proc/self/fd/%d/control.sock" % fd[-1]
'

# A supervisor that answers every greeting with the version 99, and then nothing.
SUPERVISOR=$FRAMES'
lock = open(sys.argv[1] + "/lock", "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
status = json.load(open(sys.argv[1] + "/status.json"))
status.update(state="running", pid=os.getpid())
json.dump(status, open(sys.argv[1] + "/status.json", "w"))
s = socket.socket(socket.AF_UNIX)
s.bind(address(sys.argv[1]))
s.listen()
print("ready", os.getpid(), flush=True)
kept = []
while True:
    kept.append(s.accept()[0])
    read(kept[-1])
    kept[-1].send(frame(64, b"{\"version\": 99, \"oldest\": 98, \"program\": \"pterm-supervisor 9\"}"))
'

CLIENT=$FRAMES'
s = socket.socket(socket.AF_UNIX)
s.connect(address(sys.argv[1]))
s.send(frame(1, sys.argv[2].encode()) + frame(10, b""))
type, body = read(s)
print(type, body.decode(), flush=True)
'

dir_of() { echo "$TOP/$WHO/home/sessions/$(readlink "$TOP/$WHO/home/names/$1")"; }

@test "a supervisor of another version" {
	pterm new box --rm -d -- true
	pterm new box2 -- true </dev/null
	coproc as "$WHO" /usr/bin/python3 -c "$SUPERVISOR" "$(dir_of box2)" 3>&-
	read -r -t 20 word supervisor <&"${COPROC[0]}"
	[ "$word" = ready ]
	for command in attach stop restart kill "rename box2 box3" "exec box2 true"; do
		# shellcheck disable=SC2086
		case $command in *" "*) set -- $command ;; *) set -- $command box2 ;; esac
		run --separate-stderr as "$WHO" timeout 20 "$TOP/bin/src/pterm" "$@" </dev/null
		echo "$*: $status, $stderr"
		[ "$status" -eq 125 ]
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[[ $stderr == *"session 'box2': pterm-supervisor 9 speaks version 99"*"use the session with the pterm that started it"*kill* ]]
	done
	pterm ls | grep -q box2
}

@test "a pterm of another version" {
	pterm new box -d -- sleep 1000
	run as "$WHO" /usr/bin/python3 -c "$CLIENT" "$(dir_of box)" '{"version": 99, "oldest": 98, "program": "pterm 9"}'
	[[ $output == "66 "*"pterm 9 speaks version 99"* ]]
	run as "$WHO" /usr/bin/python3 -c "$CLIENT" "$(dir_of box)" '{"version": 0, "program": "pterm 0"}'
	[[ $output == "66 "* ]]
	# a newer one that still speaks ours
	run as "$WHO" /usr/bin/python3 -c "$CLIENT" "$(dir_of box)" '{"version": 99, "oldest": 1, "program": "pterm 9"}'
	[[ $output == "64 "*'"version":1'* ]]
	run pterm exec box true
	[ "$status" -eq 0 ]
}
