# What the tests about images share: images of every shape, a real registry, a store of which nothing may be left half-made.

OCI=$BATS_TEST_DIRNAME/tools/oci
COSIGN=$(command -v cosign || echo /usr/local/libexec/pterm/cosign/cosign)

images_setup() {
	pterm_setup
	BASE=$TOP/bin/share/default-image.tar
	STORE=$TOP/user/home
	[ "$WHO" != root ] || STORE=$TOP/root/store
	IMAGES=$STORE/images
	WORK=$TOP/work
	mkdir "$WORK"
	chmod 755 "$WORK"
}

images_teardown() {
	[ -z "${PROXY_PID-}" ] || kill "$PROXY_PID" 2>/dev/null || true
	[ -z "${REGISTRY_PID-}" ] || kill "$REGISTRY_PID" 2>/dev/null || true
	pterm_teardown
}

# tar_of NAME ENTRY...: $WORK/NAME.tar. An entry is path, path=text, path/ (a directory), path->target (a link), path:mode.
tar_of() {
	/usr/bin/python3 - "$WORK/$1.tar" "${@:2}" <<-'END'
		import io, sys, tarfile
		with tarfile.open(sys.argv[1], "w") as tar:
		    for arg in sys.argv[2:]:
		        text, mode = b"", 0o644
		        e = tarfile.TarInfo(arg)
		        if "=>" in arg:
		            e.name, e.linkname = arg.split("=>")
		            e.type = tarfile.LNKTYPE
		        elif "->" in arg:
		            e.name, e.linkname = arg.split("->")
		            e.type = tarfile.SYMTYPE
		        elif "=" in arg:
		            e.name, _, text = arg.partition("=")
		            text = text.encode()
		        elif arg.endswith("/"):
		            e.name, e.type, mode = arg.rstrip("/"), tarfile.DIRTYPE, 0o755
		        elif arg.endswith(":dev"):
		            e.name, e.type, e.devmajor, e.devminor = arg[:-4], tarfile.CHRTYPE, 1, 3
		        elif arg.endswith(":suid"):
		            e.name, mode = arg[:-5], 0o4755
		        e.mode, e.size, e.mtime = mode, len(text), 1700000000
		        tar.addfile(e, io.BytesIO(text))
	END
}

# layout NAME [OPTION...] LAYER...: an image "t:NAME" in the layout $WORK/layout.
layout() {
	"$OCI" "$WORK/layout" "t:$1" "${@:2}"
	chmod -R a+rX "$WORK/layout"
}

take() { # NAME: the image of that layout into the store
	pterm image import -q --which "t:$1" "$WORK/layout"
}

inside() { # IMAGE COMMAND: what a shell in a session of it prints
	pterm new --rm --image "$1" --entrypoint '' -- sh -c "$2" </dev/null | tr -d '\r'
}

# Nothing half-made: no name that something in progress has, and no blob but those of images (after a prune).
assert_store_clean() {
	local left
	left=$(find "$IMAGES" \( -name '.new-*' -o -name '.work-*' \) 2>/dev/null)
	[ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

json() { /usr/bin/python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

# --- a real registry on a port of its own ---

registry_start() { # [USER PASSWORD]
	local auth='' tries
	if [ $# -gt 0 ]; then
		htpasswd -Bbn "$1" "$2" >"$WORK/htpasswd"
		auth="auth: { htpasswd: { realm: test, path: $WORK/htpasswd } }"
	fi
	for tries in 1 2 3 4 5; do
		PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
		cat >"$WORK/registry.yml" <<-END
			version: 0.1
			storage: { filesystem: { rootdirectory: $WORK/registry }, delete: { enabled: true } }
			http: { addr: "127.0.0.1:$PORT" }
			$auth
		END
		docker-registry serve "$WORK/registry.yml" >"$WORK/registry.log" 2>&1 3>&- &
		REGISTRY_PID=$!
		wait_for 30 registry_answers_or_ended
		if kill -0 "$REGISTRY_PID" 2>/dev/null; then
			REGISTRY=127.0.0.1:$PORT
			return
		fi
	done
	cat "$WORK/registry.log"
	return 1
}
registry_answers_or_ended() { (: <>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || ! kill -0 "$REGISTRY_PID" 2>/dev/null; }

# proxy_start BYTES cut|hold: a way to the registry at $PROXY which after so many bytes to the client closes the connection, or
# holds it (and makes the file $WORK/held).
proxy_start() {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/tools/proxy" "$PORT" "$1" "$2" "$WORK" >"$WORK/proxy.log" 2>&1 3>&- &
	PROXY_PID=$!
	wait_for 30 test -s "$WORK/proxy-port"
	PROXY=127.0.0.1:$(cat "$WORK/proxy-port")
}
