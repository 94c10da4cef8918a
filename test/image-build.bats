#!/usr/bin/env bats
# Building images with buildah, in a user namespace.
# as: user root

load lib
load images

setup() {
	images_setup
	pterm image import -q "$BASE" base
	mkdir "$WORK/context"
	echo content >"$WORK/context/file"
	cat >"$WORK/context/Containerfile" <<-'END'
		FROM base AS first
		RUN id -u >/who && echo built >/built
		FROM base
		ARG WORD=none
		COPY --from=first /built /who /
		COPY file /
		RUN echo $WORD >/word
		ENV A=b
		CMD ["cat", "/built", "/file", "/word"]
	END
	chmod -R a+rX "$WORK/context"
}
teardown() { images_teardown; }

@test "build: stages, arguments, files; as nobody on the host" {
	run pterm image build -t built:1 --build-arg WORD=hello "$WORK/context"
	echo "$output"
	[ "$status" -eq 0 ]
	run pterm new --rm --image built:1 </dev/null
	[ "$(tr -d '\r' <<<"$output" | paste -sd ' ')" = "built content hello" ]
	[ "$(inside built:1 'cat /who; echo $A' | paste -sd ' ')" = "0 b" ]
	assert_store_clean
}

@test "build: a base without the signature that is asked for by now is refused" {
	echo '{"default": "off", "rules": [{"images": "docker.io/library/base", "signatures": "require", "keys": ["none"]}]}' >"$IMAGES/policy.json"
	chmod 644 "$IMAGES/policy.json"
	run pterm image build -t built:1 "$WORK/context"
	[ "$status" -eq 125 ]
	[[ $output == *"image 'base:latest' is refused"* ]]
	assert_store_clean
}

@test "build: what fails is said, and nothing is left" {
	printf 'FROM base\nRUN false\n' >"$WORK/context/Containerfile"
	run pterm image build -t broken "$WORK/context"
	[ "$status" -eq 125 ]
	[[ $output == *"cannot build 'broken': buildah ended with exit code"* ]]
	assert_store_clean
	run pterm image build -t broken "$WORK"
	[[ $output == *"there is neither a Containerfile nor a Dockerfile"* ]]
	run pterm image build "$WORK/context"
	[[ $output == *"-t NAME"* ]]
}

@test "what a build runs sees neither the host's files nor its processes, and leaves none" {
	cp "$PTERM_BUILD/test/hostile" "$WORK/context/"
	echo unseen >"$WORK/of-the-host"
	chmod -R a+rX "$WORK"
	cat >"$WORK/context/Containerfile" <<-END
		FROM base
		COPY hostile /
		RUN echo outside: \$(/hostile leave-chroot 'cat $WORK/of-the-host; ls $IMAGES/layers $TOP/$WHO/home/sessions; ls -d $WORK/context')
		RUN echo processes: \$(ls /proc | grep -c '^[0-9]') kill: \$(kill -0 $BASHPID 2>&1)
		RUN setsid sleep 31400$BASHPID >/dev/null 2>&1 </dev/null &
		RUN echo terminal: \$(cut -d' ' -f7 /proc/self/stat); echo written >/dev/null && echo >/tmp/file
	END
	# with a terminal, into which nothing must be typed from inside
	run as "$WHO" script -qec "$TOP/bin/src/pterm image build -t hostile $WORK/context" /dev/null </dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	seen=$(tr -d '\r' <<<"$output" | grep '^outside:\|^processes:\|^terminal:')
	outside=" $WORK/context"
	[ "$WHO" = user ] || outside=
	[[ $seen == "outside:$outside"$'\n'* ]]
	[[ $seen == *"processes: "?" kill: sh: "*"No such process"* || $seen == *"processes: "??" kill: sh: "*"No such process"* ]]
	[[ $seen == *"terminal: 0" ]]
	! pgrep -f "sleep 31400$BASHPID"
	assert_store_clean
}

@test "a template's build: made once, anew when the recipe, an argument or a base is another" {
	as "$WHO" mkdir -p "$TOP/$WHO/home/templates"
	put() { as "$WHO" tee "$TOP/$WHO/home/templates/$1" >/dev/null; }
	built() { pterm image ls -q | grep -c '^pterm-build:' || true; }
	says() { # WHAT IT PRINTS, AND WHETHER IT IS BUILT FIRST
		run pterm new --rm -t built "${@:3}" </dev/null
		echo "$output"
		[ "$status" -eq 0 ]
		[ "${lines[-1]//$'\r'/}" = "$1" ]
		[ "$(built)" = "$2" ]
	}
	put Containerfile <<<$'FROM base\nARG WORD=none\nRUN echo $WORD >/word\nCMD ["cat", "/word"]'
	put built.json <<<'{ "build": "Containerfile" }'
	says none 1
	says none 1
	put built.json <<<'{ "build": { "args": { "WORD": "${WORD:-other}" } } }'
	says other 2
	says third 3 --set WORD=third
	says other 3
	put Containerfile <<<$'FROM base\nCMD ["cat", "/etc/top"]'
	tar_of top etc/ etc/top=newer
	layout moved "$BASE" "$WORK/top.tar"
	pterm image import -q --which t:moved "$WORK/layout" base
	says newer 4
	# another image instead, and one that cannot be built
	[ "$(pterm new --rm -t built --image base -- echo plain </dev/null | tr -d '\r')" = plain ]
	put Containerfile <<<$'FROM base\nRUN false'
	run pterm new --rm -t built </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *"buildah ended with exit code"* ]]
	as "$WHO" rm "$TOP/$WHO/home/templates/Containerfile"
	run pterm new --rm -t built </dev/null
	[[ $output == *"there is neither a Containerfile nor a Dockerfile in"* ]]
	[ "$(built)" = 4 ]
	[ -z "$(pterm ls -q)" ]
	assert_store_clean
}

@test "update builds again when a base has moved" {
	printf 'FROM base\nCMD ["cat", "/etc/top"]\n' >"$WORK/context/Containerfile"
	pterm image build -t built:1 "$WORK/context" 2>/dev/null
	run pterm image update -q --check
	[ "$status" -eq 0 ]
	tar_of top etc/ etc/top=newer
	layout moved "$BASE" "$WORK/top.tar"
	pterm image import -q --which t:moved "$WORK/layout" base
	run pterm image update -q --check
	[ "$status" -eq 1 ]
	[[ $output == *"newer there"* ]]
	pterm image update -q 2>/dev/null
	run pterm new --rm --image built:1 </dev/null
	echo "$output"
	[ "${lines[-1]//$'\r'/}" = newer ]
}
