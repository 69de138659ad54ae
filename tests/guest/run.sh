#!/bin/sh
# run.sh HV GUESTS [ENGINE...] - golden runs: every guest on every engine that works here. What it
# prints must be tests/guest/NAME.txt to the byte, and it must end with the status below; NAME.in,
# if there is one, is typed on its console.
# Then the same guest on two engines: the same exits in the same order, where both can show them.
# Called by `make check-guest`, and in QEMU by `make check-kvm`; ends with "N passed, N failed".
set -u
hv=$1 guests=$2
shift 2
here=$(dirname "$0")
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
shown=''

# name | guest | status: (v << 1) | 1 for what it wrote to the debug-exit port | options | command line
table() {
    cat <<'END'
hello16|hello16|1||
hello32|hello32|1||
hello64|hello64|1||
crash64|crash64|1||
pagestress|pagestress|1||
hello64@trap|hello64|1|--strategy trap|
pagestress@trap|pagestress|1|--strategy trap|
minios-holes|minios|1||holes
minios-holes@paravirt|minios-pv|1|--strategy paravirt|holes
minios-holes-trap|minios|3|--strategy trap|holes
END
    kernel minios '' ''
    kernel minios '--strategy trap' @trap
    kernel minios-pv '--strategy paravirt' @paravirt
}

# kernel GUEST OPTIONS SUFFIX: what minios runs, under one strategy. NAME@STRATEGY prints what NAME.txt
# says: the strategy makes no difference that a guest can see.
kernel() {
    sed "s/|/$3|$1|/; s/OPTIONS/$2/; s|GUESTS|$guests|" <<'END'
minios|1|OPTIONS|tasks=serial
minios-preempt|1|OPTIONS|hz=1000 tasks=preempt
minios-faults|1|OPTIONS|tasks=faults
minios-typed|1|OPTIONS|
minios-panic|255|OPTIONS|panic
minios-killed|215|OPTIONS|init=wild nowhere
minios-none|255|OPTIONS|init=nothere
minios-small|1|OPTIONS -m 4M|init=sh -c forkbomb 1000; forkbomb 1000; primes
minios-initrd|1|OPTIONS -m 4M --initrd GUESTS/apps/hello|init=sh -c brk 2000; initrd
minios-pages|1|OPTIONS|verbose init=forkwait 200
minios-apps|1|OPTIONS|quiet noecho init=sh -c hello; echo one two; args a bc; primes 20000; brk; probe; false; forkwait 20; cow; forkbomb 20; hello | cat | wc
minios-nano|1|OPTIONS|nano=all count=100 init=nano 100
END
    # The programs that print the same on Linux: apps_host.sh.
    grep -v '^#' "$here/apps.list" | while IFS='|' read -r name status words; do
        echo "$name$3|$1|$((status << 1 | 1))|$2|quiet noecho init=$words"
    done
}

# pages OUTPUT: how many pages are free depends on the compiler; that none is lost does not.
pages() {
    sed -n 's/.*before process 1: \([0-9]*\), after: \([0-9]*\)$/\1 \2/p' "$1" |
        { read -r before after && [ "$before" -gt 1000 ] && [ "$before" = "$after" ] && echo "no page is lost"; }
    grep -E '^forkwait: ' "$1"
}

# same NAME OUTPUT: does it print what it should? Taken out first: what depends on time (the order
# of the tasks' lines, counts of ticks) and on the compiler (the registers in a panic).
same() {
    case ${1%@*} in
    *-preempt) sed 's/^\(minios: [a-z]*\)\[[0-9]*\]/\1/' "$2" | LC_ALL=C sort >"$work/same" ;;
    *-panic | *-none) grep '^minios: ' "$2" >"$work/same" ;;
    *-pages) pages "$2" >"$work/same" ;;
    *-holes) sed 's/\(base: 0x\)[0-9a-f]*/\1.../' "$2" >"$work/same" ;;
    *-holes-trap) # the holes that no processor closes; the tables' addresses depend on UMIP
        sed -n '/: mov from cs\|: pushf\|: popf/s/: 0x[0-9a-f]*,/:/p' "$2" >"$work/same" ;;
    *-nano) sed 's/ ticks [0-9][0-9]*$/ ticks T/' "$2" >"$work/same" ;;
    *) cp "$2" "$work/same" ;;
    esac
    cmp -s "$work/same" "$here/${1%@*}.txt"
}

engines=${*:-soft kvm}
for engine in $engines; do
    # An engine that does not work here is skipped, and why is said; `soft` always works.
    why=$("$hv" run --engine "$engine" --console null --limit exits=1 "$guests/hello64" 2>&1 </dev/null)
    status=$?
    if [ "$engine" != soft ] && [ $status = 1 ]; then
        count=$(table | wc -l)
        skipped=$((skipped + count))
        echo "skipped: $count guests on $engine: $why"
        continue
    fi
    while IFS='|' read -r name guest want options line; do
        text=$here/${name%@*}.txt
        [ -f "$text" ] || { verdict "$name" "there is no $text"; continue; }
        case $engine$name in # a hundred thousand exits: minutes on an emulated processor
        kvm*-pages@* | kvm*-small@* | kvm*-nano@*)
            echo "left out on $engine: $name"
            continue
            ;;
        kvmapp-*) continue ;; # minios-apps runs them all, in one boot
        esac
        # Where a processor stood at a triple fault is not defined after it (APM vol. 2, 15.14.3).
        case $engine$name in kvm*crash64) continue ;; esac
        # On soft only what is compared with kvm below, where an interpreter is interpreted.
        case ${SOFT_COMPARED:+$engine}$name in
        softhello16 | softhello32 | softhello64 | softpagestress | softminios | softminios-faults) ;;
        soft*) continue ;;
        esac
        input=/dev/null
        if [ -f "${text%.txt}.in" ]; then
            input=$work/in
            cp "${text%.txt}.in" "$input"
            printf '\004' >>"$input" # Ctrl-D: a terminal's end of file
        fi
        set --
        [ -z "$line" ] || set -- --append "$line"
        # shellcheck disable=SC2086 # options are words
        timeout 900 "$hv" run --engine "$engine" --trace "$work/$engine.$name.hvt" $options "$@" "$guests/$guest" \
            >"$work/out" 2>"$work/err" <"$input"
        status=$?
        if [ $status != "$want" ]; then
            verdict "$name on $engine" "status $status, not $want: $(tail -n 1 "$work/err")"
        elif ! same "$name" "$work/out"; then
            verdict "$name on $engine" "prints something else:"
            diff -a "$text" "$work/same" | head -n 10 | sed 's/^/    /'
        else
            verdict "$name on $engine"
        fi
    done <<END
$(table)
END
done

# exits RECORDING: the exits that every engine can show and that do not depend on time, one a line.
# Time decides how often the interrupt controller (20, 21, a0, a1) and the timer (40-43, 61) are
# asked, and how often the guest halts.
exits() {
    "$hv" trace --no-times "$1" | sed -n 's/^ *[0-9][0-9]* *//p' |
        grep -E ' dispatcher +(io|mmio|hypercall|shutdown) ' |
        grep -vE ' port 0x(20|21|a0|a1|40|41|42|43|61) '
}

# The same guest on two engines: the same exits, in the same order, at the same instructions. Not
# where tasks take turns or input comes, which is a matter of time; nor where flags are printed that
# a fault has pushed: QEMU's processor does not set RF in them (SDM vol. 3, 17.3.1.1), soft and
# hardware do.
for engine in $engines; do
    [ "$engine" != soft ] || continue
    for recording in "$work/$engine".*.hvt; do
        name=${recording#"$work/$engine."}
        [ -f "$work/soft.$name" ] || continue
        case $name in *-preempt.hvt | *-panic.hvt | *@*) continue ;; esac
        [ ! -f "$here/${name%.hvt}.in" ] || continue
        exits "$work/soft.$name" >"$work/one"
        exits "$recording" >"$work/two"
        if [ -s "$work/one" ] && cmp -s "$work/one" "$work/two"; then
            verdict "${name%.hvt}"
        else
            verdict "${name%.hvt}" "has other exits on $engine than on soft:"
            diff -a "$work/one" "$work/two" | head -n 6 | sed 's/^/    /'
        fi
    done
done

# A guest whose kernel runs at CPL 3 reaches no port and no hlt by itself: only exceptions leave it.
for recording in "$work"/*@trap.hvt; do
    [ -f "$recording" ] || continue
    if "$hv" trace --no-times "$recording" | grep -qE ' dispatcher +(io|mmio|hlt|msr|cr) '; then
        verdict "${recording##*/}" "the deprivileged kernel did something privileged"
    else
        verdict "${recording##*/}"
    fi
done

verdicts guest
