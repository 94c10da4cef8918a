#!/usr/bin/env bats
# Images: taken from files, run, listed, checked, mended, removed. Registries, signatures and builds: image-registry.bats,
# image-build.bats.
# as: user root

load lib
load images

setup() { images_setup; }
teardown() { images_teardown; }

@test "a root file system becomes an image, and a session of it runs" {
	run pterm image import "$BASE" base
	[ "$status" -eq 0 ]
	[[ $output == *"base:latest sha256:"* ]]
	[ "$(inside base 'cat /etc/passwd | head -1')" = "$(tar -xOf "$BASE" ./etc/passwd 2>/dev/null | head -1 || tar -xOf "$BASE" etc/passwd | head -1)" ]
	run pterm image ls -o json
	[ "$(json 'd[0]["name"] + " " + str(d[0]["layers"])' <<<"$output")" = "base:latest 1" ]
	assert_store_clean
}

@test "what an image says about running it is honoured, and can be overridden" {
	layout conf --user nobody --workdir /srv/made --env GREETING=hello --env PATH=/bin:/usr/bin --entrypoint echo --cmd one --cmd two "$BASE"
	take conf
	run pterm new --rm --image t:conf </dev/null
	[ "$status" -eq 0 ]
	[ "${lines[0]//$'\r'/}" = "one two" ]
	run pterm new --rm --image t:conf -- three </dev/null
	[ "${lines[0]//$'\r'/}" = "three" ]
	run inside t:conf 'id -un; pwd; echo $GREETING $PATH; touch mine && echo writable'
	[ "${lines[0]}" = nobody ]
	[ "${lines[1]}" = /srv/made ]
	[ "${lines[2]}" = "hello /bin:/usr/bin" ]
	[ "${lines[3]}" = writable ]
	run pterm new --rm --image t:conf -u root -w / -e GREETING=bye --entrypoint sh -- -c 'id -u; pwd; echo $GREETING' </dev/null
	[ "$(tr -d '\r' <<<"$output" | paste -sd ' ')" = "0 / bye" ]
}

@test "120 layers, each taking away a file of the one before" {
	layout many --many 120 --compress gzip "$BASE"
	take many
	[ "$(inside t:many 'ls /many; cat /many/*')" = $'119\nlayer 119' ]
	[ "$(json 'len(d["layers"])' < <(pterm image inspect t:many))" = 121 ]
}

@test "zstd, gzip and plain layers are the same files" {
	local how
	tar_of top etc/ etc/top=above
	for how in none gzip zstd; do
		layout "$how" --compress "$how" "$BASE" "$WORK/top.tar"
		take "$how"
		[ "$(inside "t:$how" 'cat /etc/top')" = above ]
	done
	# one copy on disk: the layers are the same
	[ "$(find "$IMAGES/layers" -mindepth 2 -maxdepth 2 -type d | wc -l)" -eq 2 ]
}

@test "layers take files away, hide directories, and replace one kind by another" {
	tar_of one d/ d/a=1 d/b=1 hidden/ hidden/x=1 file=1 dir/ dir/below=1
	tar_of two d/ d/.wh.a hidden/ hidden/.wh..wh..opq hidden/y=2 .wh.file file/ file/in=2 .wh.dir dir=2
	layout kinds "$BASE" "$WORK/one.tar" "$WORK/two.tar"
	take kinds
	run inside t:kinds 'ls /d /hidden /file; cat /dir'
	[ "$(paste -sd ' ' <<<"$output")" = "/d: b  /file: in  /hidden: y 2" ]
}

@test "links, setuid, holes and devices in a layer" {
	tar_of kinds usr/ usr/a=text 'usr/hard=>usr/a' 'usr/soft->a' usr/suid:suid usr/null:dev
	layout kinds "$BASE" "$WORK/kinds.tar"
	take kinds
	run inside t:kinds 'cat /usr/soft; echo; stat -c %h /usr/a; stat -c %a /usr/suid; ls /usr/null || echo none'
	[ "${lines[0]}" = text ]
	[ "${lines[1]}" = 2 ]
	[ "${lines[2]}" = 4755 ]
	[ "${lines[-1]}" = none ]
}

@test "names that lead out of a layer are refused, and nothing is left" {
	local bad
	for bad in '../evil=x' 'a/../../evil=x' 'usr/.wh..'; do
		tar_of bad usr/ "$bad"
		rm -rf "$WORK/layout"
		layout bad "$BASE" "$WORK/bad.tar"
		run pterm image import "$WORK/layout"
		[ "$status" -eq 125 ]
		[[ $output == *"is refused: "* ]]
		assert_store_clean
	done
	[ ! -e "$TOP/evil" ]
	# through a link: what is written stays inside
	tar_of link 'out->/tmp' out/pterm-evil=x
	rm -rf "$WORK/layout"
	layout link "$BASE" "$WORK/link.tar"
	run pterm image import "$WORK/layout"
	[ "$status" -eq 125 ]
	[ ! -e /tmp/pterm-evil ]
}

@test "damaged images are refused in one sentence, and leave nothing" {
	local how
	tar_of top etc/ etc/top=above
	for how in digest truncate size diffid; do
		rm -rf "$WORK/layout"
		layout bad --break "$how" "$BASE" "$WORK/top.tar"
		run pterm image import -q "$WORK/layout" bad
		echo "$how: $output"
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == "pterm image import: "* ]]
		assert_store_clean
		run pterm image ls -q
		[ "$how" = diffid ] || [ -z "$output" ]
	done
}

@test "an image for another platform, several images, no image: each is said" {
	layout other --platform linux/made-up "$BASE"
	run pterm image import -q "$WORK/layout" other
	[ "$status" -eq 125 ]
	[[ $output == *"made-up"* || $output == *"no image found"* ]]
	rm -rf "$WORK/layout"
	layout one "$BASE"
	layout two "$BASE"
	run pterm image import "$WORK/layout"
	[[ $output == *"say with --which which one is meant: t:one, t:two"* ]]
	run pterm image import "$WORK"
	[[ $output == *"it is a directory, and no OCI layout"* ]]
	run pterm image import "$WORK/none"
	[[ $output == *"cannot read '$WORK/none': No such file or directory"* ]]
	run pterm image import "$BATS_TEST_FILENAME" x
	[[ $output == *"it is no tar archive"* ]]
	assert_store_clean
}

@test "a layer that unpacks to too much is refused with the limit" {
	/usr/bin/python3 - "$WORK/bomb.tar.gz" <<-'END'
		import io, sys, tarfile
		class Zeros(io.RawIOBase):
		    def read(self, n): return b"\0" * n
		with tarfile.open(sys.argv[1], "w:gz", compresslevel=1) as tar:
		    d = tarfile.TarInfo("usr"); d.type, d.mode = tarfile.DIRTYPE, 0o755; tar.addfile(d)
		    e = tarfile.TarInfo("usr/zeros"); e.size = 80 << 20; tar.addfile(e, Zeros())
	END
	chmod a+r "$WORK/bomb.tar.gz"
	PTERM_MAX_LAYER=16m run pterm image import -q "$WORK/bomb.tar.gz" bomb
	[ "$status" -eq 125 ]
	[[ $output == *"larger than the limit of 16 MiB"* ]]
	echo '{ "images": { "max_layer": "32m" } }' | as "$WHO" tee "$TOP/$WHO/home/config.json" >/dev/null
	run pterm image import -q "$WORK/bomb.tar.gz" bomb
	[[ $output == *"larger than the limit of 32 MiB"* ]]
	PTERM_MAX_LAYER=much run pterm image import -q "$WORK/bomb.tar.gz" bomb
	[ "$status" -eq 125 ]
	[[ $output == *"PTERM_MAX_LAYER"*"a size such as"* ]]
	rm "$TOP/$WHO/home/config.json"
	assert_store_clean
	run pterm image import -q "$WORK/bomb.tar.gz" bomb
	[ "$status" -eq 0 ]
}

@test "a layer of 200,000 entries" {
	[ "$WHO" = root ] || skip "once is enough"
	/usr/bin/python3 - "$WORK/many.tar" <<-'END'
		import sys, tarfile
		with tarfile.open(sys.argv[1], "w", format=tarfile.USTAR_FORMAT) as tar:
		    for i in range(200):
		        d = tarfile.TarInfo("usr/%d" % i); d.type, d.mode = tarfile.DIRTYPE, 0o755; tar.addfile(d)
		        for k in range(999):
		            tar.addfile(tarfile.TarInfo("usr/%d/%d" % (i, k)))
	END
	run pterm image import -q "$WORK/many.tar" many
	[ "$status" -eq 0 ]
	run pterm image verify -q many
	[ "$status" -eq 0 ]
}

@test "a root file system comes from another kind of file system" {
	[ "$(stat -f -c %T /dev/shm)" != "$(stat -f -c %T "$TOP")" ] || skip "there is only one kind here"
	local file=$(mktemp /dev/shm/pterm-test.XXXXXX.tar)
	cp "$BASE" "$file"
	chmod 644 "$file"
	run pterm image import -q "$file" base
	rm "$file"
	[ "$status" -eq 0 ]
	run pterm image verify -q base
	[ "$status" -eq 0 ]
}

@test "a full disk: said, and nothing is left" {
	[ "$WHO" = root ] || skip "needs a mount"
	mkdir "$WORK/small"
	mount -t tmpfs -o size=3m,mode=711 pterm-test "$WORK/small"
	STORE=$WORK/small
	run as root env "PTERM_STORE=$STORE" "$TOP/bin/src/pterm" image import -q "$BASE" base
	local after=$(find "$STORE" -name '.new-*' -o -name '.work-*')
	umount "$WORK/small"
	echo "$output"
	[ "$status" -eq 125 ]
	[[ $output == *"No space left on device"* ]]
	[ "${#lines[@]}" -eq 1 ]
	[ -z "$after" ]
}

@test "a tag, a second name, and which of them are removed" {
	layout one "$BASE"
	take one
	pterm image tag t:one localhost/second:2
	run pterm image rm t:one
	[ "$status" -eq 0 ]
	[ "$(inside localhost/second:2 'echo here')" = here ]
	pterm image rm localhost/second:2
	run pterm new --rm --image localhost/second:2 -- true </dev/null
	[ "$status" -eq 125 ]
	[ "$(pterm image ls -q)" = "" ]
	[ "$(find "$IMAGES/blobs" -type f | wc -l)" -eq 0 ]
	[ "$(find "$IMAGES/layers" -mindepth 2 -maxdepth 2 -type d | wc -l)" -eq 0 ]
}

@test "what a session uses is not removed, and what nothing needs is" {
	tar_of top etc/ etc/top=above
	layout used "$BASE" "$WORK/top.tar"
	layout idle "$BASE"
	take used
	take idle
	pterm new -d --image t:used s -- sleep 1000
	run pterm image rm t:used
	[ "$status" -eq 125 ]
	[[ $output == *"is used by session 's'"* ]]
	run pterm image prune --all
	[[ $output == *"removed t:idle"* ]]
	[[ $output != *"removed t:used"* ]]
	pterm exec s cat /etc/top
	pterm image rm --force t:used
	pterm image prune --all
	[ "$(pterm exec s cat /etc/top)" = above ]
	pterm stop s
	pterm start s
	[ "$(pterm exec s cat /etc/top)" = above ]
	pterm rm -f s
	run pterm image prune
	[ "$status" -eq 0 ]
	[ "$(find "$IMAGES/blobs" -type f | wc -l)" -eq 0 ]
	[ "$(find "$IMAGES/layers" -mindepth 2 -maxdepth 2 -type d | wc -l)" -eq 0 ]
}

@test "twenty sessions of one image have one copy of its files, and take little before they write" {
	local n id mine layer
	pterm image import -q "$BASE" base
	for n in $(seq 20); do pterm new -d --image base -- sleep 1000 </dev/null >/dev/null; done
	layer=$(find "$IMAGES/layers" -path '*/bin/busybox')
	[ "$(wc -l <<<"$layer")" -eq 1 ]
	for id in $(pterm ls -o json | json "' '.join(s['id'] for s in d)"); do
		# the file that the command was executed from: what is in memory of it belongs to this inode
		mine=$(pterm exec -T "$id" stat -c %i /bin/busybox)
		[ "${mine//$'\r'/}" = "$(stat -c %i "$layer")" ]
		n=$(du -sk --total $(find "$TOP/$WHO/home/sessions/$id" "$STORE/sessions/$id" -maxdepth 0) | awk 'END { print $1 }')
		echo "$id: $n KB"
		[ "$n" -le 64 ]
	done
	[ "$(pterm ls -q --running | wc -l)" -eq 20 ]
}

@test "shared layers count once" {
	tar_of top etc/ etc/top=above
	layout one "$BASE"
	layout two "$BASE" "$WORK/top.tar"
	take one
	local before=$(json 'd["blob_bytes"] + d["layer_bytes"]' < <(pterm image ls --disk -o json))
	take two
	local after=$(json 'd["blob_bytes"] + d["layer_bytes"]' < <(pterm image ls --disk -o json))
	[ $((after - before)) -lt 100000 ]
	[ "$(json '[i["shared_bytes"] > 0 for i in d]' < <(pterm image ls -o json))" = "[True, True]" ]
}

@test "export and import again: OCI archive, docker archive, layout" {
	local kind
	layout one --cmd cat --cmd /etc/hostname "$BASE"
	take one
	for kind in oci-archive docker-archive oci; do
		mkdir -p "$WORK/out"
		chmod 777 "$WORK/out"
		pterm image export --format "$kind" t:one "$WORK/out/$kind"
		run pterm image export --format "$kind" t:one "$WORK/out/$kind"
		[[ $output == *"it is there already"* ]]
		pterm image import -q "$WORK/out/$kind" "again:$kind"
		[ "$(inside "again:$kind" 'echo same')" = same ]
	done
	[ "$(ls -A "$WORK/out" | wc -l)" -eq 3 ]
}

@test "export into a directory of everybody writes through nobody's link" {
	layout one "$BASE"
	take one
	mkdir "$WORK/out"
	chmod 777 "$WORK/out"
	as "$WHO" sh -c 'echo untouched >"$1/victim"' sh "$WORK/out"
	# who guesses the name of what is made there: the program keeps the shell's number
	as "$WHO" sh -c 'for n in $$ $$-0; do ln -s "$1/victim" "$1/.pterm-export-$n"; done
		exec "$TOP/bin/src/pterm" image export t:one "$1/image.tar"' sh "$WORK/out"
	[ "$(cat "$WORK/out/victim")" = untouched ]
	[ -f "$WORK/out/image.tar" ]
	[ ! -L "$WORK/out/image.tar" ]
	[ "$(ls -A "$WORK/out" | wc -l)" -eq 4 ]
}

@test "history and inspect" {
	layout one --env A=b "$BASE"
	take one
	run pterm image history t:one
	[[ $output == *"step 1"* ]]
	[ "$(json 'd["config"]["config"]["Env"][0] + " " + d["names"][0]' < <(pterm image inspect t:one))" = "A=b t:one" ]
	local digest=$(json 'd["digest"]' < <(pterm image inspect t:one))
	[ "$(json 'd["digest"]' < <(pterm image inspect "${digest:7:12}"))" = "$digest" ]
}

# --- commit ---

@test "commit: what a session made, changed and removed" {
	layout one --env A=1 "$BASE"
	take one
	pterm new -d --image t:one s -- sleep 1000
	pterm exec s sh -c 'echo new >/etc/new; rm /etc/passwd; rm -r /mnt; mkdir /mnt; echo in >/mnt/in; ln -s in /mnt/link; chmod 4711 /etc/new'
	pterm image commit -q -m "a note" -e B=2 s made -- sh -c 'echo $A $B'
	pterm rm -f s
	run pterm new --rm --image made </dev/null
	[ "${lines[0]//$'\r'/}" = "1 2" ]
	run inside made 'cat /etc/new; stat -c %a /etc/new; ls /etc/passwd || echo gone; ls /mnt; readlink /mnt/link'
	[ "${lines[0]}" = new ]
	[ "${lines[1]}" = 4711 ]
	[[ $output == *"gone"*"in"*"link"* ]]
	[[ $(pterm image history made) == *"pterm image commit s"* ]]
	assert_store_clean
}

@test "commit of a session that ran on no image of the store" {
	pterm new -d s -- sleep 1000
	pterm exec s sh -c 'echo new >/etc/new'
	pterm image commit -q s made
	pterm rm -f s
	[ "$(inside made 'cat /etc/new; ls /bin | wc -l' | head -1)" = new ]
}

# --- damage ---

layer_dir() { find "$IMAGES/layers" -mindepth 2 -maxdepth 2 -type d -name '[0-9a-f]*' | head -1; }

damage() { # COMMAND WITH {}: on the layer
	sh -c "${1//\{\}/$(layer_dir)}"
}

@test "verify finds what was changed, removed and added; repair makes it anew" {
	local how
	layout one "$BASE"
	for how in 'echo x >>{}/etc/passwd' 'rm {}/etc/passwd' 'chmod 600 {}/etc/passwd' 'touch {}/etc/extra' 'rm -r {}/etc' \
		'cp -p {}/etc/passwd {}/x; printf X | dd of={}/etc/passwd conv=notrunc bs=1 2>/dev/null; touch -r {}/x {}/etc/passwd; rm {}/x; touch -d @0 {}'; do
		take one
		damage "$how"
		run pterm image verify -q t:one
		echo "$how: $output"
		[ "$status" -eq 1 ]
		[[ $output == *"damaged"* ]]
		run pterm image repair -q t:one
		[ "$status" -eq 0 ]
		[[ $output == *"mended"* ]]
		run pterm image verify -q t:one
		[ "$status" -eq 0 ]
	done
	pterm image prune >/dev/null
	[ -z "$(find "$IMAGES/layers" -name '.old-*')" ]
}

@test "a start makes a damaged layer anew, and says so; a running session is not disturbed" {
	layout one "$BASE"
	take one
	pterm new -d --image t:one s -- sleep 1000
	damage 'rm -r {}/home'
	run pterm new --rm --image t:one -- ls -d /home </dev/null
	[ "$status" -eq 0 ]
	[[ $output == *"is damaged ("*"): it is made anew"* ]]
	[[ $output == *"/home"* ]]
	pterm exec s cat /etc/passwd
	# what was put aside stays for it, and goes with it
	pterm image prune >/dev/null
	[ -n "$(find "$IMAGES/layers" -name '.old-*')" ]
	pterm exec s cat /etc/passwd
	pterm rm -f s
	pterm image prune >/dev/null
	[ -z "$(find "$IMAGES/layers" -name '.old-*')" ]
}

@test "a session that is started again has its layers looked at" {
	layout one "$BASE"
	take one
	pterm new -d --image t:one s -- sleep 1000
	pterm stop s
	damage 'rm -rf {} {}.list'
	pterm start s
	pterm exec s cat /etc/passwd
	pterm stop s
	rm -rf "$IMAGES/blobs"
	damage 'rm -rf {} {}.list'
	run pterm start s
	[ "$status" -eq 125 ]
	[[ $output == *"image 't:one' of this session is damaged or was removed"* ]]
}

@test "a damaged blob is found, and named when it cannot be fetched" {
	layout one "$BASE"
	take one
	local blob=$(find "$IMAGES/blobs" -type f -size +100k)
	printf X | dd of="$blob" bs=1 seek=5000 conv=notrunc 2>/dev/null
	run pterm image verify -q
	[ "$status" -eq 1 ]
	[[ $output == *"its bytes are not those of its digest"* ]]
	run pterm image repair -q
	[ "$status" -eq 1 ]
	[[ $output == *"came from no registry"* ]]
	[[ $output == *"lost"* ]]
}

@test "a blob that cannot be read is not taken for damaged, and what cannot be fetched again stays" {
	layout one "$BASE"
	take one
	local blob=$(find "$IMAGES/blobs" -type f -size +100k) manifest
	mv "$blob" "$blob.away"
	as "$WHO" ln -s "$(basename "$blob")" "$blob" # ELOOP: as short of descriptors, or of rights
	run pterm image repair -q
	[ "$status" -eq 125 ]
	[[ $output == *"cannot read '$blob'"* ]]
	[ -L "$blob" ]
	mv "$blob.away" "$blob"
	run pterm image verify -q
	[ "$status" -eq 0 ]
	# a configuration that is damaged does not cost the manifest, which says what there was
	manifest=$(json 'd["digest"]' < <(pterm image inspect t:one))
	for blob in "$IMAGES"/blobs/sha256/*; do
		grep -q '^{.*diff_ids' "$blob" && echo '{' >"$blob"
	done
	run pterm image repair -q
	[ "$status" -eq 1 ]
	[[ $output == *"lost"* ]]
	[ -e "$IMAGES/blobs/sha256/${manifest#sha256:}" ]
}

# --- policies (with real signatures: image-registry.bats) ---

@test "a policy holds for every spelling of a name, and for images that have lost theirs" {
	layout one "$BASE"
	take one
	layout two --cmd echo "$BASE"
	digest=$(json 'd["digest"]' < <(pterm image inspect t:one))
	pterm image import -q --which t:two "$WORK/layout" t:one # the first goes on without a name
	pterm new --rm --image "$digest" -- true </dev/null
	echo '{"default": "require", "rules": [{"images": "t", "signatures": "off"}, {"images": "Lab.example.com", "signatures": "off"},
		{"images": "lab.example.com/team", "signatures": "require", "keys": ["none"]}]}' >"$IMAGES/policy.json"
	chmod 644 "$IMAGES/policy.json"
	run pterm new --rm --image "$digest" -- true </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *"an image without a name is refused"* ]]
	pterm image import -q "$BASE" LAB.example.com/free/x
	for name in lab.example.com/team/x LAB.Example.com/team/x lab.example.com:443/team/x Lab.example.com:443/team; do
		run pterm image import -q "$BASE" "$name"
		echo "$name: $output"
		[ "$status" -eq 125 ]
		[[ $output == *"is refused"* ]]
	done
	run pterm image import -q "$BASE" lab.example.com./team/x
	[ "$status" -eq 125 ]
	[[ $output == *"is no image's name"* ]]
}

# --- kills ---

has_begun() { [ -n "$(find "$IMAGES" -name '.new-*' 2>/dev/null)" ] || ! kill -0 "$1" 2>/dev/null; }

@test "an import that is killed is cleared away by the next" {
	local i
	for i in 1 2 3 4 5; do
		pterm image import -q "$BASE" "base$i" >/dev/null &
		local job=$!
		wait_for 20 has_begun "$job"
		kill -9 "$(cut -d ' ' -f 1 "/proc/$job/task/$job/children" 2>/dev/null)" 2>/dev/null || true
		wait "$job" 2>/dev/null || true
	done
	pterm image import -q "$BASE" base
	[ "$(inside base 'echo well')" = well ]
	pterm image prune >/dev/null
	assert_store_clean
}
