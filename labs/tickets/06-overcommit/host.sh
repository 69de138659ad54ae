#!/bin/sh
# host.sh [FOLDER] - a day on the host: starts its machines, adds up what memory they have touched, and does what
# a host does when that is more than it has: it kills the largest.
#
# A machine's `mem` is a promise. The host gives a page when it is touched for the first time, so
# it can promise more than it has (over-commit) - until the promises are called in.
set -eu
dir=${1-.}
cd "$dir"
hv=${HV:-hv}
host() { sed -n "s/^$1[[:blank:]]*//p" host.txt | tail -n 1; }
promised=0 used=0 largest=0 victim=none
for vm in db web mail; do
    mem=$(sed -n 's/^[[:blank:]]*mem[[:blank:]=]*\([0-9]*\)M.*/\1/p' $vm.vm)
    promised=$((promised + mem * 1024))
    "$hv" run --engine soft --limit exits=200000 --limit instructions=20000000 @$vm.vm >$vm.log 2>&1 </dev/null || true
    touched=$(sed -n 's/.*touched \([0-9]*\) KiB.*/\1/p' $vm.log)
    if [ -z "$touched" ]; then
        echo "host: $vm does not serve: $(tail -n 2 $vm.log | head -n 1)"
        continue
    fi
    echo "host: $vm: $(sed -n 's/.*\(served.*\)/\1/p' $vm.log)"
    used=$((used + touched))
    case " $(host spare) " in *" $vm "*) continue ;; esac
    if [ "$touched" -gt "$largest" ]; then largest=$touched victim=$vm; fi
done
free=$(($(host ram) - $(host own)))
echo "host: promised $promised KiB, touched $used KiB, has $free KiB for machines"
if [ $used -le $free ]; then
    echo "host: all machines live"
elif [ $used -le $((free + $(host swap))) ]; then
    echo "host: all machines live, with $((used - free)) KiB on the disk: each request waits for it"
else
    echo "host: out of memory: kills $victim, the largest that it may"
fi
