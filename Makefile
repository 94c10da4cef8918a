# The front door. The build itself is Meson's: see meson.build and HACKING.md.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
MESON_ARGS ?=
WERROR ?= $(if $(CI),true,false)
PTERM = $(BUILD)/src/pterm

.PHONY: all build deps run check lint check-quick check-e2e check-fresh check-vm check-gallery docs soak bench asan fuzz install clean
all: build

deps:
	@tools/install-deps --quiet

# Once it is there ninja renews it itself.
$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix=$(PREFIX) -Dwerror=$(WERROR) $(MESON_ARGS) >$(BUILD)-setup.log 2>&1 || \
		{ cat $(BUILD)-setup.log; rm -rf $(BUILD) $(BUILD)-setup.log; exit 1; }
	@mv -f $(BUILD)-setup.log $(BUILD)/setup.log

build: deps $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

# Installs what is missing, builds, and runs a command in a container; with a terminal it then opens a shell in one.
run: build
	@tools/host-setup --auto || true
	@tools/first-session $(PTERM)

# Everything needed for the tests, then the tests: the quick ones first. E2E=test/x.bats runs only that end-to-end file.
E2E ?=
check: lint check-quick check-e2e

SCRIPTS = tools/host.sh tools/install-deps tools/install-crun tools/install-cosign tools/make-default-image tools/host-setup \
	tools/first-session test/tools/fresh test/run test/lab/network test/lab/tun share/recipes/debian-12 test/vm/run test/vm/limits.sh fuzz/run .ci/run
lint:
	@tools/install-deps --tests --quiet
	@shellcheck -x $(SCRIPTS)
	@codespell -L passt,versio,halp,nam,comand,wrod,descripton src tools test docs fuzz README.md HACKING.md SETUP.md CHANGELOG.md

check-quick:
	@tools/install-deps --tests --quiet
	@$(MAKE) --no-print-directory build BUILD=$(BUILD)-test MESON_ARGS=-Dhooks=true
	@meson test -C $(BUILD)-test --suite unit --print-errorlogs

check-e2e:
	@tools/install-deps --tests --quiet
	@$(MAKE) --no-print-directory build BUILD=$(BUILD)-test MESON_ARGS=-Dhooks=true
	@test/run $(BUILD)-test $(E2E)

# Both commands of the README from a fresh clone in fresh, minimal systems. Takes long.
check-fresh:
	@tools/install-deps --tests --quiet
	@test/tools/fresh all

# What needs a whole machine with systemd and cgroup v2: limits, logout. Takes long.
check-vm: build
	@tools/install-deps --vm --quiet
	@test/vm/run $(BUILD)

# The templates that come with pterm, each started, looked at and quit. Needs a Debian mirror, and minutes.
check-gallery:
	@tools/install-deps --tests --quiet
	@$(MAKE) --no-print-directory build BUILD=$(BUILD)-test MESON_ARGS=-Dhooks=true
	@BATS_TEST_TIMEOUT=900 test/run $(BUILD)-test test/gallery/gallery.bats

# Renews the tables of docs/ that are made from those of the code.
docs: build
	@tools/make-reference $(PTERM)

# What is true of any input and at any moment, tried for long: properties with seeds by chance, and a thousand kills.
ROUNDS ?= 50
KILLS ?= 1000
soak:
	@tools/install-deps --tests --quiet
	@$(MAKE) --no-print-directory build BUILD=$(BUILD)-test MESON_ARGS=-Dhooks=true
	@for n in $$(seq $(ROUNDS)); do for t in render screen replay record ring; do \
		env -u TEST_SEED $(BUILD)-test/src/test-$$t >$(BUILD)-test/soak.log || { head -1 $(BUILD)-test/soak.log; grep -h '^not ok' $(BUILD)-test/soak.log; exit 1; }; \
	done; done
	@KILLS=$(KILLS) test/run $(BUILD)-test test/keeper.bats

bench: build
	@tools/install-deps --bench --quiet
	@bench/run $(BUILD)

# Unit and end-to-end tests with AddressSanitizer and UBSan in every program but pterm-init, which is static. Any report
# fails it. E2E= as above.
asan:
	@tools/install-deps --tests --quiet
	@$(MAKE) --no-print-directory build BUILD=$(BUILD)-asan \
		MESON_ARGS="-Dhooks=true -Db_sanitize=address,undefined -Db_lundef=false"
	@meson test -C $(BUILD)-asan --suite unit --print-errorlogs
	@PTERM_SANITIZED=yes test/run $(BUILD)-asan $(E2E)

# FUZZ_SECONDS for each target.
FUZZ_SECONDS ?= 60
fuzz:
	@tools/install-deps --tests --quiet
	@fuzz/run $(FUZZ_SECONDS)

install: build
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild --quiet

clean:
	rm -rf $(BUILD) $(BUILD)-test $(BUILD)-asan $(BUILD)-fuzz
