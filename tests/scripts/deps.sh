#!/bin/sh
# deps.sh GROUP... - finds what this machine lacks for a group of targets, and installs it.
#
#   build   the compiler and libraries of hv, and of the guests
#   check   build + demo + what the tests need;   kvm, ski, bench, fuzz: what these targets need besides
#   demo    build + Graphviz, which draws the pictures;   browser: demo + Chromium
#   cluster build + what grades on several machines. Not in `all`: Debian starts an sshd that it installs
#   labs    build + demo + what renders the labs' handouts
#   lint    clang-format, shellcheck
#
# Nothing is missing: prints nothing, asks no network, status 0. Else it installs the packages
# with apt-get (through sudo when not root); where it cannot, it lists them and ends with status 1.
# Called by the Makefile (build/deps/GROUP); by hand: `make deps`, or deps.sh --list GROUP...,
# which only prints the packages that are missing.
set -u

# group | how to see that it is there | Debian and Ubuntu package | what it is for
needs() {
    cat <<'END'
build|command gcc|gcc|the C compiler
build|command ar|binutils|the linker and the archiver
build|header stdio.h|libc6-dev|the C library's headers
build|header linux/kvm.h|linux-libc-dev|the KVM API
build|header Zydis/Zydis.h|libzydis-dev|prints x86 instructions
build|header elfutils/libdw.h|libdw-dev|reads DWARF line tables
build|header libelf.h|libelf-dev|reads ELF symbols
build|header readline/readline.h|libreadline-dev|the debugger's command line
check|command gdb|gdb|the client of our gdb stub
check|header CUnit/Basic.h|libcunit1-dev|the unit tests
check|command jq|jq|reads the JSON that hv writes
check|command xmllint|libxml2-utils|is a page well-formed?
check|command babeltrace2|babeltrace2|reads the CTF that hv writes
check|static busybox|busybox-static|the guest of engine host
demo|command dot|graphviz|draws the pictures
labs|command pandoc|pandoc|renders the labs' handouts
lint|command clang-format-14 clang-format|clang-format-14|the house style
lint|command git|git|which files are ours
lint|command shellcheck|shellcheck|errors in shell scripts
browser|command chromium chromium-browser google-chrome|chromium|the browser that opens the player
browser|command python3|python3|drives the browser
kvm|command qemu-system-x86_64|qemu-system-x86|a machine with SVM in which KVM works
kvm|static busybox|busybox-static|the user space in that machine
kvm|command cpio|cpio|packs that machine's initrd
kvm|command xz|xz-utils|unpacks Debian's kernel modules
kvm|command zstd|zstd|unpacks Ubuntu's kernel modules
ski|static busybox|busybox-static|the guest's programs, without a C library
ski|file /usr/lib/*/libc.a|libc6-dev|the attacks are linked statically
ski|command strace|strace|counts system calls, beside engine host
ski|command pgrep|procps|finds a guest that should be gone
ski|command setpriv|util-linux|runs the tests as another user
ski|command jq|jq|adds up what hv writes
cluster|file /usr/sbin/sshd|openssh-server|a machine that is reached by ssh
cluster|command ssh|openssh-client|reaches it
cluster|file /usr/sbin/slurmctld|slurm-wlm|a cluster's scheduler
cluster|file /usr/sbin/munged|munge|who is who on a cluster
cluster|command parallel|parallel|many jobs on one machine
cluster|command jq|jq|adds up the scores
fuzz|command xz|xz-utils|unpacks a kernel, on whose code the decoder is tried
bench|command bochs|bochs|the interpreter that soft is compared with
bench|file /usr/lib/*/bochs/plugins/libbx_term_gui.so|bochs-term|its display on a terminal
bench|file /usr/share/bochs/BIOS-bochs-latest|bochsbios|its firmware
bench|file /usr/share/vgabios/vgabios.bin|vgabios|its display's firmware
bench|command gdb|gdb|the debugger that hv debug is compared with
bench|command qemu-system-x86_64|qemu-system-x86|the translator that soft is compared with
END
}

# A group's own needs and those of the groups that it stands on.
groups() {
    for group in "$@"; do
        case $group in
        build | lint) echo "$group" ;;
        check) echo "build check demo" ;;
        demo | bench | ski | cluster) echo "build $group" ;;
        labs) echo "build demo labs" ;;
        browser) echo "build demo browser" ;;
        kvm) echo "build check demo kvm" ;;
        fuzz) echo "build check demo fuzz" ;;
        all) echo "build check demo labs browser lint ski kvm fuzz bench" ;;
        *) echo "deps.sh: no group '$group'" >&2 && exit 1 ;;
        esac
    done
}

# header FILE; command NAME... (one of them is enough); static NAME: a program without libraries;
# file PATH, or a pattern
is_there() {
    kind=$1
    shift
    case $kind in
    command)
        for name in "$@"; do command -v "$name" >/dev/null && return 0; done ;;
    header)
        for dir in /usr/include "/usr/include/$(uname -m)-linux-gnu" /usr/local/include; do
            [ -e "$dir/$1" ] && return 0
        done ;;
    file) [ -e "$1" ] && return 0 ;;
    static)
        program=$(command -v "$1") && ! ldd "$program" >/dev/null 2>&1 && return 0 ;;
    esac
    return 1
}

# Lines "package|what for" of what is missing.
missing() {
    needs | while IFS='|' read -r group probe package use; do
        case " $wanted " in *" $group "*) ;; *) continue ;; esac
        # shellcheck disable=SC2086 # the probe is words: a kind and names
        is_there $probe || echo "$package|$use"
    done | sort -u
}

give_up() {
    {
        echo "hv needs packages that are not installed, and $1:"
        missing | while IFS='|' read -r package use; do
            printf '    %-18s %s\n' "$package" "$use"
        done
        echo "On Debian or Ubuntu, as root:"
        echo "    apt-get install --no-install-recommends $packages"
    } >&2
    exit 1
}

only_list=no
[ "${1-}" = --list ] && only_list=yes && shift
wanted=$(groups "$@") || exit 1
wanted=$(echo "$wanted" | tr '\n' ' ')

packages=$(missing | cut -d'|' -f1 | sort -u | tr '\n' ' ')
[ -n "$packages" ] || exit 0
if [ $only_list = yes ]; then
    echo "$packages"
    exit 0
fi

# With make -j two groups may be missing at once: one apt-get at a time, then look again.
if command -v flock >/dev/null; then
    exec 9<"$0" && flock 9
    packages=$(missing | cut -d'|' -f1 | sort -u | tr '\n' ' ')
    [ -n "$packages" ] || exit 0
fi
command -v apt-get >/dev/null || give_up "there is no apt-get here to install them with"
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || give_up "installing them needs root or sudo"
    as_root=sudo
    # Without a terminal sudo cannot ask for a password.
    [ -t 0 ] || as_root="sudo -n"
fi

apt() {
    # shellcheck disable=SC2086 # $as_root is words
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

echo "installing: $packages"
# The lists of packages may be absent (a fresh machine) or too old: then one update, and again.
# shellcheck disable=SC2086 # $packages is words
{
    apt-cache show $packages >/dev/null 2>&1 && apt install --no-install-recommends $packages
} || {
    apt update && apt install --no-install-recommends $packages
} || give_up "apt-get could not install them"
[ -z "$(missing)" ] || give_up "they are missing still after apt-get install"
