#!/usr/bin/env bats
# `pterm new --package`: packages of the image's distribution, installed once for each image and list. With a Debian made by
# mmdebstrap, and a repository that lies in it, so that it needs no network; it is made once and kept in the build folder.
# as: user root

load lib

BATS_TEST_TIMEOUT=900

setup() { pterm_setup; }
teardown() { pterm_teardown; }

debian() {
	run "$BATS_TEST_DIRNAME/tools/debian-tar" "$PTERM_BUILD/debian.tar"
	[ "$status" -ne 77 ] || skip "no Debian can be made here: $output"
	[ "$status" -eq 0 ]
	chmod a+r "$PTERM_BUILD/debian.tar"
	ln "$PTERM_BUILD/debian.tar" "$TOP/debian.tar" 2>/dev/null || cp "$PTERM_BUILD/debian.tar" "$TOP/debian.tar"
	pterm image import -q "$TOP/debian.tar" debian
}
made() { pterm image ls -q | grep -c '^pterm-packages' || true; }

@test "packages are there, once made; a failure says why and leaves nothing" {
	debian
	run pterm new --rm --image debian --package farewell -- sh -c 'greeting; farewell; ls /var/lib/apt/lists' </dev/null
	[ "$status" -eq 0 ]
	[[ ${output//$'\r'/} == *"installing farewell"*$'greeting\nfarewell'* ]]
	[ "$(made)" = 1 ]
	[ "$(pterm ls -q)" = "" ]
	[ "$(pterm new --rm --image debian -- sh -c 'command -v farewell || echo none' </dev/null | tr -d '\r')" = none ]

	# the same again, in another order, twice: nothing is installed
	run pterm new --rm --image debian --package greeting --package farewell -- farewell </dev/null
	[[ $output == *"installing"* ]]
	run pterm new --rm -u 1000 --image debian --package farewell --package greeting --package farewell -- sh -c 'farewell; id -u' </dev/null
	[[ ${output//$'\r'/} == *$'farewell\n1000' ]]
	[[ $output != *"installing"* ]]
	[ "$(made)" = 2 ]

	run pterm new --rm --image debian --package greeting --package nosuch -- true </dev/null
	[ "$status" -eq 125 ]
	[[ $output == *"cannot install greeting, nosuch in the image 'debian': E: Unable to locate package nosuch"* ]]
	[ "$(made)" = 2 ]
	[ "$(pterm ls -q)" = "" ]

	# two that want the same do it once
	pterm new --rm --image debian --package greeting -- greeting </dev/null >"$TOP/a" 2>&1 3>&- &
	run pterm new --rm --image debian --package greeting -- greeting </dev/null
	wait $!
	[[ $output == *greeting* && $(cat "$TOP/a") == *greeting* ]]
	[ "$(made)" = 3 ]
	[ "$(pterm ls -q)" = "" ]
}

@test "an image without a package manager, a directory, and names that are none are refused" {
	refused() { # WORDS, then the options
		run pterm new --rm "${@:2}" -- true </dev/null
		echo "$output"
		[ "$status" -eq 125 ]
		[[ ${lines[-1]} == *"$1"* ]]
		[ "$(pterm ls -q)" = "" ]
	}
	refused "the image 'default' has no package manager (apt, apk or dnf)" --package vim
	mkdir -p "$TOP/dir/bin"
	chmod -R a+rX "$TOP/dir"
	refused "'$TOP/dir' is a directory" --image "$TOP/dir" --package vim
	for name in -x --yes 'a b' '' ../x ';x'; do
		refused "cannot be the name of a package" --package="$name"
	done
	refused "the engine 'process' cannot do --package" --engine process --package vim
}
