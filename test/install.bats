#!/usr/bin/env bats
# The install scripts in tools/: what they decide on each distribution (against made-up roots), that the default image is
# always the same, that host-setup changes only what is missing, and that the fetched crun runs.
# Not here: whether a whole fresh machine works; test/tools/fresh (make check-fresh) does that.

setup_file() {
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    export TOP
}

setup() {
    unset PTERM_LIBEXEC PREFIX SUDO_USER
    TMP=$(mktemp -d)
    R=$TMP/root
    mkdir -p "$R/etc" "$R/usr/bin" "$R/usr/sbin" "$R/proc/sys/kernel" "$R/proc/sys/user"
}

teardown() { rm -rf "$TMP"; }

# --- helpers ---

# os NAME: the os-release of that system, in the words of the real one.
os() {
    case $1 in
    debian12) printf '%s\n' 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"' 'NAME="Debian GNU/Linux"' 'VERSION_ID="12"' \
        'VERSION="12 (bookworm)"' 'VERSION_CODENAME=bookworm' 'ID=debian' ;;
    debian13) printf '%s\n' 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"' 'NAME="Debian GNU/Linux"' 'VERSION_ID="13"' \
        'VERSION="13 (trixie)"' 'VERSION_CODENAME=trixie' 'ID=debian' ;;
    debian-testing) printf '%s\n' 'PRETTY_NAME="Debian GNU/Linux forky/sid"' 'NAME="Debian GNU/Linux"' 'VERSION_CODENAME=forky' 'ID=debian' ;;
    debian11) printf '%s\n' 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"' 'VERSION_ID="11"' 'ID=debian' ;;
    ubuntu2204) printf '%s\n' 'PRETTY_NAME="Ubuntu 22.04.5 LTS"' 'NAME="Ubuntu"' 'VERSION_ID="22.04"' 'VERSION_CODENAME=jammy' \
        'ID=ubuntu' 'ID_LIKE=debian' 'UBUNTU_CODENAME=jammy' ;;
    ubuntu2404) printf '%s\n' 'PRETTY_NAME="Ubuntu 24.04.2 LTS"' 'NAME="Ubuntu"' 'VERSION_ID="24.04"' 'VERSION_CODENAME=noble' \
        'ID=ubuntu' 'ID_LIKE=debian' ;;
    ubuntu2004) printf '%s\n' 'PRETTY_NAME="Ubuntu 20.04.6 LTS"' 'VERSION_ID="20.04"' 'ID=ubuntu' 'ID_LIKE=debian' ;;
    fedora40) printf '%s\n' 'NAME="Fedora Linux"' 'VERSION="40 (Server Edition)"' 'ID=fedora' 'VERSION_ID=40' 'VERSION_CODENAME=""' \
        'PRETTY_NAME="Fedora Linux 40 (Server Edition)"' ;;
    fedora41) printf '%s\n' 'NAME="Fedora Linux"' 'ID=fedora' 'VERSION_ID=41' 'PRETTY_NAME="Fedora Linux 41 (Container Image)"' ;;
    fedora39) printf '%s\n' 'NAME="Fedora Linux"' 'ID=fedora' 'VERSION_ID=39' 'PRETTY_NAME="Fedora Linux 39"' ;;
    mint) printf '%s\n' 'NAME="Linux Mint"' 'VERSION_ID="22"' 'ID=linuxmint' 'ID_LIKE="ubuntu debian"' 'PRETTY_NAME="Linux Mint 22"' ;;
    arch) printf '%s\n' 'NAME="Arch Linux"' 'PRETTY_NAME="Arch Linux"' 'ID=arch' ;;
    alma) printf '%s\n' "NAME='AlmaLinux'" "VERSION_ID='9.4'" "ID='almalinux'" "ID_LIKE='rhel centos fedora'" "PRETTY_NAME='AlmaLinux 9.4'" ;;
    esac >"$R/etc/os-release"
}

kernel() { printf '%s\n' "$1" >"$R/proc/sys/kernel/osrelease"; }

program() {
    printf '#!/bin/sh\n%s\n' "${2-}" >"$R/usr/bin/$1"
    chmod +x "$R/usr/bin/$1"
}

deps() { run "$TOP/tools/install-deps" --root "$R" "$@"; }

# Everything build and run need, on a made-up Debian.
complete_root() {
    local name
    for name in gcc make meson ninja pkg-config newuidmap busybox tar pasta slirp4netns; do program "$name"; done
    program crun 'echo "crun version 1.21"'
    mkdir -p "$R/usr/lib/x86_64-linux-gnu/pkgconfig" "$R/etc/ssl/certs"
    for name in libuv jansson libarchive nettle libsodium libmicrohttpd; do : >"$R/usr/lib/x86_64-linux-gnu/pkgconfig/$name.pc"; done
    : >"$R/usr/lib/x86_64-linux-gnu/libc.a"
    : >"$R/etc/ssl/certs/ca-certificates.crt"
}

has() {
    case $output in *"$1"*) return 0 ;; esac
    printf 'expected to find: %s\n      instead of: %s\n' "$1" "$output"
    return 1
}

lacks() {
    case $output in *"$1"*)
        printf 'expected not to find: %s\n             within: %s\n' "$1" "$output"
        return 1
        ;;
    esac
}

is() {
    [ "$1" = "$2" ] && return 0
    printf 'expected: %s\n     got: %s\n' "$2" "$1"
    return 1
}

# The packages that the shown install command would install.
packages() { printf '%s\n' "$output" | sed -n 's/^would run: .* install //p'; }

BUILD_APT='gcc make meson ninja-build pkg-config libc6-dev libuv1-dev libjansson-dev libarchive-dev nettle-dev libsodium-dev libmicrohttpd-dev'
BUILD_DNF='gcc make meson ninja-build pkgconf-pkg-config glibc-static libuv-devel jansson-devel libarchive-devel nettle-devel libsodium-devel libmicrohttpd-devel'

# --- install-deps: which distribution ---

@test "host.sh tells distributions, versions and WSL apart" {
    local name want release
    while IFS='|' read -r name release want; do
        os "$name"
        kernel "$release"
        # shellcheck disable=SC2016
        run env ROOT="$R" bash -c '. "$0/tools/host.sh"; host_read; host_is_known && k=known || k=unknown
            echo "$HOST_ID-$HOST_VERSION ${HOST_FAMILY:-none} wsl=$HOST_WSL $k"' "$TOP"
        is "$name $output" "$name $want"
    done <<'END'
debian12|6.1.0-31-amd64|debian-12 debian wsl= known
debian13|6.12.30-amd64|debian-13 debian wsl= known
debian-testing|6.12.30-amd64|debian- debian wsl= known
debian11|5.10.0-21-amd64|debian-11 debian wsl= unknown
ubuntu2204|5.15.0-91-generic|ubuntu-22.04 debian wsl= known
ubuntu2404|6.8.0-31-generic|ubuntu-24.04 debian wsl= known
ubuntu2004|5.4.0-21-generic|ubuntu-20.04 debian wsl= unknown
fedora40|6.8.5-301.fc40.x86_64|fedora-40 fedora wsl= known
fedora41|6.11.4-301.fc41.x86_64|fedora-41 fedora wsl= known
fedora39|6.5.6-300.fc39.x86_64|fedora-39 fedora wsl= unknown
mint|6.8.0-31-generic|linuxmint-22 debian wsl= unknown
arch|6.9.1-arch1-1|arch- none wsl= unknown
alma|5.14.0-427.el9.x86_64|almalinux-9.4 fedora wsl= unknown
ubuntu2404|5.15.153.1-microsoft-standard-WSL2|ubuntu-24.04 debian wsl=2 known
debian12|6.6.36.6-microsoft-standard-WSL2+|debian-12 debian wsl=2 known
fedora41|5.15.153.1-microsoft-standard-WSL2|fedora-41 fedora wsl=2 known
ubuntu2204|4.4.0-19041-Microsoft|ubuntu-22.04 debian wsl=1 known
END
}

@test "host.sh knows WSL 2 with a kernel of one's own, and reads /usr/lib/os-release where /etc has none" {
    mkdir -p "$R/run/WSL" "$R/usr/lib"
    kernel 6.9.0-mine
    os fedora41
    mv "$R/etc/os-release" "$R/usr/lib/os-release"
    # shellcheck disable=SC2016
    run env ROOT="$R" bash -c '. "$0/tools/host.sh"; host_read; echo "$HOST_ID $HOST_WSL"' "$TOP"
    is "$output" 'fedora 2'
}

@test "host.sh never executes os-release" {
    printf '%s\n' 'ID=debian' "VERSION_ID=\"\$(touch $TMP/executed)12\"" "touch $TMP/executed" >"$R/etc/os-release"
    deps
    [ ! -e "$TMP/executed" ]
}

@test "host.sh compares versions by number" {
    # shellcheck disable=SC2016
    run bash -c '. "$0/tools/host.sh"
        for pair in 1.14:1.14 1.14.1:1.14 1.21:1.14 2:1.14 1.8.1:1.14 1.9:1.14 0.17:1.14 1.14-rc2:1.14 22.04:22.04 09.8:9.08; do
            version_at_least "${pair%:*}" "${pair#*:}" && echo "$pair yes" || echo "$pair no"; done' "$TOP"
    is "$(echo "$output" | sed 's/.* //' | tr '\n' ' ')" 'yes yes yes yes no no no yes yes yes '
}

# --- install-deps: what it would install ---

@test "install-deps on an empty Debian 12: packages, and crun by install-crun" {
    os debian12
    deps
    is "$status" 0
    is "$(packages)" "$BUILD_APT uidmap busybox-static tar passt slirp4netns ca-certificates"
    has 'would run: tools/install-crun'
    has 'libuv1-dev               event loop (build)'
    has 'DEBIAN_FRONTEND=noninteractive'
}

@test "install-deps on an empty Debian 13: the distribution's crun" {
    os debian13
    deps
    is "$(packages)" "$BUILD_APT uidmap crun busybox-static tar passt slirp4netns ca-certificates"
    lacks install-crun
}

@test "install-deps on an empty Ubuntu 22.04: no passt, Debian's keys and crun by install-crun" {
    os ubuntu2204
    deps
    is "$(packages)" "$BUILD_APT uidmap debian-archive-keyring busybox-static tar slirp4netns ca-certificates"
    has 'would run: tools/install-crun'
}

@test "install-deps on an empty Ubuntu 24.04" {
    os ubuntu2404
    deps
    is "$(packages)" "$BUILD_APT uidmap crun busybox-static tar passt slirp4netns ca-certificates"
    lacks install-crun
}

@test "install-deps on an empty Fedora 40 and 41" {
    local release
    for release in fedora40 fedora41; do
        os $release
        deps
        is "$(packages)" "$BUILD_DNF shadow-utils crun busybox tar passt slirp4netns ca-certificates"
        has 'would run: dnf '
        lacks apt-get
    done
}

@test "install-deps --tests and --bench add their packages, each with its names" {
    os debian12
    deps --tests
    with() { local package; for package; do has " $package"; done; }
    with bats python3-pexpect python3-venv python3-websockets python3-jsonschema procps libclang-rt-dev runc mmdebstrap iproute2 shellcheck
    lacks podman
    os ubuntu2204
    deps --tests
    with bats python3-pexpect procps clang runc mmdebstrap
    lacks libclang-rt-dev
    os fedora40
    deps --tests --bench
    with bats python3-pexpect procps-ng compiler-rt libasan libubsan iproute ShellCheck xorg-x11-server-Xvfb nodejs-npm libvterm-devel podman moby-engine tmux
    with skopeo buildah docker-distribution httpd-tools zstd
    lacks mmdebstrap
    os debian13
    deps --bench
    has ' podman docker.io tmux'
    lacks ' bats '
}

@test "every Debian name in the table is a package of this Debian" {
    local names known
    [ "$(sed -n 's/^ID=//p' /etc/os-release)" = debian ] || skip 'this is not Debian'
    apt-cache show gcc >/dev/null 2>&1 || skip 'apt has no package lists here'
    names=$("$TOP/tools/install-deps" --list | awk -F'|' 'NR > 2 { print $4 }' | grep -o '^ `[^`]*`' | tr -d '` ' | grep -v ^tools/)
    # shellcheck disable=SC2086  # words on purpose
    known=$(apt-cache --no-all-versions show $names 2>/dev/null | sed -n 's/^Package: //p')
    is "$(printf '%s\n' "$known" | sort -u)" "$(printf '%s\n' $names | sort -u)"
}

@test "install-deps under WSL 2 installs the same and says when it stops; WSL 1 is refused" {
    os ubuntu2404
    kernel 5.15.153.1-microsoft-standard-WSL2
    deps
    is "$status" 0
    has 'WSL 2: it stops'
    has ' passt slirp4netns'
    kernel 4.4.0-19041-Microsoft
    deps
    is "$status" 1
    has 'wsl --set-version NAME 2'
    lacks 'would run'
}

@test "install-deps on an unknown system names what it read and what to install by hand" {
    os arch
    deps
    is "$status" 1
    has '/etc/os-release says ID=arch'
    has 'libuv1-dev'
    has 'names as in debian'
    lacks 'would run'
    os alma
    deps
    is "$status" 1
    has 'ID=almalinux VERSION_ID=9.4'
    has 'libuv-devel'
    os debian11
    deps
    is "$status" 1
    has 'ID=debian VERSION_ID=11'
    rm "$R/etc/os-release"
    deps
    is "$status" 1
    has 'there is no /etc/os-release'
}

@test "install-deps takes a crun of 1.14 and not one of 1.8, and pterm's own before the system's" {
    os debian12
    complete_root
    program crun 'echo "crun version 1.8.1"'
    deps
    has 'would run: tools/install-crun'
    lacks apt-get
    mkdir -p "$R/usr/local/libexec/pterm/crun"
    printf '#!/bin/sh\necho "crun version 1.21"\n' >"$R/usr/local/libexec/pterm/crun/crun"
    chmod +x "$R/usr/local/libexec/pterm/crun/crun"
    deps
    has 'is there'
    lacks 'would run'
}

@test "install-deps does not take a busybox that needs shared libraries" {
    os debian12
    complete_root
    cp "$(command -v ls)" "$R/usr/bin/busybox"
    deps
    is "$(packages)" busybox-static
}

@test "install-deps --list is the table in SETUP.md" {
    [ -e "$TOP/SETUP.md" ] || skip 'there is no SETUP.md'
    is "$(sed -n '/^| group /,/^$/p' "$TOP/SETUP.md" | sed '/^$/d')" "$("$TOP/tools/install-deps" --list)"
}

# --- install-deps: what it does ---

# A host of one row: its program is there or not. Package managers, sudo and the package itself are stand-ins that record.
one_row() {
    printf 'build | a test | thing thing-never:x | thing | file:%s\n' "$TMP/thing" >"$TMP/table"
    export PTERM_TEST_TABLE=$TMP/table PTERM_TEST_APT_GET=$TMP/pm PTERM_TEST_DNF=$TMP/pm PTERM_TEST_SUDO=$TMP/sudo
    printf '#!/bin/sh\necho "pm $*" >>"%s/calls"\ncase "$*" in *install*) %s ;; esac\n' "$TMP" "$1" >"$TMP/pm"
    printf '#!/bin/sh\necho "sudo" >>"%s/calls"\nshift\nexec "$@"\n' "$TMP" >"$TMP/sudo"
    chmod +x "$TMP/pm" "$TMP/sudo"
    : >"$TMP/calls"
}

known_here() {
    # shellcheck disable=SC2016
    bash -c '. "$0/tools/host.sh"; host_read; host_is_known' "$TOP" || skip 'this distribution is none that install-deps knows'
}

@test "install-deps with nothing missing: one line, no package manager, no root" {
    one_row 'touch "$0.used"'
    : >"$TMP/thing"
    PTERM_TEST_UID=1000 run "$TOP/tools/install-deps"
    is "$status" 0
    is "${#lines[@]}" 1
    is "$(cat "$TMP/calls")" ''
    PTERM_TEST_UID=1000 run "$TOP/tools/install-deps" --quiet
    is "$status" 0
    is "$output" ''
    is "$(cat "$TMP/calls")" ''
}

@test "install-deps with nothing missing says so on an unknown distribution too" {
    os arch
    complete_root
    deps
    is "$status" 0
    is "$output" 'Everything that pterm needs for build run is there.'
}

@test "install-deps installs what is missing, as root" {
    known_here
    one_row "touch '$TMP/thing'"
    PTERM_TEST_UID=0 run "$TOP/tools/install-deps"
    is "$status" 0
    has 'thing'
    grep -q 'install.* thing$' "$TMP/calls"
    is "$(grep -c sudo "$TMP/calls")" 0
}

@test "install-deps goes through sudo as an ordinary user" {
    known_here
    one_row "touch '$TMP/thing'"
    PTERM_TEST_UID=1000 run "$TOP/tools/install-deps"
    is "$status" 0
    is "$(head -n 1 "$TMP/calls")" sudo
}

@test "install-deps without root and without sudo says what to run as root" {
    known_here
    one_row "touch '$TMP/thing'"
    PTERM_TEST_SUDO=$TMP/none PTERM_TEST_UID=1000 run "$TOP/tools/install-deps"
    is "$status" 1
    has 'needs root'
    has 'run as root: env DEBIAN_FRONTEND'
    is "$(cat "$TMP/calls")" ''
}

@test "install-deps shows the package manager's words when it fails, and one sentence" {
    known_here
    one_row 'echo "E: no space left"; exit 100'
    PTERM_TEST_UID=0 run "$TOP/tools/install-deps"
    is "$status" 1
    has 'E: no space left'
    has 'could not install thing'
}

@test "install-deps does not believe a package manager that installed nothing" {
    known_here
    one_row ':'
    PTERM_TEST_UID=0 run "$TOP/tools/install-deps"
    is "$status" 1
    has 'not found afterwards: thing'
}

@test "install-deps --root and --dry-run run nothing" {
    known_here
    one_row "touch '$TMP/thing'"
    PTERM_TEST_UID=0 run "$TOP/tools/install-deps" --dry-run
    is "$status" 0
    has 'would run:'
    is "$(cat "$TMP/calls")" ''
}

# --- make-default-image ---

image() {
    busybox=$(PATH=$PATH:/usr/sbin:/sbin command -v busybox) || skip 'there is no busybox'
    # shellcheck disable=SC2016
    bash -c '. "$0/tools/host.sh"; is_static "$1"' "$TOP" "$busybox" || skip "$busybox is not static"
    run "$TOP/tools/make-default-image" "$1"
    is "$status" 0
}

@test "default image: the same bytes whatever the umask, the time, the folder and the name" {
    image "$TMP/a.tar"
    mkdir "$TMP/other"
    (umask 077 && cd "$TMP/other" && TZ=Asia/Tokyo LC_ALL=C "$TOP/tools/make-default-image" b.tar)
    is "$(sha256sum <"$TMP/other/b.tar")" "$(sha256sum <"$TMP/a.tar")"
    is "$(ls -A "$TMP/other")" b.tar
}

@test "default image: as root and as an ordinary user the same bytes" {
    [ "$(id -u)" = 0 ] || skip 'needs root to become another user'
    image "$TMP/a.tar"
    mkdir "$TMP/theirs"
    chown 65534 "$TMP/theirs"
    chmod 755 "$TMP"
    # The tree may be where the other user may not look.
    cp -r "$TOP/tools" "$TMP/tools"
    setpriv --reuid 65534 --clear-groups "$TMP/tools/make-default-image" "$TMP/theirs/b.tar"
    is "$(sha256sum <"$TMP/theirs/b.tar")" "$(sha256sum <"$TMP/a.tar")"
}

@test "default image: owners, modes, accounts, tools" {
    image "$TMP/a.tar"
    list=$(TZ=UTC tar --numeric-owner -tvf "$TMP/a.tar")
    # Everything belongs to 0:0 and 1970, but for the user's home.
    is "$(printf '%s\n' "$list" | awk '$2 != "0/0" { print $2, $6 }')" '1000/1000 ./home/user/'
    is "$(printf '%s\n' "$list" | awk '{ print $4, $5 }' | sort -u)" '1970-01-01 00:00'
    mode() { printf '%s\n' "$list" | awk -v path="$1" '$6 == path { print $1 }'; }
    is "$(mode ./tmp/)" drwxrwxrwt
    is "$(mode ./var/tmp/)" drwxrwxrwt
    is "$(mode ./root/)" drwx------
    is "$(mode ./bin/busybox)" -rwxr-xr-x
    is "$(mode ./etc/passwd)" -rw-r--r--
    for dir in proc sys dev run etc usr/bin var/log; do is "$(mode ./$dir/)" drwxr-xr-x; done
    printf '%s\n' "$list" | grep -q ' ./bin/sh -> ../bin/busybox$'
    printf '%s\n' "$list" | grep -q ' ./usr/bin/env -> ../../bin/busybox$'
    # No setuid, no device, nothing else than folders, files and links.
    is "$(printf '%s\n' "$list" | cut -c1 | sort -u | tr -d '\n')" '-dl'
    is "$(printf '%s\n' "$list" | awk '{ print $1 }' | grep -c s)" 0
    is "$(tar -xOf "$TMP/a.tar" ./etc/passwd | cut -d: -f1,3,6,7 | tr '\n' ' ')" \
        'root:0:/root:/bin/sh user:1000:/home/user:/bin/sh nobody:65534:/:/bin/false '
    tar -xOf "$TMP/a.tar" ./etc/os-release | grep -q '^PRETTY_NAME="pterm default image (BusyBox [0-9.]*)"$'
}

@test "default image: every tool that busybox lists has a link that leads to it" {
    image "$TMP/a.tar"
    mkdir "$TMP/tree"
    tar -xf "$TMP/a.tar" -C "$TMP/tree" --no-same-owner
    count=0
    while IFS= read -r tool; do
        is "$(readlink -f "$TMP/tree/$tool")" "$(readlink -f "$TMP/tree/bin/busybox")"
        count=$((count + 1))
    done < <("$busybox" --list-full | grep /)
    [ $count -gt 100 ]
    # As the image itself, in a root of its own, its shell knows who and where it is.
    unshare -Ur true 2>/dev/null || skip 'no user namespaces here'
    run unshare -Ur chroot "$TMP/tree" /bin/sh -lc 'echo "$PATH"; id -un; env true && echo env; echo ~user'
    is "${lines[0]}" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    is "${lines[*]:1}" 'root env /home/user'
}

@test "make-default-image refuses a busybox that is not static, or none, and leaves nothing" {
    mkdir "$TMP/out"
    run "$TOP/tools/make-default-image" --busybox "$(command -v ls)" "$TMP/out/a.tar"
    is "$status" 1
    has 'needs shared libraries'
    run "$TOP/tools/make-default-image" --busybox "$TMP" "$TMP/out/a.tar"
    is "$status" 1
    has 'not a program'
    run "$TOP/tools/make-default-image" "$TMP/none/a.tar"
    is "$status" 1
    run "$TOP/tools/make-default-image"
    is "$status" 1
    is "$(ls -A "$TMP/out")" ''
}

# --- host-setup ---

# A host where nothing is set up and a user named ann asks.
bare_host() {
    command -v usermod >/dev/null || [ -x /usr/sbin/usermod ] || skip 'there is no usermod'
    PATH=$PATH:/usr/sbin:/sbin
    os ubuntu2404
    printf '%s\n' 'root:x:0:0::/root:/bin/sh' 'ann:x:1000:1000::/home/ann:/bin/sh' 'bob:x:1001:1001::/home/bob:/bin/sh' >"$R/etc/passwd"
    printf '%s\n' 'root:*:19000:0:99999:7:::' 'ann:!:19000:0:99999:7:::' 'bob:!:19000:0:99999:7:::' >"$R/etc/shadow"
    printf '%s\n' 'root:x:0:' 'ann:x:1000:' 'bob:x:1001:' >"$R/etc/group"
    echo 1 >"$R/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
    echo 0 >"$R/proc/sys/kernel/unprivileged_userns_clone"
    echo 0 >"$R/proc/sys/user/max_user_namespaces"
    mkdir -p "$R/run/systemd/system" "$R/dev/net"
    : >"$R/dev/net/tun"
    program newuidmap
    program newgidmap
    chmod u+s "$R/usr/bin/newuidmap" "$R/usr/bin/newgidmap"
}

# The kernel's settings as they are after a restart with what was written.
restart() {
    sed -n 's/^\([a-z_.]*\) = \(.*\)/\1 \2/p' "$R"/etc/sysctl.d/*.conf | while read -r name value; do
        echo "$value" >"$R/proc/sys/${name//.//}"
    done
}

host_setup() { PTERM_TEST_UID=0 run "$TOP/tools/host-setup" --root "$R" --user ann "$@"; }

@test "host-setup --check tells everything that is missing, changes nothing, needs no root" {
    bare_host
    find "$R" | sort >"$TMP/before"
    PTERM_TEST_UID=1000 run "$TOP/tools/host-setup" --check --root "$R" --user ann
    is "$status" 1
    has 'missing  /etc/subuid'
    has 'missing  /etc/subgid'
    has 'missing  user.max_user_namespaces = 0'
    has 'missing  kernel.unprivileged_userns_clone = 0'
    has 'missing  AppArmor'
    has 'loginctl enable-linger ann'
    has 'ok       newuidmap'
    is "$(find "$R" | sort)" "$(cat "$TMP/before")"
}

@test "host-setup needs root to change anything" {
    bare_host
    PTERM_TEST_UID=1000 run "$TOP/tools/host-setup" --root "$R" --user ann
    is "$status" 1
    has 'needs root'
}

@test "host-setup brings what is missing, and a second run changes nothing" {
    bare_host
    host_setup
    is "$status" 0
    is "$(cat "$R/etc/subuid") $(cat "$R/etc/subgid")" 'ann:100000:65536 ann:100000:65536'
    is "$(grep -v '^#' "$R/etc/sysctl.d/60-pterm.conf" | tr '\n' ' ')" \
        'user.max_user_namespaces = 15000 kernel.unprivileged_userns_clone = 1 '
    restart
    find "$R" -type f -exec sha256sum {} + | sort >"$TMP/before"
    host_setup
    is "$status" 0
    lacks change
    is "$(find "$R" -type f -exec sha256sum {} + | sort)" "$(cat "$TMP/before")"
    host_setup --check
    is "$status" 0
}

@test "host-setup --auto: silent where nothing is missing, otherwise through sudo with the caller's name" {
    bare_host
    printf '#!/bin/sh\necho "sudo $*"\nshift\nPTERM_TEST_UID=0 exec "$@"\n' >"$TMP/sudo"
    chmod +x "$TMP/sudo"
    PTERM_TEST_UID=1000 PTERM_TEST_SUDO=$TMP/none run "$TOP/tools/host-setup" --auto --root "$R" --user ann
    is "$status" 1
    has 'setting up this host for containers of ann needs root'
    PTERM_TEST_UID=1000 PTERM_TEST_SUDO=$TMP/sudo run "$TOP/tools/host-setup" --auto --root "$R" --user ann --program /opt/a/pterm
    is "$status" 0
    has 'sudo -- env'
    has 'change   AppArmor'
    grep -q '"/opt/a/pterm"' "$R/etc/apparmor.d/pterm"
    restart
    PTERM_TEST_UID=1000 PTERM_TEST_SUDO=$TMP/none run "$TOP/tools/host-setup" --auto --root "$R" --user ann --program /opt/a/pterm
    is "$status" 0
    is "$output" ''
}

@test "host-setup: the AppArmor profile names exactly the programs, and keeps those of another tree" {
    bare_host
    host_setup --program /opt/a/pterm --program /opt/a/pterm-supervisor
    profile=$R/etc/apparmor.d/pterm
    grep -qx 'abi <abi/4.0>,' "$profile"
    is "$(grep -c '^  userns,$' "$profile")" 2
    is "$(sed -n 's/^profile [^ ]* "\(.*\)" flags=(unconfined) {$/\1/p' "$profile" | tr '\n' ' ')" '/opt/a/pterm /opt/a/pterm-supervisor '
    # /opt/a/pterm is still there later, its supervisor is not.
    mkdir -p "$R/opt/a"
    : >"$R/opt/a/pterm"
    host_setup --program /opt/b/pterm
    is "$(sed -n 's/^profile [^ ]* "\(.*\)" .*/\1/p' "$profile" | tr '\n' ' ')" '/opt/b/pterm /opt/a/pterm '
    host_setup --check --program '/opt/b*/pterm'
    is "$status" 1
    has 'without blanks and the signs'
}

@test "host-setup: no AppArmor profile where nothing is restricted" {
    bare_host
    echo 0 >"$R/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
    host_setup
    [ ! -e "$R/etc/apparmor.d/pterm" ]
    rm "$R/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
    host_setup
    [ ! -e "$R/etc/apparmor.d/pterm" ]
}

@test "host-setup leaves settings alone that are good" {
    bare_host
    rm "$R/proc/sys/kernel/unprivileged_userns_clone"
    echo 63000 >"$R/proc/sys/user/max_user_namespaces"
    host_setup
    [ ! -e "$R/etc/sysctl.d/60-pterm.conf" ]
}

@test "host-setup: a range that touches no other, in both files the same" {
    bare_host
    subids() {
        printf '%s\n' "$1" | tr ' ' '\n' >"$R/etc/subuid"
        printf '%s\n' "${2-$1}" | tr ' ' '\n' >"$R/etc/subgid"
        host_setup
        is "$(grep '^ann:' "$R/etc/subuid")" "ann:$3:65536"
        is "$(grep '^ann:' "$R/etc/subgid")" "ann:$3:65536"
    }
    # after the only one; after the highest; in a gap that is big enough; not in one that is too small; out of order
    subids bob:100000:65536 bob:100000:65536 165536
    subids 'bob:100000:65536 eve:165536:65536' 'bob:100000:65536' 231072
    subids 'bob:165536:65536' 'bob:165536:65536' 100000
    subids 'bob:165535:65536' 'bob:165535:65536' 231071
    subids 'eve:231072:65536 bob:100000:65536' '' 165536
    # overlapping lines, a huge one, and lines that make no sense
    subids 'bob:100000:900000 eve:200000:10' '' 1000000
    subids 'bob:nonsense:65536 broken bob:100000' '' 100000
    # below the minimum of login.defs
    echo 'SUB_UID_MIN 500000' >"$R/etc/login.defs"
    echo 'SUB_GID_MIN 500000' >>"$R/etc/login.defs"
    subids 'bob:100000:65536' '' 500000
}

@test "host-setup: no range left is a sentence, and nothing is written" {
    bare_host
    printf 'SUB_UID_MAX 200000\nSUB_GID_MAX 200000\n' >"$R/etc/login.defs"
    echo bob:100000:65536 >"$R/etc/subuid"
    host_setup
    is "$status" 1
    has 'no 65536 subordinate ids in a row are free'
    is "$(cat "$R/etc/subuid")" bob:100000:65536
}

@test "host-setup: lines by number count, a directory service is left alone, root needs none" {
    bare_host
    printf '1000:100000:65536\n' | tee "$R/etc/subuid" >"$R/etc/subgid"
    host_setup
    has 'ok       /etc/subuid and /etc/subgid: ann has 65536'
    : >"$R/etc/subuid"
    echo 'subid: sss' >"$R/etc/nsswitch.conf"
    host_setup
    has 'leaves them to a service'
    is "$(cat "$R/etc/subuid")" ''
    PTERM_TEST_UID=0 run "$TOP/tools/host-setup" --root "$R" --user root
    has 'root needs no line'
    PTERM_TEST_UID=0 run "$TOP/tools/host-setup" --root "$R" --user nosuch
    is "$status" 1
    has "there is no user 'nosuch'"
}

@test "host-setup says what it cannot bring: newuidmap without the bit, a kernel without user namespaces" {
    bare_host
    chmod u-s "$R/usr/bin/newuidmap"
    rm "$R/usr/bin/newgidmap" "$R/proc/sys/user/max_user_namespaces"
    host_setup
    is "$status" 1
    has 'missing  /usr/bin/newuidmap has neither the setuid bit nor a file capability'
    has 'missing  newgidmap: it is not installed'
    has 'this kernel has no user namespaces'
}

@test "host-setup: lingering is told only where it is off; WSL 2 says when it stops" {
    bare_host
    mkdir -p "$R/var/lib/systemd/linger"
    : >"$R/var/lib/systemd/linger/ann"
    host_setup --check
    lacks 'loginctl'
    rm -r "$R/run/systemd"
    rm "$R/var/lib/systemd/linger/ann"
    host_setup --check
    lacks 'loginctl'
    kernel 5.15.153.1-microsoft-standard-WSL2
    host_setup --check
    has 'WSL 2: it stops'
}

# --- install-crun ---

# mirrors_of OS: what debian_mirrors makes of the apt sources of the made-up root.
mirrors_of() {
    os "$1"
    # shellcheck disable=SC2016
    run env ROOT="$R" bash -c '. "$0/tools/host.sh"; host_read; debian_mirrors | tr "\n" " "' "$TOP"
}

@test "install-crun: the host's own Debian mirror before the public one, from .list and .sources" {
    mkdir -p "$R/etc/apt/sources.list.d"
    mirrors_of debian12
    is "$output" 'http://deb.debian.org/debian '
    cat >"$R/etc/apt/sources.list" <<'END'
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb cdrom:[Debian]/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib # a comment
deb http://mirror.example/debian-security bookworm-security main
deb https://third.example/linux bookworm-x stable
END
    mirrors_of debian12
    is "$output" 'http://mirror.example/debian http://deb.debian.org/debian '
    rm "$R/etc/apt/sources.list"
    cat >"$R/etc/apt/sources.list.d/debian.sources" <<'END'
# what the installer wrote
Types: deb deb-src
URIs: http://local.example/mirrors/deb12
  http://second.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 URIs: http://trap.example/debian
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Enabled: no

types: deb-src
uris: http://source.example/debian
suites: bookworm
END
    mirrors_of debian12
    is "$output" 'http://local.example/mirrors/deb12 http://second.example/debian http://deb.debian.org/debian '
}

@test "install-crun: on Ubuntu its own mirror is not taken for one of Debian" {
    mkdir -p "$R/etc/apt/sources.list.d"
    printf 'Types: deb\nURIs: http://archive.example/ubuntu/\nSuites: jammy jammy-updates\nComponents: main universe\n' \
        >"$R/etc/apt/sources.list.d/ubuntu.sources"
    mirrors_of ubuntu2204
    is "$output" 'http://deb.debian.org/debian '
}

@test "install-crun shows no password of a mirror" {
    # shellcheck disable=SC2016
    run bash -c 'say() { printf "%s\n" "$*"; }; eval "$(sed -n "/^shown()/,/^}/p" "$0/tools/from-debian.sh")"
        shown https://ann:secret@m.example/debian; shown http://m.example/a@b' "$TOP"
    is "${lines[0]}" https://m.example/debian
    is "${lines[1]}" http://m.example/a@b
}

@test "install-crun --check, and where it may not write" {
    PTERM_LIBEXEC=$TMP/none run "$TOP/tools/install-crun" --check
    is "$status" 1
    has "There is no crun 1.14 or later at $TMP/none/crun/crun"
    mkdir -p "$TMP/good/crun"
    printf '#!/bin/sh\nprintf "crun version 1.21\\n+SYSTEMD +SECCOMP +YAJL\\n"\n' >"$TMP/good/crun/crun"
    chmod +x "$TMP/good/crun/crun"
    PTERM_LIBEXEC=$TMP/good run "$TOP/tools/install-crun" --check
    is "$status" 0
    # one without system call filters is not good
    printf '#!/bin/sh\nprintf "crun version 1.21\\n+SYSTEMD +YAJL\\n"\n' >"$TMP/good/crun/crun"
    PTERM_LIBEXEC=$TMP/good run "$TOP/tools/install-crun" --check
    is "$status" 1
}

# Fetched once for the tests below; says why not where it cannot be.
fetch_crun() {
    FETCHED=${BATS_RUN_TMPDIR:-$BATS_TMPDIR/$PPID}/libexec
    if [ -x "$FETCHED/crun/crun" ]; then return 0; fi
    command -v apt-get dpkg-deb >/dev/null || skip 'there is no apt here'
    [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || skip "Debian's archive keyring is not here"
    mkdir -p "$FETCHED"
    PTERM_LIBEXEC=$FETCHED run "$TOP/tools/install-crun"
    if [ "$status" -ne 0 ]; then
        case $output in
        *'Could not resolve'* | *'Temporary failure'* | *'Could not connect'* | *'onnection'*) skip "Debian's archive cannot be reached" ;;
        esac
        echo "$output"
        return 1
    fi
}

@test "install-crun: the fetched crun runs, with libraries of its own only" {
    fetch_crun
    run "$FETCHED/crun/crun" --version
    is "$status" 0
    has 'crun version 1.'
    has +SECCOMP
    is "$(ls -A "$FETCHED")" crun
    # Every library comes from the private folder.
    loader=$(compgen -G "$FETCHED/crun/lib/ld*")
    run "$loader" --list "$FETCHED/crun/crun"
    is "$status" 0
    is "$(printf '%s\n' "$output" | grep -v -e linux-vdso -e " => $FETCHED/crun/lib/" -e "^[[:space:]]*$FETCHED/crun/lib/ld")" ''
    has "libseccomp.so.2 => $FETCHED/crun/lib/"
    grep -q '^crun 1' "$FETCHED/crun/packages.txt"
}

@test "install-crun: a second run fetches nothing" {
    fetch_crun
    before=$(stat -c %i.%Y "$FETCHED/crun/crun")
    PTERM_LIBEXEC=$FETCHED run env PATH="$TMP:$PATH" "$TOP/tools/install-crun"
    is "$status" 0
    has 'is there already'
    is "$(stat -c %i.%Y "$FETCHED/crun/crun")" "$before"
}

@test "install-crun: a broken one is replaced, and stays where nothing can be fetched" {
    fetch_crun
    mkdir -p "$TMP/lib/crun"
    echo broken >"$TMP/lib/crun/crun"
    printf '#!/bin/sh\necho "E: Could not connect" >&2\nexit 100\n' >"$TMP/apt-get"
    chmod +x "$TMP/apt-get"
    PTERM_LIBEXEC=$TMP/lib PATH=$TMP:$PATH run "$TOP/tools/install-crun"
    is "$status" 1
    has 'cannot fetch crun of Debian 13 from'
    is "$(cat "$TMP/lib/crun/crun")" broken
    is "$(ls -A "$TMP/lib")" crun
    PTERM_LIBEXEC=$TMP/lib run "$TOP/tools/install-crun"
    is "$status" 0
    "$TMP/lib/crun/crun" --version
    is "$(ls -A "$TMP/lib")" crun
}

@test "install-crun: a key that did not sign Debian 13 fetches nothing" {
    fetch_crun
    keyring=/usr/share/keyrings/debian-archive-removed-keys.gpg
    [ -r $keyring ] || skip 'no keyring of withdrawn keys here'
    PTERM_TEST_KEYRING=$keyring PTERM_LIBEXEC=$TMP/lib run "$TOP/tools/install-crun"
    is "$status" 1
    case $output in *NO_PUBKEY* | *'Missing key'*) ;; *) has NO_PUBKEY ;; esac # apt before 3, apt 3
    is "$(ls -A "$TMP/lib")" ''
}

@test "install-crun: leaves the system's apt as it was" {
    fetch_crun
    [ -d /var/lib/apt/lists ] || skip 'no apt lists here'
    state() { find /etc/apt /var/lib/apt/lists /var/cache/apt/archives /var/lib/dpkg -printf '%p %s %T@\n' 2>/dev/null | sort | sha256sum; }
    before=$(state)
    PTERM_LIBEXEC=$FETCHED run "$TOP/tools/install-crun" --refresh
    is "$status" 0
    is "$(state)" "$before"
}

# --- all scripts ---

@test "the scripts pass shellcheck" {
    command -v shellcheck >/dev/null || skip 'there is no shellcheck'
    cd "$TOP"
    run shellcheck -x tools/host.sh tools/install-deps tools/install-crun tools/install-cosign tools/make-default-image tools/host-setup test/tools/fresh
    is "$output" ''
}

@test "every script has a help text and refuses what it does not know" {
    for script in install-deps install-crun install-cosign make-default-image host-setup; do
        run "$TOP/tools/$script" --help
        is "$status" 0
        has 'For:'
        has 'Not for:'
        run "$TOP/tools/$script" --nonsense
        is "$status" 1
        has "unknown argument '--nonsense'"
    done
}
