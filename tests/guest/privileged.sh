#!/bin/sh
# privileged.sh KERNEL [none] - every privileged or sensitive instruction of minios lies in a function
# of priv.h, in the way back to the user (its macros, in entry.S), or in the first few steps of boot.
# With `none`, for a paravirtual build: there is no such instruction at all.
# Called by `make check-guest`. By Robin and Irvine (2000) and SDM vol. 3, 5.9.
set -u
export LC_ALL=C
kernel=$1 allowed=${2:-}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

privileged='cli|sti|hlt|l[gli]dt|ltr|lmsw|clts|invlpg|invd|wbinvd|rdmsr|wrmsr|rdpmc|iretq?|sysretq?|swapgs'
privileged="$privileged|in|out|inb|outb|ins[bwl]?|outs[bwl]?|lretq?|cpuid|rdtscp?"
holes='pushfq?|popfq?|s[gli]dt|str|smsw|lar|lsl|verr|verw|int'

# address, instruction
objdump -d --no-show-raw-insn "$kernel" | sed -n 's/^ *\([0-9a-f]*\):\t\(.*\)/\1 \2/p' >"$work/all"
[ "$(wc -l <"$work/all")" -gt 1000 ] || { echo "privileged: $kernel has no code to look at"; exit 1; }
grep -E "^[0-9a-f]+ ($privileged|$holes)( |\$)|^[0-9a-f]+ mov.*%([cd]r[0-9]+|[cdefgs]s(,|\$))" \
    "$work/all" >"$work/found"

: >"$work/bad"
while read -r address instruction; do
    # -i: also the functions that it was inlined from
    where=$(addr2line -i -e "$kernel" "0x$address" | tr '\n' ' ')
    case "$allowed $where $instruction" in
    none*) ;;
    *priv.h:* | *boot.S:* | *pvh.S:* | *entry.S:*' iretq'* | *entry.S:*' sysretq'*) continue ;;
    esac
    echo "privileged: $address $instruction: $where" >>"$work/bad"
done <"$work/found"
cat "$work/bad"
count=$(wc -l <"$work/found")
if [ "$allowed" != none ] && [ "$count" -lt 20 ]; then
    echo "privileged: only $count were found, so the search is wrong"
    exit 1
fi
[ ! -s "$work/bad" ] || exit 1
echo "privileged: $count privileged or sensitive instructions in $(basename "$kernel"), all where they belong"
