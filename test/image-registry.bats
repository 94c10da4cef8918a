#!/usr/bin/env bats
# Images from a registry, the real one, on a port of this machine: pulling, pushing, what is cut short, passwords, signatures.
# as: user root

load lib
load images

setup() {
	images_setup
	registry_start
	layout one --cmd echo --cmd one "$BASE"
	skopeo copy -q --dest-tls-verify=false "oci:$WORK/layout:t:one" "docker://$REGISTRY/team/one:1"
}
teardown() { images_teardown; }

pull() { pterm pull --tls-verify=false "$@"; }
clean() { pterm image prune --all >/dev/null; assert_store_clean; }

# A larger layer, so that there is something to cut.
push_large() { # NAME
	/usr/bin/python3 -c 'import sys, tarfile, io, random
with tarfile.open(sys.argv[1], "w") as tar:
    data = random.Random(1).randbytes(8 << 20)
    e = tarfile.TarInfo("large"); e.size = len(data); tar.addfile(e, io.BytesIO(data))' "$WORK/large.tar"
	layout "$1" "$BASE" "$WORK/large.tar"
	skopeo copy -q --dest-tls-verify=false "oci:$WORK/layout:t:$1" "docker://$REGISTRY/team/$1:1"
}

@test "pull, run, pull again, push under another name, pull that" {
	run pull "$REGISTRY/team/one:1"
	[ "$status" -eq 0 ]
	[[ $output == *"fetching '$REGISTRY/team/one:1': 1 layers"* ]]
	run pterm new --rm --image "$REGISTRY/team/one:1" </dev/null
	[ "${lines[0]//$'\r'/}" = one ]
	run pull "$REGISTRY/team/one:1"
	[[ $output == *"is up to date"* ]]
	pterm image push -q --tls-verify=false "$REGISTRY/team/one:1" "$REGISTRY/other/two"
	pterm image rm "$REGISTRY/team/one:1"
	run pull -q "$REGISTRY/other/two"
	[ "$status" -eq 0 ]
	[ "$(inside "$REGISTRY/other/two" 'echo well')" = well ]
	clean
}

@test "what is not there, and a registry that is not there" {
	run pull "$REGISTRY/team/none:1"
	[ "$status" -eq 125 ]
	[[ $output == *"the registry has no such"* ]]
	run pull "$REGISTRY/team/one:none"
	[[ $output == *"the registry has no such tag"* ]]
	run pull "127.0.0.1:1/x"
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"connection refused"* ]]
	run pull 'Not A Name'
	[[ $output == *"is no image's name"* ]]
	run pterm pull "$REGISTRY/team/one:1"
	[[ $output == *"--tls-verify=false"* ]]
	clean
	[ "$(find "$IMAGES/blobs" -type f | wc -l)" -eq 0 ]
}

@test "where no registry gives it, a recipe that came with pterm is named" {
	kill "$REGISTRY_PID"
	wait "$REGISTRY_PID" || true
	printf '[[registry]]\nprefix = "docker.io"\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$WORK/registries.conf"
	chmod a+r "$WORK/registries.conf"
	try() { run as "$WHO" env CONTAINERS_REGISTRIES_CONF="$WORK/registries.conf" "$TOP/bin/src/pterm" new --rm "$@" -- true </dev/null; }
	try --image debian:12
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"cannot find 'debian:12'"*"; "*"/recipes/debian-12 makes it without a registry" ]]
	try --image debian:13
	[[ $output == *"cannot find 'debian:13'"* && $output != *recipe* ]]
	try -t htop
	[[ $output == *"/recipes/debian-12 makes it without a registry" ]]
}

@test "a password: refused without, works with --creds and with a login" {
	kill "$REGISTRY_PID"
	wait "$REGISTRY_PID" 2>/dev/null || true
	registry_start me secret
	skopeo copy -q --dest-tls-verify=false --dest-creds me:secret "oci:$WORK/layout:t:one" "docker://$REGISTRY/team/one:1"
	run pull "$REGISTRY/team/one:1"
	[ "$status" -eq 125 ]
	[[ $output == *"log in first: skopeo login"* ]]
	run pull --creds me:wrong "$REGISTRY/team/one:1"
	[ "$status" -eq 125 ]
	run pull --creds me:secret "$REGISTRY/team/one:1"
	[ "$status" -eq 0 ]
	pterm image rm "$REGISTRY/team/one:1"
	skopeo login --tls-verify=false --authfile "$WORK/auth.json" -u me -p secret "$REGISTRY" >/dev/null
	chmod 644 "$WORK/auth.json"
	run pull --authfile "$WORK/auth.json" "$REGISTRY/team/one:1"
	[ "$status" -eq 0 ]
	run pterm image push --tls-verify=false --creds me:secret "$REGISTRY/team/one:1" "$REGISTRY/team/pushed:1"
	[ "$status" -eq 0 ]
}

@test "two pulls of one image at once do the work once" {
	push_large twice
	pull "$REGISTRY/team/twice:1" >"$WORK/first" 2>&1 &
	local first=$!
	pull "$REGISTRY/team/twice:1" >"$WORK/second" 2>&1
	wait "$first"
	cat "$WORK/first" "$WORK/second"
	[ "$(cat "$WORK/first" "$WORK/second" | grep -c '^fetching')" -eq 1 ]
	[ "$(cat "$WORK/first" "$WORK/second" | grep -c 'is up to date')" -eq 1 ]
	# each layer was asked for once
	[ "$(grep -c 'GET /v2/team/twice/blobs/' "$WORK/registry.log" || true)" -le 6 ]
}

@test "a registry that closes half way: one sentence, nothing half-made, and the next pull goes on" {
	push_large cut
	proxy_start 3000000 cut
	run pull -q "$PROXY/team/cut:1"
	echo "$output"
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "pterm pull: cannot pull '$PROXY/team/cut:1': "* ]]
	assert_store_clean
	[ -z "$(pterm image ls -q)" ]
	run pull -q "$REGISTRY/team/cut:1"
	[ "$status" -eq 0 ]
	[ "$(inside "$REGISTRY/team/cut:1" 'wc -c </large')" = 8388608 ]
}

@test "a pull that is killed leaves no image, and the next clears away what it left" {
	push_large killed
	proxy_start 3000000 hold
	pull -q "$PROXY/team/killed:1" >/dev/null 2>&1 &
	local job=$!
	wait_for 60 test -e "$WORK/held"
	kill -9 "$(cut -d ' ' -f 1 "/proc/$job/task/$job/children")"       # pterm itself: the job is a shell
	wait "$job" 2>/dev/null || true
	[ -z "$(pterm image ls -q)" ]
	run pull -q "$REGISTRY/team/killed:1"
	[ "$status" -eq 0 ]
	assert_store_clean
	pterm image rm "$REGISTRY/team/killed:1"
	[ "$(find "$IMAGES/blobs" -type f | wc -l)" -eq 0 ]
}

@test "a manifest list: this machine's image is taken, another platform is said" {
	local arch=$(json 'd["Architecture"]' < <(skopeo inspect --tls-verify=false "docker://$REGISTRY/team/one:1"))
	layout here --platform "linux/$arch" "$BASE"
	layout there --platform linux/made-up "$BASE"
	skopeo copy -q --all --dest-tls-verify=false "oci:$WORK/layout:t:here" "docker://$REGISTRY/team/list:here"
	skopeo copy -q --all --dest-tls-verify=false "oci:$WORK/layout:t:there" "docker://$REGISTRY/team/list:there"
	run pull -q "$REGISTRY/team/list:here"
	[ "$status" -eq 0 ]
	run pull -q "$REGISTRY/team/list:there"
	[ "$status" -eq 125 ]
	[[ $output == *"there is no image for this machine, linux/$arch, in it; it has linux/made-up"* ]]
}

@test "update: a tag that has moved" {
	pull -q "$REGISTRY/team/one:1"
	run pterm image update -q --check --tls-verify=false
	[ "$status" -eq 0 ]
	[[ $output == *"up to date"* ]]
	layout moved --cmd echo --cmd moved "$BASE"
	skopeo copy -q --dest-tls-verify=false "oci:$WORK/layout:t:moved" "docker://$REGISTRY/team/one:1"
	run pterm image update -q --check --tls-verify=false
	[ "$status" -eq 1 ]
	[[ $output == *"newer there"* ]]
	run pterm image update -q --tls-verify=false
	[ "$status" -eq 0 ]
	[[ $output == *"updated"* ]]
	run pterm new --rm --image "$REGISTRY/team/one:1" </dev/null
	[ "${lines[0]//$'\r'/}" = moved ]
}

@test "a damaged blob is fetched again: by repair, and by a start" {
	local blob
	pull -q "$REGISTRY/team/one:1"
	blob=$(find "$IMAGES/blobs" -type f -size +100k)
	printf X | dd of="$blob" bs=1 seek=5000 conv=notrunc 2>/dev/null
	run pterm image repair -q --tls-verify=false
	[ "$status" -eq 0 ]
	[[ $output == *"mended"* ]]
	run pterm image verify -q
	[ "$status" -eq 0 ]
}

# --- signatures ---

keys() { # NAME: a key pair in $WORK/NAME.key, .pub
	(cd "$WORK" && COSIGN_PASSWORD='' "$COSIGN" generate-key-pair --output-key-prefix "$1" >/dev/null 2>&1)
	chmod a+r "$WORK/$1.pub"
}

sign() { # KEY NAME
	local digest=sha256:$(skopeo inspect --tls-verify=false --raw "docker://$2" | sha256sum | cut -d' ' -f1)
	COSIGN_PASSWORD='' "$COSIGN" sign --key "$WORK/$1.key" --tlog-upload=false -y "${2%:*}@$digest" >/dev/null 2>&1
}

policy() { # SIGNATURES KEY
	mkdir -p "$IMAGES"
	printf '{"rules": [{"images": "%s/team", "signatures": "%s", "keys": ["%s"]}]}' "$REGISTRY" "$1" "$WORK/$2.pub" >"$IMAGES/policy.json"
	[ "$WHO" = root ] || [ "$(id -u)" != 0 ] || chown -R "$TEST_USER:" "$TOP/user"
}

refused() { # WORDS
	echo "$output"
	[ "$status" -eq 125 ]
	[[ $output == *"is refused: images/policy.json requires a signature"* ]]
	[ "${#lines[@]}" -eq 1 ]
	[ -z "$(pterm image ls -q)" ]
	[ "$(find "$IMAGES/blobs" -type f | wc -l)" -eq 0 ]
	assert_store_clean
}

@test "signatures: required and there; the identity is kept" {
	[ -x "$COSIGN" ] || skip "there is no cosign here"
	keys mine
	policy require mine
	sign mine "$REGISTRY/team/one:1"
	run pull -q "$REGISTRY/team/one:1"
	[ "$status" -eq 0 ]
	[[ $(json 'd["signed_by"]' < <(pterm image inspect "$REGISTRY/team/one:1")) == "key mine.pub (sha256:"* ]]
	[ "$(inside "$REGISTRY/team/one:1" 'echo well')" = well ]
}

@test "signatures: none, another key's, another image's, another repository's are refused" {
	[ -x "$COSIGN" ] || skip "there is no cosign here"
	keys mine
	keys other
	policy require mine
	run pull -q "$REGISTRY/team/one:1"
	refused
	sign other "$REGISTRY/team/one:1"
	run pull -q "$REGISTRY/team/one:1"
	refused
	# the tag is moved to an image that nobody signed
	sign mine "$REGISTRY/team/one:1"
	layout swapped --cmd echo --cmd swapped "$BASE"
	skopeo copy -q --dest-tls-verify=false "oci:$WORK/layout:t:swapped" "docker://$REGISTRY/team/one:1"
	run pull -q "$REGISTRY/team/one:1"
	refused
	# signed by the right key, for another repository: image and signature are copied over
	layout elsewhere --cmd echo --cmd elsewhere "$BASE"
	skopeo copy -q --dest-tls-verify=false "oci:$WORK/layout:t:elsewhere" "docker://$REGISTRY/lab/try:1"
	sign mine "$REGISTRY/lab/try:1"
	"$COSIGN" copy "$REGISTRY/lab/try:1" "$REGISTRY/team/try:1" >/dev/null 2>&1
	run pull -q "$REGISTRY/team/try:1"
	refused
	[[ $output == *"another repository"* ]]
}

@test "signatures: warn takes it, and says so; other repositories are not asked" {
	[ -x "$COSIGN" ] || skip "there is no cosign here"
	keys mine
	policy warn mine
	run pull "$REGISTRY/team/one:1"
	[ "$status" -eq 0 ]
	[[ $output == *"warning: image '$REGISTRY/team/one:1'"* ]]
	policy require mine
	skopeo copy -q --dest-tls-verify=false "oci:$WORK/layout:t:one" "docker://$REGISTRY/lab/one:1"
	run pull -q "$REGISTRY/lab/one:1"
	[ "$status" -eq 0 ]
	# what came before the policy asked is not used, nor can another image take the name
	run pterm new --rm --image "$REGISTRY/team/one:1" -- true </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *"is refused"* ]]
	run pterm image tag "$REGISTRY/lab/one:1" "$REGISTRY/team/new:1"
	[ "$status" -eq 125 ]
	run pterm image import -q "$BASE" "$REGISTRY/team/new:1"
	[ "$status" -eq 125 ]
}

@test "signatures: checked offline, from a directory that cosign has saved" {
	[ -x "$COSIGN" ] || skip "there is no cosign here"
	keys mine
	sign mine "$REGISTRY/team/one:1"
	"$COSIGN" save --dir "$WORK/saved" "$REGISTRY/team/one:1" >/dev/null 2>&1
	chmod -R a+rX "$WORK/saved"
	policy require mine
	kill "$REGISTRY_PID"
	wait "$REGISTRY_PID" 2>/dev/null || true
	run pterm image import -q "$WORK/saved" "$REGISTRY/team/one:1"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $(json 'd["signed_by"]' < <(pterm image inspect "$REGISTRY/team/one:1")) == "key mine.pub"* ]]
	pterm image rm "$REGISTRY/team/one:1"
	run pterm image import -q --which t:one "$WORK/layout" "$REGISTRY/team/one:1"
	refused
}

@test "a policy that cannot be read is an error, not a pass" {
	mkdir -p "$IMAGES"
	echo '{"rules": [{"images": "x", "signatures": "requir"}]}' >"$IMAGES/policy.json"
	chmod 644 "$IMAGES/policy.json"
	[ "$WHO" = root ] || [ "$(id -u)" != 0 ] || chown -R "$TEST_USER:" "$TOP/user"
	run pull -q "$REGISTRY/team/one:1"
	[ "$status" -eq 125 ]
	[[ $output == *"policy.json"*"one of off, warn, require"* ]]
}
