#!/usr/bin/env bats
# As many sessions of one ordinary user as a kernel allows keyrings, and more: container runtimes make one for each container
# unless told not to, and the quota is 200.

LEAVES_NOTHING=yes
PTERM_TEST_USER=pterm-faults
export PTERM_ROOT_IDS=1810000000:65536
load lib

setup() { pterm_setup; }
teardown() { pterm_teardown; }

@test "230 sessions of one user are alive at once" {
	local n
	for n in {1..230}; do
		pterm new -d "many$n" -- sleep infinity || { echo "number $n could not be started"; return 1; }
	done
	[ "$(pterm ls -q --running | wc -l)" -eq 230 ]
	[ "$(pterm ls | grep -c running)" -eq 230 ]
	for n in 1 115 230; do [ "$(pterm exec -T "many$n" hostname)" = "many$n" ]; done
	# each of them answers
	for n in {1..230}; do pterm exec -T "many$n" true || { echo "number $n does not answer"; return 1; }; done
	pterm rm -af
	[ -z "$(pterm ls -q)" ]
	assert_nothing_left
}
