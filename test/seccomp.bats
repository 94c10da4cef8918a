#!/usr/bin/env bats
# The seccomp profile: every system call is decided on purpose, and a real crun enforces what the file says.
# Needs jq and a C compiler; the second half also crun, a static C library and user namespaces.

# Not named in the profile: its default answers ENOSYS, "this kernel has no such call".
LEFT='
clone3
io_uring_setup io_uring_enter io_uring_register
modify_ldt vm86 vm86old
lsm_set_self_attr listns
_sysctl afs_syscall bdflush break create_module epoll_ctl_old epoll_wait_old ftime get_kernel_syms getpmsg gtty idle lock
mpx nfsservctl oldfstat oldlstat oldolduname oldstat olduname prof profil putpmsg query_module readdir security sgetmask
ssetmask stty sysfs tuxcall ulimit uselib ustat vm86 vserver
pciconfig_iobase pciconfig_read pciconfig_write syscall usr26'

# Named in the profile and perhaps absent from this machine's headers: newer than they are, or another architecture's.
# Anything else that no table knows is a slip of the pen.
ELSEWHERE='
cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr
lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr file_setattr
rseq_slice_yield uprobe uretprobe
arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush get_tls set_tls usr32 send recv'

words() { tr -s '[:space:]' '\n' <<<"$1" | sed '/^$/d' | sort -u; }

# The names in the kernel's tables, as far as this machine has them.
tables() {
    local h
    for h in unistd unistd_64 unistd_32 unistd_x32; do
        "${CC:-cc}" -E -dM -include "asm/$h.h" -x c /dev/null 2>/dev/null
    done | sed -nE 's/^#define __NR_([a-z0-9_]+) .*/\1/p' | grep -vxE 'syscalls|arch_specific_syscall' | sort -u
}

find_crun() {
    local c
    for c in "${PTERM_CRUN:-}" /usr/local/libexec/pterm/crun/crun "$(command -v crun)"; do
        if [ -n "$c" ] && [ -x "$c" ]; then echo "$c"; return; fi
    done
    return 1
}

# Runs the command in a container: "with" or "without" the profile.
contained() {
    local profile=null args id="t$BASHPID-$RANDOM"
    [ "$1" = without ] || profile=$(cat "$PROFILE")
    shift
    args=$(printf '%s\n' "$@" | jq -R . | jq -s .)
    jq -n --argjson seccomp "$profile" --argjson args "$args" '{
        ociVersion: "1.0.2", root: {path: "rootfs"}, hostname: "probe",
        process: {user: {uid: 0, gid: 0}, cwd: "/", args: $args, env: ["PATH=/bin"], noNewPrivileges: true,
            capabilities: ("CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
                | split(" ") | map("CAP_" + .) | {bounding: ., effective: ., permitted: .})},
        mounts: [{destination: "/proc", type: "proc", source: "proc"},
                 {destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"]}],
        linux: ({namespaces: ("pid ipc uts mount network cgroup" | split(" ") | map({type: .}))}
            + if $seccomp then {seccomp: $seccomp} else {} end)}' >"$WORK/config.json"
    # Where the host's cgroups are hybrid, crun wants to see a pure version 2.
    unshare -UrmC sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh "$CRUN" --root "$WORK/run" \
        --cgroup-manager=disabled run --no-new-keyring --bundle "$WORK" "$id" </dev/null
}

setup_file() {
    export PROFILE="$BATS_TEST_DIRNAME/../share/seccomp.json" WORK CRUN NO_CONTAINER=
    WORK=$(mktemp -d)
    mkdir -p "$WORK/rootfs/proc" "$WORK/rootfs/dev" "$WORK/rootfs/bin" "$WORK/rootfs/tmp"
    CRUN=$(find_crun) || { NO_CONTAINER='no crun'; return; }
    unshare -UrmC true 2>/dev/null || { NO_CONTAINER='no user namespaces'; return; }
    {
        # X("mount", __NR_mount) for the calls that are always refused, and for those that are always absent
        for list in "REFUSED:$(jq -r '.syscalls[] | select(.errnoRet == 1 and (.args | not)).names[]' "$PROFILE")" \
                    "ABSENT:$(words "$LEFT")"; do
            echo "#define ${list%%:*} (struct call[]){ \\"
            tables_native=$("${CC:-cc}" -E -dM -include asm/unistd.h -x c /dev/null | sed -nE 's/^#define __NR_([a-z0-9_]+) .*/\1/p')
            grep -xF "${list#*:}" <<<"$tables_native" | sed 's/.*/{"&", __NR_&}, \\/'
            echo '{0} }'
        done
    } >"$WORK/lists.h"
    probe_source >"$WORK/probe.c"
    "${CC:-cc}" -static -O1 -w -pthread -I "$WORK" -o "$WORK/rootfs/bin/probe" "$WORK/probe.c" ||
        NO_CONTAINER='no static C library'
    if [ -x /bin/busybox ]; then cp /bin/busybox "$WORK/rootfs/bin/busybox"; fi
}

teardown_file() { rm -rf "$WORK"; }

needs_container() { if [ -n "$NO_CONTAINER" ]; then skip "$NO_CONTAINER"; fi; }

# "NAME ERRNO" a line, OK for success; "died" where a signal ended it.
probe_source() {
    cat <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct call { const char *name; long nr; };
#include "lists.h"

static const char *result(long r) { return r >= 0 ? "OK" : strerrorname_np(errno); }

/* Each probe in a child of its own: it may change the process, or end it. */
#define TRY(name, expression) do { \
        fflush(stdout); \
        pid_t pid_ = fork(); \
        if (pid_ == 0) { \
            errno = 0; \
            long r_ = (expression); \
            printf("%s %s\n", name, result(r_)); \
            fflush(stdout); \
            _exit(0); \
        } \
        int status_; \
        waitpid(pid_, &status_, 0); \
        if (WIFSIGNALED(status_)) printf("%s died\n", name); \
    } while (0)

static void *thread(void *arg) { return arg; }

static long start_thread(void)
{
    pthread_t t;
    void *got = NULL;
    errno = pthread_create(&t, NULL, thread, &t);
    return errno == 0 && pthread_join(t, &got) == 0 && got == &t ? 0 : -1;
}

static long raw_clone(unsigned long flags)
{
    long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(0);
    return pid;
}

/* Every request below 0x10000, and 50,000 others, with and without high bits: only the two are refused. */
static long scan_ioctl(void)
{
    unsigned long high[] = { 0, 0x100000000, 0xffffffff00000000, 0x8000000000000000 };
    srandom(1);
    for (int h = 0; h < 4; h++)
        for (long i = 0; i < 0x10000 + 50000; i++) {
            unsigned long low = i < 0x10000 ? i : ((unsigned long)random() << 16 ^ random()) & 0xffffffff;
            if (i >= 0x10000 && i % 4 == 0) low = 0x5412 ^ 1ul << random() % 32;
            int refused = low == 0x5412 || low == 0x541c;
            syscall(SYS_ioctl, -1, high[h] | low, 0);
            if (errno != (refused ? EPERM : EBADF)) {
                printf("# ioctl %#lx: %s\n", high[h] | low, strerrorname_np(errno));
                return -1;
            }
        }
    return 0;
}

/* A type that the kernel refuses before it looks at the family: EINVAL says that the filter let the call through,
 * on kernels that lack the family too. */
#define BAD_TYPE (SOCK_STREAM | 0x10000)

static long scan_families(int pair)
{
    unsigned long high[] = { 0, 0x100000000 };
    for (int h = 0; h < 2; h++)
        for (unsigned long f = 0; f < 300; f++) {
            int wanted = pair ? f == AF_UNIX : f == AF_UNIX || f == AF_INET || f == AF_INET6 || f == AF_NETLINK;
            syscall(pair ? SYS_socketpair : SYS_socket, high[h] | f, BAD_TYPE, 0, 0);
            if (errno != (wanted && h == 0 ? EINVAL : EAFNOSUPPORT)) {
                printf("# family %#lx: %s\n", high[h] | f, strerrorname_np(errno));
                return -1;
            }
        }
    return 0;
}

/* Every bit of the flags that makes a namespace, alone and beside harmless ones. */
static long scan_namespaces(int nr)
{
    unsigned long bits[] = { 0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000 };
    for (int i = nr == SYS_clone; i < 8; i++)
        for (int j = i; j < 8; j++) {
            unsigned long flags = bits[i] | bits[j] | CLONE_FS | (nr == SYS_clone ? SIGCHLD : 0);
            long r = syscall(nr, flags, 0, 0, 0, 0);
            if (r == 0 && nr == SYS_clone) _exit(0);
            if (r >= 0 || errno != EPERM) {
                printf("# flags %#lx: %s\n", flags, result(r));
                return -1;
            }
        }
    return 0;
}

#ifdef __x86_64__
static long i386(long nr, long a, long b, long c, long d)
{
    long r;
    __asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0L)
                     : "memory", "r8", "r9", "r10", "r11");
    if (r < 0 && r > -4096) { errno = -r; return -1; }
    return r;
}

static long i386_socketcall(int what, int family)
{
    unsigned int *args = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    args[0] = family;
    args[1] = SOCK_STREAM;
    args[2] = 0;
    return i386(102, what, (long)args, 0, 0);
}
#endif

static void *mapping(void) { return mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "lists")) {
        for (struct call *c = REFUSED; c->name; c++) TRY(c->name, syscall(c->nr, -1, -1, -1, -1, -1, -1));
        for (struct call *c = ABSENT; c->name; c++) TRY(c->name, syscall(c->nr, -1, -1, -1, -1, -1, -1));
        TRY("call-1000", syscall(1000, -1, -1, -1, -1, -1, -1));
        return 0;
    }
    unsigned long how[3] = { O_RDONLY, 0, 0 };
    char byte = 0, copy = 1;
    struct { void *base; size_t len; } local = { &copy, 1 }, remote = { &byte, 1 };
    unsigned long aio = 0;

    TRY("mount", syscall(SYS_mount, "none", "/proc", "tmpfs", 0, 0));
    TRY("fsopen", syscall(430, "tmpfs", 0));
    TRY("setns", syscall(SYS_setns, open("/proc/self/ns/uts", O_RDONLY), 0));
    TRY("keyctl", syscall(SYS_keyctl, 0, -3, 0));
    TRY("bpf", syscall(SYS_bpf, 0, 0, 0));
    TRY("unshare-user", syscall(SYS_unshare, CLONE_NEWUSER));
    TRY("unshare-files", syscall(SYS_unshare, CLONE_FILES));
    TRY("clone-user", raw_clone(CLONE_NEWUSER));
    TRY("clone", raw_clone(0));
    TRY("clone3", syscall(435, 0, 0));
    TRY("io_uring_setup", syscall(425, 0, 0));
    TRY("tiocsti", syscall(SYS_ioctl, -1, 0x5412ul, "x"));
    TRY("tiocsti-high", syscall(SYS_ioctl, -1, 0x100005412ul, "x"));
    TRY("tioclinux", syscall(SYS_ioctl, -1, 0x541cul, "x"));
    TRY("socket-alg", socket(38, BAD_TYPE, 0));
    TRY("socket-vsock", socket(40, BAD_TYPE, 0));
    TRY("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
    TRY("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
    TRY("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 }));
    TRY("scan-ioctl", scan_ioctl());
    TRY("scan-socket", scan_families(0));
    TRY("scan-socketpair", scan_families(1));
    TRY("scan-clone", scan_namespaces(SYS_clone));
    TRY("scan-unshare", scan_namespaces(SYS_unshare));

    TRY("getpid", getpid());
    TRY("thread", start_thread());
    TRY("openat2", syscall(437, AT_FDCWD, "/proc/self/status", how, sizeof how));
    TRY("futex_waitv", syscall(449, 0, 0, 0, 0, 0));
    TRY("pidfd_open", syscall(434, getpid(), 0));
    TRY("landlock", syscall(444, 0, 0, 1));
    TRY("seccomp", syscall(SYS_seccomp, 2, 0, (unsigned[]){ 0x7fff0000 }));
    TRY("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
    TRY("process_vm_readv", syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0));
    TRY("memfd_create", syscall(SYS_memfd_create, "x", 0));
    TRY("io_setup", syscall(SYS_io_setup, 1, &aio));
    TRY("mbind", syscall(SYS_mbind, mapping(), 4096, 0, 0, 0, 0));
    TRY("mkfifo", mknod("/dev/fifo", S_IFIFO | 0600, 0));
    TRY("chroot", chroot("/dev"));
    TRY("getrandom", syscall(SYS_getrandom, &byte, 1, 0));
    TRY("personality-ask", syscall(SYS_personality, 0xffffffff));
    TRY("personality-no-aslr", syscall(SYS_personality, 0x40000));
    TRY("personality-read-implies-exec", syscall(SYS_personality, 0x400000));
#ifdef __x86_64__
    TRY("i386-getpid", i386(20, 0, 0, 0, 0));
    TRY("i386-clone-user", i386(120, CLONE_NEWUSER | SIGCHLD, 0, 0, 0));
    TRY("i386-tiocsti", i386(54, -1, 0x5412, 0, 0));
    TRY("i386-ioctl", i386(54, -1, 0x5401, 0, 0));
    TRY("i386-socket-unix", i386(359, AF_UNIX, SOCK_STREAM, 0, 0));
    TRY("i386-socket-alg", i386(359, 38, BAD_TYPE, 0, 0));
    TRY("i386-socketcall", i386_socketcall(1, AF_UNIX));
    TRY("i386-socketcall-connect", i386_socketcall(3, AF_UNIX));
    TRY("i386-mount", i386(21, 0, 0, 0, 0));
    TRY("x32-unshare-user", syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER));
    TRY("x32-mount", syscall(0x40000000 | SYS_mount, 0, 0, 0, 0, 0));
#endif
    return 0;
}
C
}

# expect NAME RESULT...: a result that the probe gave
expect() {
    local name=$1 r
    shift
    for r; do if grep -qx "$name $r" "$WORK/out"; then return 0; fi; done
    echo "$name: wanted $*, got: $(grep "^$name " "$WORK/out")"
    return 1
}

@test "seccomp: every system call of the kernel's tables is decided" {
    known=$(tables)
    [ "$(wc -l <<<"$known")" -gt 300 ]
    decided=$(jq -r '.syscalls[].names[]' "$PROFILE" | sort -u)
    left=$(words "$LEFT")
    undecided=$(comm -23 <(echo "$known") <(sort -u <<<"$decided"$'\n'"$left"))
    both=$(comm -12 <(echo "$decided") <(echo "$left"))
    unknown=$(comm -23 <(echo "$decided") <(sort -u <<<"$known"$'\n'"$(words "$ELSEWHERE")"))
    echo "undecided: $undecided; named and left: $both; in no table: $unknown"
    [ -z "$undecided$both$unknown" ]
}

@test "seccomp: no call is named twice, and no condition is lost" {
    [ -z "$(jq -r '.syscalls[] | select(.args | not).names[]' "$PROFILE" | sort | uniq -d)" ]
    # With conditions a name may return, but an unconditional rule beside them would win.
    [ -z "$(comm -12 <(jq -r '.syscalls[] | select(.args).names[]' "$PROFILE" | sort -u) \
                     <(jq -r '.syscalls[] | select(.args | not).names[]' "$PROFILE" | sort -u))" ]
    # The same condition twice would be an oversight.
    [ -z "$(jq -c '.syscalls[] | select(.args) | .names[] as $n | .args[] | [$n, .]' "$PROFILE" | sort | uniq -d)" ]
    # crun reads six conditions of an entry and forgets the rest without a word. An entry of two or more is
    # alternatives only because they all look at the same argument.
    jq -e 'all(.syscalls[] | select(.args); (.args | length) <= 6 and (.args | map(.index) | unique | length) == 1)' "$PROFILE"
    jq -e '.defaultAction == "SCMP_ACT_ERRNO" and .defaultErrnoRet == 38' "$PROFILE"
}

@test "seccomp: refused calls get EPERM and unknown ones ENOSYS" {
    needs_container
    contained with /bin/probe lists >"$WORK/out"
    [ "$(grep -c . "$WORK/out")" -gt 50 ]
    for name in $(jq -r '.syscalls[] | select(.errnoRet == 1 and (.args | not)).names[]' "$PROFILE"); do
        if grep -q "^$name " "$WORK/out"; then expect "$name" EPERM; fi
    done
    for name in $(words "$LEFT"); do
        if grep -q "^$name " "$WORK/out"; then expect "$name" ENOSYS; fi
    done
    expect call-1000 ENOSYS
}

@test "seccomp: conditions on arguments hold, and ordinary calls work" {
    needs_container
    contained with /bin/probe >"$WORK/out"
    cat "$WORK/out"
    for name in mount fsopen setns keyctl bpf unshare-user clone-user tiocsti tiocsti-high tioclinux; do
        expect $name EPERM
    done
    for name in clone3 io_uring_setup personality-read-implies-exec; do expect $name ENOSYS; done
    for name in socket-alg socket-vsock; do expect $name EAFNOSUPPORT; done
    for name in scan-ioctl scan-socket scan-socketpair scan-clone scan-unshare; do expect $name OK; done
    for name in socket-unix socket-inet socket-netlink socketpair getpid clone thread openat2 unshare-files ptrace process_vm_readv memfd_create mkfifo chroot getrandom \
                personality-ask personality-no-aslr seccomp pidfd_open; do
        expect $name OK
    done
    # These depend on the kernel and its configuration: only the filter must not be what stops them.
    expect futex_waitv EINVAL
    expect landlock OK EOPNOTSUPP
    expect io_setup OK EAGAIN
    expect mbind OK
}

@test "seccomp: 32-bit x86 and x32 are no way around it" {
    needs_container
    [ "$(uname -m)" = x86_64 ] || skip 'not x86_64'
    contained with /bin/probe >"$WORK/out"
    # EPERM where the profile names x32; without it the filter ends such a program.
    expect x32-unshare-user EPERM died
    expect x32-mount EPERM died
    if grep -qx 'i386-getpid died' "$WORK/out"; then skip 'this kernel runs no 32-bit programs'; fi
    for name in getpid socket-unix; do expect i386-$name OK; done
    for name in clone-user tiocsti socketcall socketcall-connect mount; do expect i386-$name EPERM; done
    expect i386-ioctl EBADF
    expect i386-socket-alg EAFNOSUPPORT
}

@test "seccomp: without the profile the same probe gets further" {
    needs_container
    contained without /bin/probe >"$WORK/out"
    expect unshare-user OK
    expect clone-user OK
    expect clone3 EINVAL
    for name in socket-alg socket-vsock; do expect $name EINVAL; done
    for name in tiocsti tiocsti-high tioclinux; do expect $name EBADF; done
    expect personality-read-implies-exec OK
}

@test "seccomp: a shell with a pipeline works" {
    needs_container
    [ -x "$WORK/rootfs/bin/busybox" ] || skip 'no busybox'
    run contained with /bin/busybox sh -c 'busybox seq 3 | busybox sort -r | busybox head -n1; busybox grep Seccomp: /proc/self/status'
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = 3 ]
    [ "${lines[1]}" = $'Seccomp:\t2' ]
}
