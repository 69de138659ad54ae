#!/bin/sh
# cli.sh HV GUESTS - `hv run --strategy ski` from the command line: programs, statuses, refusals.
#
# The programs of tests/guest/apps.list must print under ski what they print on minios, to the byte.
# Ends with "cli of ski: N passed, N failed". Called by `make check-ski`.
set -u
hv=$1 guests=$2
here=$(cd "$(dirname "$0")/../guest" && pwd) || exit 2
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
out=$work/out
export HV_GUESTS="$guests"

while IFS="|" read -r name want words; do
    case $name in '#'*) continue ;; esac
    input=/dev/null
    [ ! -f "$here/$name.in" ] || input=$here/$name.in
    # shellcheck disable=SC2086 # words are cut at blanks, as minios does it
    timeout 60 "$hv" run --strategy ski --cpu 200 -- $words >"$out" 2>&1 <"$input"
    status=$?
    sed -i '/^hv: limits degraded/d' "$out"
    if [ $status = "$want" ] && cmp -s "$out" "$here/$name.txt"; then
        verdict "$name under ski"
    else
        verdict "$name under ski" "status $status, not $want, or another output than on minios"
    fi
done <"$here/apps.list"

# expect STATUS PATTERN WORDS...: of `hv run --strategy ski`
expect() {
    want=$1 pattern=$2
    shift 2
    timeout 60 "$hv" run --strategy ski "$@" >"$out" 2>&1 </dev/null
    status=$?
    if [ $status = "$want" ] && { [ -z "$pattern" ] || grep -qE -- "$pattern" "$out"; }; then
        verdict "$*"
    else
        verdict "$*" "status $status (not $want), or no '$pattern'"
    fi
}
expect 3 '' -- /bin/sh -c 'exit 3'
expect 143 '' -- /bin/sh -c 'kill -TERM $$'
expect 0 '^0$' -- /bin/sh -c 'id -u'
expect 0 '^other$' --hostname other -- /bin/hostname
expect 0 "^$(uname -r)\$" -- /bin/uname -r
expect 1 'cannot be run in the guest' -- nosuch
expect 1 'cannot be opened' --rootfs /nowhere -- /bin/sh
expect 1 "no layer 'secomp'; did you mean 'seccomp'" --without secomp -- true
expect 1 'takes none or veth' --net some -- true
expect 1 "'--disk' is for a guest with a machine" --disk x -- true
expect 1 'which program' --pids 10
expect 0 'pivot_root' --explain
if [ "$(id -u)" = 0 ]; then
    expect 1 'i-know' --without seccomp -- true
    expect 0 'Seccomp:.0' --without seccomp --i-know -- /bin/grep Seccomp: /proc/self/status
    # Empty cgroups: of a dead supervisor, and of one that cannot be seen and is about to fill it.
    point=$(sed -n 's|.* \(/[^ ]*\) [^ ]* - cgroup2* .*|\1|p' /proc/self/mountinfo | head -n 1)
    space=$(stat -L -c %i /proc/self/ns/pid)
    if mkdir "$point/hv-ski-4194304-1-$space-0" "$point/hv-ski-4194304-1-1-0" 2>"$work/out"; then
        "$hv" run --strategy ski -- true >"$out" 2>&1
        check "a dead supervisor's cgroup is swept" [ ! -d "$point/hv-ski-4194304-1-$space-0" ]
        check "another pid namespace's cgroup stays" [ -d "$point/hv-ski-4194304-1-1-0" ]
        rmdir "$point"/hv-ski-4194304-1-*-0 2>/dev/null
    else
        echo "skipped: whose cgroups are swept, none can be made in '$point'"
    fi
    # A kernel may lack veth: then that is what it says.
    if "$hv" run --strategy ski --net veth -- true 2>&1 | grep -q 'not supported'; then
        echo "skipped: --net veth, this kernel does not have it"
        skipped=2
    else
        expect 0 'inet addr:10\.77\.' --net veth -- /bin/ifconfig eth0
        expect 1 '' --net none -- /bin/ifconfig eth0
    fi
else
    expect 0 'limits degraded' -- true
fi
verdicts "cli of ski"
