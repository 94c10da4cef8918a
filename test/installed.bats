#!/usr/bin/env bats
# What `make install` brings for other programs.
bats_require_minimum_version 1.5.0

setup() {
	command -v meson >/dev/null || skip "needs meson"
	DESTDIR=$BATS_TEST_TMPDIR meson install -C "$PTERM_BUILD" --no-rebuild --quiet >/dev/null
	PKG_CONFIG_PATH=$(dirname "$(find "$BATS_TEST_TMPDIR" -name pterm.pc)")
	LIBRARIES=$(dirname "$PKG_CONFIG_PATH")
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR=$BATS_TEST_TMPDIR LIBRARIES
	EXAMPLES=$BATS_TEST_DIRNAME/../examples
}

flags() { pkg-config "$@" pterm; }

@test "a program is built with the installed header of the ring" {
	# shellcheck disable=SC2046
	cc -std=gnu17 -D_GNU_SOURCE -Wall -Werror $(flags --cflags) -o "$BATS_TEST_TMPDIR/reader" "$EXAMPLES/ring-reader.c"
	run "$BATS_TEST_TMPDIR/reader" 99
	[ "$status" -ne 0 ] && [ "$status" -lt 128 ]
}

@test "a program is built with the installed library, shared and static, in C and in C++" {
	[ -z "${PTERM_SANITIZED-}" ] || skip "the library has sanitizers, and the program would not"
	local source=$EXAMPLES/follow-session.c
	# shellcheck disable=SC2046
	cc -std=gnu17 -Wall -Werror -o "$BATS_TEST_TMPDIR/shared" "$source" $(flags --cflags --libs)
	readelf -d "$BATS_TEST_TMPDIR/shared" | grep -q 'NEEDED.*\[libpterm.so.0\]'
	run -1 env LD_LIBRARY_PATH="$LIBRARIES" PTERM_HOME=/no/where "$BATS_TEST_TMPDIR/shared" s
	[[ $output == *"cannot open '/no/where'"* ]]
	# shellcheck disable=SC2046
	cc -std=gnu17 -Wall -Werror -o "$BATS_TEST_TMPDIR/static" "$source" $(flags --cflags) "$LIBRARIES/libpterm.a" -ljansson
	run -1 env PTERM_HOME=/no/where "$BATS_TEST_TMPDIR/static" s
	[[ $output == *"cannot open '/no/where'"* ]]
	if ! command -v c++ >/dev/null; then return 0; fi
	echo '#include <pterm/session.h>
	int main() { pterm_free(pterm_new()); }' >"$BATS_TEST_TMPDIR/p.cc"
	# shellcheck disable=SC2046
	c++ -Wall -Werror -o "$BATS_TEST_TMPDIR/cxx" "$BATS_TEST_TMPDIR/p.cc" $(flags --cflags --libs)
	env LD_LIBRARY_PATH="$LIBRARIES" "$BATS_TEST_TMPDIR/cxx"
}

@test "the library has no name but pterm's" {
	[ -z "${PTERM_SANITIZED-}" ] || skip "sanitizers bring names of their own"
	# of the shared one all, of the static one what it defines
	[ -z "$(nm -D --defined-only "$LIBRARIES/libpterm.so.0" | awk '$2 != "A" && $3 !~ /^pterm_/')" ]
	[ -z "$(nm --defined-only --extern-only "$LIBRARIES/libpterm.a" | awk 'NF == 3 && $3 !~ /^pterm_/')" ]
	nm -D --defined-only "$LIBRARIES/libpterm.so.0" | grep -q ' T pterm_read@@PTERM_0'
}
