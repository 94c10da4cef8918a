#!/usr/bin/env bats
# Named volumes: made, filled, shared, kept; owners, whoever uses them.
# as: user root

load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

# inside OPTION... COMMAND: run in a session that goes again.
inside() { pterm new --rm "${@:1:$#-1}" -- sh -c "${*: -1}" </dev/null | tr -d '\r'; }
owners() { inside "${@:1:$#-1}" "stat -c '%u:%g %a %n' ${*: -1}"; }
volumes() { echo "$TOP/$WHO/$([ "$WHO" = root ] && echo store || echo home)/volumes"; }

@test "a volume is made at first use, and what is in it outlives its sessions" {
	inside -v data:/data 'echo kept >/data/file'
	[ "$(inside -v data:/elsewhere:ro 'cat /elsewhere/file; touch /elsewhere/file 2>/dev/null || echo read-only')" = \
		$'kept\nread-only' ]
	[ "$(pterm volume ls -q)" = data ]
}

@test "it begins with what the image has there, owners and modes too; what was changed stays" {
	[ "$(inside -v etc:/etc 'cat /etc/shells')" = "$(inside 'cat /etc/shells')" ]
	[ "$(owners -v etc:/etc /etc)" = "$(owners /etc)" ]
	inside -v etc:/etc 'rm /etc/shells'
	[ "$(inside -v etc:/etc '[ -e /etc/shells ] || echo gone')" = gone ]
	[ -z "$(inside -v etc:/volume 'ls -A /volume | grep pterm')" ]
	# a place that the image has not is the session's user's
	[ "$(owners -u 1000 -v mine:/mine /mine)" = "1000:1000 755 /mine" ]
}

@test "what a session calls like our own marks keeps no other out, and gives nobody anything" {
	inside -v link:/etc 'ln -s /etc /etc/.pterm-filled' # what the image has there is in it
	inside -v link:/etc 'test -s /etc/passwd && test -L /etc/.pterm-filled'
	inside -v full:/data 'mkdir -p -m 700 /data/.pterm-filled /data/x; mkdir -p /data/.pterm-filled/tree/x /data/x/kept'
	inside -v full:/data 'test -d /data/x/kept'
	# not root inside, in a directory of everybody: neither that nor what is root's becomes theirs
	inside -v open:/data 'chmod 1777 /data; echo root >/data/file'
	inside -u 1000 -v open:/data 'mkdir -p /data/.pterm-filled/tree; chmod 700 /data/.pterm-filled; echo mine >/data/.pterm-filled/tree/file'
	[ "$(inside -v open:/data 'cat /data/file; stat -c "%u %a" /data')" = $'root\n0 1777' ]
}

@test "owners are those that the container sees, whatever user a session runs as" {
	inside -v data:/data 'cd /data; touch root user other; mkdir -m 700 dir; touch dir/deep; ln root hard; chown 1000:1000 user
		chown 999:998 other; chown -R 33:33 dir; chmod 2750 other'
	want=$'0:0 644 /data/root\n1000:1000 644 /data/user\n999:998 2750 /data/other\n33:33 700 /data/dir\n33:33 644 /data/dir/deep'
	files='/data/root /data/user /data/other /data/dir /data/dir/deep'
	for user in 0 1000 999 0; do
		[ "$(inside -u $user -v data:/data 'stat -c "%u:%g %a %n" /data/root /data/user /data/other /data/dir')" = \
			"$(head -4 <<<"$want")" ]
	done
	[ "$(owners -v data:/data "$files")" = "$want" ]
	[ "$(inside -v data:/data 'stat -c %h /data/root')" = 2 ]
	[ ! -e "$(volumes)/data/next" ] && [ ! -e "$(volumes)/data/last" ]
}

@test "sessions share it at once, but not under two maps of ids" {
	pterm new -d -v data:/data one -- cat
	pterm new -d -v data:/data two -- cat
	pterm exec one -- sh -c 'echo hello >/data/x'
	[ "$(pterm exec two -- cat /data/x)" = hello ]
	run pterm new -d -u 1000 -v data:/data three -- cat
	if [ "$WHO" = root ]; then # root's sessions all have one map
		[ "$status" -eq 0 ]
	else
		[ "$status" -eq 125 ]
		[[ $output == *"volume 'data' is used by session '"*"', which runs as another user (-u)"* ]]
		pterm stop one two
		pterm new -d -u 1000 -v data:/data three -- cat
	fi
	[ "$(pterm exec three -- stat -c %u /data/x)" = 0 ]
}

@test "an ended session finds it again when it is started" {
	pterm new -v data:/data one -- sh -c 'echo line >>/data/x' </dev/null
	[ "$(inside -u 1000 -v data:/data 'cat /data/x')" = line ]
	pterm start one
	wait_for 20 ended one
	[ "$(inside -v data:/data 'wc -l </data/x; stat -c %u /data/x')" = $'2\n0' ]
}
ended() { [ "$(field "$1" state)" = ended ]; }

@test "one that is used is not removed, and it is said by whom" {
	pterm new -d -v data:/data one -- cat
	pterm new -v data:/data two -- true </dev/null
	run pterm volume rm data
	[ "$status" -eq 125 ]
	[[ $output == *"volume 'data' is used by sessions '"*"' and '"*"': remove them first (pterm rm)" ]]
	[ "$(pterm volume prune -f)" = "" ]
	pterm rm -f one two
	pterm volume rm data
	run pterm volume rm data
	[ "$status" -eq 125 ]
	[[ $output == *"there is no volume 'data'"* ]]
	[ "$(ls -A "$(volumes)")" = "" ]
}

@test "prune names what nobody uses, and removes it with -f; owned ones only when asked" {
	pterm volume create a b
	pterm volume create --owner db c
	pterm new -d -v b:/b one -- cat
	[ "$(pterm volume prune 2>/dev/null)" = a ]
	[ "$(pterm volume ls -q)" = $'a\nb\nc' ]
	[ "$(pterm volume prune -f 2>/dev/null)" = a ]
	[ "$(pterm volume ls -q --unused)" = c ]
	[ "$(pterm volume prune -f --owned 2>/dev/null)" = c ]
}

@test "an owned volume is for the session of its name, the next of that name too" {
	pterm volume create --owner db data
	run pterm new -v data:/data other -- true </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *"volume 'data' is owned by session 'db', and no other may use it"* ]]
	pterm new -v data:/data db -- touch /data/x </dev/null
	pterm rm db
	pterm new -v data:/data db -- test -e /data/x </dev/null
	# renamed, it is the same session
	pterm rename db renamed
	pterm start renamed
	pterm new -v fresh:/data:owned mine -- true </dev/null
	run pterm new -v fresh:/data other -- true </dev/null
	[[ $output == *"is owned by session 'mine'"* ]]
	run pterm ls -q
	[[ $output != *other* ]]
}

@test "disk use counts what mapped users own, and directories that nobody may enter" {
	inside -v data:/data 'mkdir -m 0 /data/d; dd if=/dev/zero of=/data/d/f bs=64k count=16 2>/dev/null; chown -R 77:77 /data/d; chmod 0 /data/d'
	[ "$(pterm volume ls -o json | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["bytes"] >= 1 << 20)')" = True ]
	[[ $(pterm volume inspect data) =~ size\ +1.0M ]]
	pterm volume rm data
}

@test "export and import keep owners, modes, links and attributes" {
	inside -v data:/data 'cd /data; echo text >f; chown 999:998 f; chmod 640 f; ln f g; ln -s f s; echo w >.wh.f; mkdir d; chown 5:6 d; mkfifo p'
	pterm volume export data >"$TOP/data.tar"
	tar --numeric-owner -tvf "$TOP/data.tar" | grep -q '999/998 .* ./f'
	gzip <"$TOP/data.tar" | pterm volume import copy
	list='cd /data; stat -c "%n %u:%g %a %h %F" * .wh.f && readlink s && cat g'
	[ "$(inside -v copy:/data "$list")" = "$(inside -v data:/data "$list")" ]
	# into one that another user's session used last, from a file
	inside -u 1000 -v other:/data 'echo more >/data/f; echo mine >/data/mine'
	pterm volume import other "$TOP/data.tar"
	[ "$(inside -v other:/data 'cat /data/f /data/mine; stat -c %u:%g /data/f /data/mine')" = $'text\nmine\n999:998\n1000:1000' ]
	run pterm volume export nosuch
	[ "$status" -eq 125 ]
	# a device that takes nothing stays, whoever may remove it
	full=/dev/full
	if [ "$WHO" = root ]; then
		full=$TOP/full
		mknod "$full" c 1 7
	fi
	run pterm volume export data -o "$full"
	[ "$status" -eq 125 ]
	[ -c "$full" ]
	head -c 1000 "$TOP/data.tar" >"$TOP/short.tar"
	run pterm volume import short "$TOP/short.tar"
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "bad names and options are one sentence" {
	for text in .a:/x -- a:x 'a b:/x' ../x:y "$(printf 'n%.0s' {1..64}):/x" a:/x:owned,rx ./a:/x:owned a:/; do
		[ "$text" != -- ] || continue
		run pterm new -v "$text" -- true </dev/null
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"volume"* ]]
	done
	run pterm volume create a/b
	[ "$status" -eq 125 ]
	pterm volume create a
	run pterm volume create a
	[ "$status" -eq 125 ]
	[[ $output == *"there is a volume 'a' already"* ]]
	[ "$(pterm volume ls -q)" = a ]
}

@test "made by many at once, it is one" {
	local pids=()
	for i in 1 2 3 4 5 6; do
		pterm new --rm -v data:/etc -- sh -c "echo $i >/etc/mine.$i; cat /etc/shells" </dev/null >"$TOP/out.$i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in 1 2 3 4 5 6; do cmp "$TOP/out.$i" "$TOP/out.1"; done
	[ "$(inside -v data:/data 'ls /data | grep -c mine')" = 6 ]
}

@test "killed at any moment of its making, filling, changing and removing, it is whole" {
	want=$(inside 'cat /etc/shells')
	for point in volume.made volume.filling volume.filled; do
		PTERM_HOOK=$point=kill run pterm new --rm -v data:/etc -- true </dev/null
		[ "$status" -ne 0 ]
		[ "$(inside -v data:/etc 'cat /etc/shells; ls -A /etc | grep pterm')" = "$want" ]
		pterm volume rm data
	done
	inside -v data:/data 'echo text >/data/x; chown 999 /data/x'
	user=1000
	for point in volume.copied volume.between volume.copied volume.between; do
		PTERM_HOOK=$point=kill run pterm new --rm -u $user -v data:/data -- true </dev/null
		[ "$WHO" = root ] || [ "$status" -ne 0 ] # root's sessions have one map: nothing changes
		[ "$(inside -u $user -v data:/data 'cat /data/x; stat -c %u /data/x')" = $'text\n999' ]
		user=$((1000 - user))
	done
	PTERM_HOOK=volume.removing=kill run pterm volume rm data
	[ "$(pterm volume ls -q)" = "" ]
	[ "$(ls -A "$(volumes)")" = "" ]
}
