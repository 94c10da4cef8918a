#!/usr/bin/env bats
# What `make install` brings for other programs.

@test "a program is built with the installed header of the ring" {
	command -v meson >/dev/null || skip "needs meson"
	DESTDIR=$BATS_TEST_TMPDIR meson install -C "$PTERM_BUILD" --no-rebuild --quiet >/dev/null
	local pc flags prefix
	pc=$(find "$BATS_TEST_TMPDIR" -name pterm.pc)
	prefix=$(sed -n 's/^prefix=//p' "$pc")
	flags=$(sed -n 's/^Cflags: //p' "$pc")
	[ "$flags" = "-I\${includedir}" ]
	# shellcheck disable=SC2016
	grep -qx 'includedir=${prefix}/include' "$pc"
	cc -std=gnu17 -D_GNU_SOURCE -I"$BATS_TEST_TMPDIR$prefix/include" -o "$BATS_TEST_TMPDIR/reader" "$BATS_TEST_DIRNAME/../examples/ring-reader.c"
	run "$BATS_TEST_TMPDIR/reader" 99
	[ "$status" -ne 0 ] && [ "$status" -lt 128 ]
}
