#!/usr/bin/env bats
# Our screen and its judges: xterm, @xterm/headless, tmux (test/judges). libvterm judges in the unit tests.
bats_require_minimum_version 1.5.0

setup_file() {
	export PTERM_BUILD JUDGES_WHY=
	mkdir -p "$PTERM_BUILD/judges"
	cp "$BATS_TEST_DIRNAME"/judges/package*.json "$PTERM_BUILD/judges/"
	if ! (cd "$PTERM_BUILD/judges" && npm ci --silent --no-audit --no-fund --prefer-offline >npm.log 2>&1); then
		JUDGES_WHY="npm cannot install @xterm/headless: $(tail -1 "$PTERM_BUILD/judges/npm.log")"
	fi
}

compare() { python3 "$BATS_TEST_DIRNAME/judges/compare.py" "$@"; }

# What a judge needs.
needs_xterm() { command -v Xvfb >/dev/null && command -v xterm >/dev/null || skip "needs xterm and Xvfb"; }
needs_tmux() { command -v tmux >/dev/null || skip "needs tmux"; }
needs_xterm_js() { [ -z "$JUDGES_WHY" ] || skip "$JUDGES_WHY"; }

@test "the corpus: pterm does what every row wants, and all of ctlseqs is in it" {
	compare corpus
	compare documented
}

@test "the corpus: xterm" { needs_xterm; compare corpus xterm; }
@test "the corpus: @xterm/headless" { needs_xterm_js; compare corpus xterm.js; }
@test "the corpus: tmux" { needs_tmux; compare corpus tmux; }

@test "streams by chance: xterm" { needs_xterm; JUDGE_STREAMS=${JUDGE_STREAMS:-200} compare generated xterm; }
@test "streams by chance: @xterm/headless" { needs_xterm_js; JUDGE_STREAMS=${JUDGE_STREAMS:-1000} compare generated xterm.js; }
@test "streams by chance: tmux" { needs_tmux; JUDGE_STREAMS=${JUDGE_STREAMS:-1000} compare generated tmux; }

@test "recorded programs: xterm" { needs_xterm; compare recordings xterm; }
@test "recorded programs: @xterm/headless" { needs_xterm_js; compare recordings xterm.js; }
@test "recorded programs: tmux" { needs_tmux; compare recordings tmux; }
