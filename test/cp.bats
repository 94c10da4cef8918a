#!/usr/bin/env bats
# Files between the host and a running session, with hostile ones on both sides.
# as: user root

load lib

setup() {
	pterm_setup
	HOST=$TOP/$WHO/files
	as "$WHO" mkdir "$HOST"
	pterm new -d s -- sleep 1000 </dev/null >/dev/null
}
teardown() { pterm_teardown; }

inside() { pterm exec s sh -c "$1" </dev/null; }
host() { as "$WHO" sh -c "cd '$HOST' && $1"; }
who_id() { as "$WHO" id -u; }

@test "a file, there and back, with its mode and time" {
	host 'printf "a\000b\377" >f; chmod 640 f; touch -d 2001-02-03T04:05:06Z f'
	pterm cp "$HOST/f" s:/tmp/g
	[ "$(inside 'stat -c "%a %u %g %s %Y" /tmp/g')" = "640 0 0 4 981173106" ]
	pterm cp s:/tmp/g "$HOST/back"
	cmp "$HOST/f" "$HOST/back"
	[ "$(stat -c '%a %u %Y' "$HOST/back")" = "640 $(who_id) 981173106" ]
}

@test "trees: into a directory, as a new one, the contents alone" {
	host 'mkdir -p t/sub; echo 1 >t/one; echo 2 >t/sub/two; chmod 700 t/sub; ln -s one t/link; ln t/one t/hard'
	pterm cp "$HOST/t" s:/tmp
	pterm cp "$HOST/t" s:/tmp/new
	pterm cp "$HOST/t/." s:/root
	[ "$(inside 'cat /tmp/t/sub/two /tmp/new/sub/two /root/sub/two' | tr -d '\r' | xargs)" = "2 2 2" ]
	[ "$(inside 'stat -c %a /tmp/t/sub')" = 700 ]
	[ "$(inside 'readlink /tmp/t/link')" = one ]
	[ "$(inside 'stat -c %h /tmp/t/one')" = 2 ]
	pterm cp s:/tmp/t "$HOST/out"
	diff -r "$HOST/t" "$HOST/out"
	run pterm cp "$HOST/t" s:/no/such/dir
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "inside, what is made belongs to the session's user; outside to the caller" {
	pterm new -d -u 1000:1000 u -- sleep 1000 </dev/null >/dev/null
	host 'mkdir d; echo x >d/f'
	pterm cp "$HOST/d" u:/tmp
	[ "$(pterm exec u stat -c %u:%g /tmp/d /tmp/d/f | xargs)" = "1000:1000 1000:1000" ]
	pterm cp u:/tmp/d "$HOST/back"
	pterm cp u:/etc/passwd "$HOST/passwd"
	[ "$(stat -c %u "$HOST/back/f" "$HOST/passwd" | xargs)" = "$(who_id) $(who_id)" ]
}

@test "set-user-ID goes, special files are left out and counted" {
	inside 'mkdir /tmp/d; cp /bin/busybox /tmp/d/su 2>/dev/null || cp /bin/sh /tmp/d/su; chmod 6755 /tmp/d/su; mkfifo /tmp/d/fifo; echo x >/tmp/d/f'
	run pterm cp s:/tmp/d "$HOST/d"
	[ "$status" -eq 0 ]
	[[ $output == *"left out 1 special file "* ]]
	[ "$(stat -c %a "$HOST/d/su")" = 755 ]
	[ ! -e "$HOST/d/fifo" ]
	[ -f "$HOST/d/f" ]
	run pterm cp s:/dev/null "$HOST/null"
	[ ! -c "$HOST/null" ]
}

@test "out: a link to a file of the host is the container's file, or a link" {
	host 'echo secret >secret'
	inside "mkdir -p /x; ln -s $HOST/secret /x/absolute; ln -s ../../../../../../../..$HOST/secret /x/up; ln -s /etc/passwd /x/passwd; ln -s $HOST /x/dir"
	pterm cp s:/x "$HOST/x"
	[ -L "$HOST/x/absolute" ] && [ -L "$HOST/x/up" ] && [ -L "$HOST/x/dir" ]
	for path in "/x/dir/secret" "/x/dir/." "/x/../../../../../..$HOST/secret" "/proc/1/root/../../..$HOST/secret"; do
		run pterm cp "s:$path" "$HOST/stolen"
		[ "$status" -eq 125 ]
		[ ! -e "$HOST/stolen" ]
	done
	# a link with a slash behind it is what it leads to, in the container
	inside 'mkdir /y; echo inside >/y/f; ln -s /y /x/y'
	pterm cp s:/x/y/ "$HOST/y"
	[ "$(cat "$HOST/y/f")" = inside ]
}

@test "in: no link of the container leads a copy out, none is written through" {
	host 'mkdir victim d; echo mine >victim/f; echo evil >d/f; echo evil >f'
	inside "ln -s $HOST/victim /tmp/out; ln -s ../../../../../../../../..$HOST/victim /tmp/up; ln -s $HOST/victim/f /tmp/f; mkdir /tmp/d; ln -s $HOST/victim/f /tmp/d/f"
	run pterm cp "$HOST/f" s:/tmp/out/f
	run pterm cp "$HOST/f" s:/tmp/up/f
	pterm cp "$HOST/f" s:/tmp/f
	pterm cp "$HOST/d/." s:/tmp/d
	[ "$(cat "$HOST/victim/f")" = mine ]
	[ "$(ls "$HOST/victim")" = f ]
	[ "$(inside 'cat /tmp/f /tmp/d/f' | tr -d '\r' | xargs)" = "evil evil" ]
}

@test "out: a link on the host that the copy would replace is not written through" {
	host 'echo mine >mine; mkdir d; ln -s ../mine d/f; ln -s mine g'
	inside 'mkdir /tmp/d; echo theirs >/tmp/d/f; echo theirs >/tmp/g'
	pterm cp s:/tmp/d/. "$HOST/d"
	pterm cp s:/tmp/g "$HOST/g"
	[ "$(cat "$HOST/mine")" = mine ]
	[ "$(cat "$HOST/d/f")" = theirs ]
	[ ! -L "$HOST/g" ]
}

@test "names with newlines and escape sequences: copied exactly, shown safely" {
	local name
	name=$(printf 'a\nb\033[2Jc:d')
	as "$WHO" sh -c 'cd "$1" && mkdir d && echo x >"d/$2"' sh "$HOST" "$name"
	pterm cp "$HOST/d" s:/tmp
	pterm cp s:/tmp/d "$HOST/back"
	[ "$(cat "$HOST/back/$name")" = x ]
	pterm cp "s:/tmp/d/$name" "$HOST/one"
	[ "$(cat "$HOST/one")" = x ]
	pterm cp "$HOST/d/$name" s:/tmp/two
	run pterm cp "s:/tmp/nosuch/$name" "$HOST/none"
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output != *$'\033'* ]]
}

@test "which side is which" {
	host 'echo x >a:b'
	as "$WHO" sh -c 'cd "$1" && shift && exec "$@"' sh "$HOST" "$TOP/bin/src/pterm" cp ./a:b s:/tmp/ab
	[ "$(inside 'cat /tmp/ab' | tr -d '\r')" = x ]
	for words in "x y" "s:/a s:/b" "s: x" "nosuch:/a x"; do
		# shellcheck disable=SC2086
		run pterm cp $words
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	pterm stop -t 1s s
	run pterm cp s:/etc/passwd "$HOST/passwd"
	[ "$status" -eq 125 ]
	[[ $output == *"not running"* ]]
}

@test "as tar streams, which cannot leave the directory either" {
	host 'mkdir t victim; echo 1 >t/one; ln -s one t/link; tar cf t.tar t'
	pterm cp - s:/tmp <"$HOST/t.tar"
	[ "$(inside 'cat /tmp/t/link; stat -c %u /tmp/t/one' | tr -d '\r' | xargs)" = "1 0" ]
	pterm cp s:/tmp/t - >"$TOP/out.tar"
	[ "$(tar tf "$TOP/out.tar" | sort | xargs)" = "t/ t/link t/one" ]
	python3 - "$HOST/victim" >"$TOP/evil.tar" <<-'END'
	import io, sys, tarfile
	out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
	link = tarfile.TarInfo("out"); link.type = tarfile.SYMTYPE; link.linkname = sys.argv[1]
	out.addfile(link)
	f = tarfile.TarInfo("out/f"); f.size = 4
	out.addfile(f, io.BytesIO(b"evil"))
	out.close()
	END
	run pterm cp - s:/tmp <"$TOP/evil.tar"
	[ -z "$(ls "$HOST/victim")" ]
	run pterm cp - s:/nosuch <"$HOST/t.tar"
	[ "$status" -eq 125 ]
	run pterm cp - s:/tmp </dev/null
	[ "$status" -eq 125 ]
}
