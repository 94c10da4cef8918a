# shellcheck shell=bash disable=SC2034  # what is set here is used by the scripts that read this file
# What the install scripts share: how they speak, which host this is, how to become root, versions, where programs and
# Debian's mirrors are.
# For: `.` from install-deps, install-crun, install-cosign, make-default-image, host-setup. Not for: running on its own; it changes nothing.
# Callers set PROGRAM (their name in messages) and may set ROOT (look at this tree instead of /, for tests).

ROOT=${ROOT-}
LIBEXEC=${PTERM_LIBEXEC:-/usr/local/libexec/pterm}
CRUN_MIN=1.14

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }
die() {
    warn "$*"
    exit 1
}

# Prints the head comment of a script: its help text has one place.
usage_from_head() {
    awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"
}

# host_read: HOST_ID, HOST_VERSION, HOST_NAME, HOST_LIKE, HOST_CODENAME, HOST_OS_RELEASE (the file read, empty if none),
# HOST_WSL (empty, 1 or 2) and HOST_FAMILY (debian, fedora or empty). os-release is read as data and never executed.
host_read() {
    HOST_ID='' HOST_VERSION='' HOST_NAME='' HOST_LIKE='' HOST_CODENAME='' HOST_OS_RELEASE='' HOST_WSL='' HOST_FAMILY=''
    local file
    for file in "$ROOT/etc/os-release" "$ROOT/usr/lib/os-release"; do
        if [ -r "$file" ]; then
            HOST_OS_RELEASE=$file
            os_release_parse "$file"
            break
        fi
    done
    HOST_NAME=${HOST_NAME:-$HOST_ID $HOST_VERSION}
    case " $HOST_ID $HOST_LIKE " in
    *" debian "* | *" ubuntu "*) HOST_FAMILY=debian ;;
    *" fedora "* | *" rhel "*) HOST_FAMILY=fedora ;;
    esac
    wsl_read
}

os_release_parse() {
    local line key value
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        key=${line%%=*}
        value=${line#*=}
        case $value in
        \"*\" | \'*\') value=${value:1:${#value}-2} ;;
        esac
        case $key in
        ID) HOST_ID=$value ;;
        VERSION_ID) HOST_VERSION=$value ;;
        PRETTY_NAME) HOST_NAME=$value ;;
        ID_LIKE) HOST_LIKE=$value ;;
        VERSION_CODENAME) HOST_CODENAME=$value ;;
        esac
    done <"$1"
}

# WSL 1 translates system calls; WSL 2 is a Linux kernel, Microsoft's unless .wslconfig names another (then /run/WSL tells).
wsl_read() {
    local release=''
    { IFS= read -r release <"$ROOT/proc/sys/kernel/osrelease"; } 2>/dev/null || true
    case $release in
    *-Microsoft) HOST_WSL=1 ;;
    *[Mm]icrosoft* | *WSL2*) HOST_WSL=2 ;;
    *) if [ -d "$ROOT/run/WSL" ]; then HOST_WSL=2; fi ;;
    esac
}

# Whether this is one of the distributions pterm knows, in a version it knows: Debian 12, Ubuntu 22.04, Fedora 40 or later.
# Debian testing and unstable have no VERSION_ID and count as new.
host_is_known() {
    case $HOST_ID in
    debian) [ -z "$HOST_VERSION" ] || version_at_least "$HOST_VERSION" 12 ;;
    ubuntu) version_at_least "$HOST_VERSION" 22.04 ;;
    fedora) version_at_least "$HOST_VERSION" 40 ;;
    *) return 1 ;;
    esac
}

say_wsl() {
    say "This is WSL 2: it stops, and every session with it, some seconds after its last window closes." \
        "Keep one window open while sessions should live."
}

# version_at_least 1.8.1 1.14: numbers between dots, compared one by one; what follows a number (1.14-rc2) is ignored.
version_at_least() {
    local have want i a b
    IFS=. read -r -a have <<<"$1"
    IFS=. read -r -a want <<<"$2"
    for i in 0 1 2; do
        a=${have[i]-0} b=${want[i]-0}
        a=${a%%[!0-9]*} b=${b%%[!0-9]*}
        a=${a:-0} b=${b:-0}
        if [ "$a" -ne "$b" ]; then
            [ "$a" -gt "$b" ]
            return
        fi
    done
}

# find_program NAME: its path on PATH or in the sbin folders that an ordinary user's PATH lacks; under ROOT if that is set.
find_program() {
    local dir
    if [ -z "$ROOT" ]; then
        PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin type -P "$1"
        return
    fi
    for dir in usr/local/sbin usr/local/bin usr/sbin usr/bin sbin bin; do
        if [ -x "$ROOT/$dir/$1" ]; then
            say "$ROOT/$dir/$1"
            return
        fi
    done
    return 1
}

# is_static FILE: it names no program interpreter. The linker puts that name (/lib64/ld-linux-x86-64.so.2) right behind the
# headers; looking there needs neither binutils nor ldd, which is not everywhere.
is_static() {
    ! head -c 4096 "$1" | LC_ALL=C grep -aq '/lib[^ ]*/ld[-.a-z0-9_]*\.so'
}

# crun_version PROGRAM: "1.21", or nothing if it does not run.
crun_version() {
    local first
    first=$("$1" --version 2>/dev/null) || return 1
    first=${first%%$'\n'*}
    case $first in
    "crun version "*) say "${first#crun version }" ;;
    *) return 1 ;;
    esac
}

# find_crun MIN: a crun that runs and is at least that new; pterm's own before the distribution's.
find_crun() {
    local path version
    for path in "$ROOT$LIBEXEC/crun/crun" "$(find_program crun)"; do
        if [ -x "$path" ] && version=$(crun_version "$path") && version_at_least "$version" "$1"; then
            say "$path"
            return
        fi
    done
    return 1
}

is_root() { [ "${PTERM_TEST_UID:-$EUID}" -eq 0 ]; }

# require_root WHAT COMMAND…: ends with a sentence if as_root could not run it; WHAT completes "… needs root".
require_root() {
    local what=$1
    shift
    if is_root || type -P "${PTERM_TEST_SUDO:-sudo}" >/dev/null; then return 0; fi
    die "$what needs root, this is user $(id -un) and there is no sudo: run as root: $*"
}

# as_root COMMAND…: runs it as root, through sudo if need be.
as_root() {
    if is_root; then
        "$@"
    else
        "${PTERM_TEST_SUDO:-sudo}" -- "$@"
    fi
}

# debian_mirrors: the host's own mirrors of Debian, if it has any, then the public one. Needs host_read. Nothing depends on
# trust in a mirror (apt checks the archive key's signature), nor on its having every suite.
debian_mirrors() {
    {
        host_mirrors
        say http://deb.debian.org/debian
    } | awk '!seen[$0]++'
}

host_mirrors() {
    local file etc=$ROOT/etc/apt
    for file in "$etc"/sources.list "$etc"/sources.list.d/*.list; do
        if [ -r "$file" ]; then one_line_entries "$file"; fi
    done | pick_mirrors
    for file in "$etc"/sources.list.d/*.sources; do
        if [ -r "$file" ]; then deb822_entries "$file"; fi
    done | pick_mirrors
}

# "deb [options] URI SUITE COMPONENT…" lines, printed as "URI SUITE".
one_line_entries() {
    awk '{ sub(/#.*/, "") }
         $1 == "deb" { sub(/^[ \t]*deb[ \t]+/, ""); sub(/^\[[^]]*\][ \t]*/, ""); if (NF >= 2) print $1, $2 }' "$1"
}

# Stanzas of deb822 fields, each URI with each suite.
deb822_entries() {
    awk '
        function flush(   i, j, n, m, u, s) {
            if ((" " f["types"] " ") ~ / deb / && tolower(f["enabled"]) !~ /^ *(no|false|0|off) *$/) {
                n = split(f["uris"], u); m = split(f["suites"], s)
                for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) print u[i], s[j]
            }
            split("", f)
        }
        /^#/ { next }
        /^[ \t]*$/ { flush(); next }
        /^[ \t]/ { f[key] = f[key] " " $0; next }
        { key = tolower($0); sub(/:.*/, "", key); value = $0; sub(/^[^:]*:/, "", value); f[key] = value }
        END { flush() }' "$1"
}

# Keeps the entries that are Debian itself: an address that ends in /debian, or the suite of a Debian host.
pick_mirrors() {
    local uri suite
    while read -r uri suite; do
        case $uri in
        cdrom:*) continue ;;
        */debian | */debian/) ;;
        *) if [ "$HOST_ID $suite" != "debian ${HOST_CODENAME:-none}" ]; then continue; fi ;;
        esac
        say "${uri%/}"
    done
}

# apt_reach_settings: of the host's apt settings those that say how to reach a server (proxies, certificates, retries).
apt_reach_settings() {
    apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIPv[46]|Check-Date|Check-Valid-Until)' || true
}
