# shellcheck shell=bash
# What the scripts share that bring a program of Debian 13 to an older release: fetching its packages, signed by the Debian
# archive key, with apt sources, lists and cache of their own, so that the system's stay as they are.
# For: `.` from install-crun and install-cosign, after host.sh. They set PROGRAM, WHAT (the program fetched) and ARCH. Not for:
# running on its own.

SUITE=trixie
# For hosts whose keyring is older than trixie's keys (Ubuntu 22.04): releases signed with older keys, whose own keyring
# package has keys that signed trixie too.
KEYRING_SUITES=(bookworm bullseye)
KEYRING=${PTERM_TEST_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
TMP=''

need_tools() {
    local tool missing=''
    for tool in apt-get dpkg-deb dpkg; do
        type -P "$tool" >/dev/null || missing+=" $tool"
    done
    [ -z "$missing" ] ||
        die "cannot fetch Debian's $WHAT without:$missing. On Debian and Ubuntu run tools/install-deps;" \
            "elsewhere install the distribution's $WHAT${MIN:+, $MIN or later}."
    [ -r "$KEYRING" ] ||
        die "cannot check Debian's signatures: $KEYRING is missing. Install the package debian-archive-keyring."
}

# Beside the target, so that the last step is a rename within one file system.
make_tmp() {
    mkdir -p "$LIBEXEC" 2>/dev/null || true
    TMP=$(mktemp -d "$LIBEXEC/.$WHAT.XXXXXX" 2>/dev/null) ||
        die "cannot write to $LIBEXEC: run this as root, or set PTERM_LIBEXEC to a folder of your own."
    trap 'rm -rf "$TMP"' EXIT
    trap 'exit 1' INT TERM HUP
    chmod 755 "$TMP"
}

# An address as it may be shown: without user name and password.
shown() {
    local rest=${1#*://}
    case ${rest%%/*} in
    *@*) say "${1%%://*}://${rest#*@}" ;;
    *) say "$1" ;;
    esac
}

# apt_here NAME ARGUMENT…: apt-get with sources, state and cache of its own under $TMP/NAME.
apt_here() {
    local dir=$TMP/$1
    shift
    APT_CONFIG=$dir/apt.conf LC_ALL=C apt-get -qq -y --no-install-recommends "$@" </dev/null >"$TMP/log" 2>&1
}

# prepare_apt NAME MIRROR SUITE KEYRING. Of the host's settings only those that say how to reach a server are taken over.
prepare_apt() {
    local dir=$TMP/$1
    rm -rf "$dir"
    mkdir -p "$dir"/etc/{apt.conf.d,preferences.d,trusted.gpg.d,sources.list.d} "$dir"/{lists/partial,cache/archives/partial}
    : >"$dir/status"
    printf 'deb [signed-by=%s] %s %s main\n' "$4" "$2" "$3" >"$dir/etc/sources.list"
    {
        apt_reach_settings
        printf '%s "%s";\n' Dir::Etc "$dir/etc" Dir::Etc::netrc /etc/apt/auth.conf Dir::Etc::netrcparts /etc/apt/auth.conf.d \
            Dir::State "$dir" Dir::State::status "$dir/status" Dir::Cache "$dir/cache" Dir::Log "$dir" \
            APT::Architecture "$ARCH" Acquire::Languages none Debug::NoLocking true
        printf 'APT::Architectures { "%s"; };\n' "$ARCH"
    } >"$dir/apt.conf"
}

# update_from MIRROR: package lists of trixie, checked with the host's keyring or, where that is older than trixie, with
# the keyring out of a release that it can check.
update_from() {
    if update_checked_by "$KEYRING" trixie "$1" "$SUITE"; then return 0; fi
    # gpgv's words (apt before 3), sqv's words
    grep -q -e NO_PUBKEY -e 'Missing key' "$TMP/log" || return 1
    fetch_newer_keyring "$1" && update_checked_by "$TMP/newer-keyring.gpg" trixie "$1" "$SUITE"
}

# update_checked_by KEYRING NAME MIRROR SUITE
update_checked_by() {
    prepare_apt "$2" "$3" "$4" "$1"
    apt_here "$2" update -o APT::Update::Error-Mode=any
}

fetch_newer_keyring() {
    local suite
    for suite in "${KEYRING_SUITES[@]}"; do
        if update_checked_by "$KEYRING" keys "$1" "$suite" && apt_here keys install --download-only debian-archive-keyring; then
            say "The keys in $KEYRING are older than Debian 13; taking the keyring package of $suite, which they signed."
            dpkg-deb -x "$TMP"/keys/cache/archives/debian-archive-keyring_*.deb "$TMP/keys/tree"
            cp "$TMP/keys/tree/usr/share/keyrings/debian-archive-keyring.gpg" "$TMP/newer-keyring.gpg"
            return 0
        fi
    done
    return 1
}

# fetch PACKAGE…: they, and what they depend on, are files in $TMP/trixie/cache/archives then; FROM is the mirror.
fetch() {
    local mirror tried=''
    while IFS= read -r mirror; do
        tried+=" $(shown "$mirror")"
        if update_from "$mirror" && apt_here trixie install --download-only "$@"; then
            FROM=$(shown "$mirror")
            return 0
        fi
        sed 's/^/  /' "$TMP/log" >&2
    done < <(debian_mirrors)
    die "cannot fetch $WHAT of Debian 13 from$tried (apt's words are above). Check the network and apt's proxy settings."
}
