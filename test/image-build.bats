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
