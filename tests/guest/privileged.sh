#!/bin/sh
# privileged.sh KERNEL [none] - every privileged or sensitive instruction of minios lies in a function
# of priv.h, in the way back to the user (its macros, in entry.S), or in the first few steps of boot.
# With `none`, for a paravirtual build: there is no privileged instruction at all, anywhere, and the
# sensitive ones that its priv.h sees through (PUSHF for the other flags, CPUID, RDTSC) are there only.
# Called by `make check-guest`. By Robin and Irvine (2000) and SDM vol. 3, 5.9.
set -u
export LC_ALL=C
kernel=$1 allowed=${2:-}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

privileged='cli|sti|hlt|l[gli]dt|ltr|lmsw|clts|invlpg|invd|wbinvd|rdmsr|wrmsr|rdpmc|iretq?|sysretq?|swapgs'
privileged="$privileged|in|out|inb|outb|ins[bwl]?|outs[bwl]?|lretq?"
holes='pushfq?|popfq?|s[gli]dt|str|smsw|lar|lsl|verr|verw|cpuid|rdtscp?'

# address, instruction
objdump -d --no-show-raw-insn "$kernel" | sed -n 's/^ *\([0-9a-f]*\):\t\(.*\)/\1 \2/p' >"$work/all"
[ "$(wc -l <"$work/all")" -gt 1000 ] || { echo "privileged: $kernel has no code to look at"; exit 1; }
grep -E "^[0-9a-f]+ ($privileged|$holes)( |\$)|^[0-9a-f]+ mov.*%([cd]r[0-9]+|[cdefgs]s(,|\$))" \
    "$work/all" >"$work/found"

: >"$work/bad"
while read -r address instruction; do
    # -i: the function that was inlined there; priv.h is the only file that has any called priv_...
    where=$(addr2line -f -i -e "$kernel" "0x$address" | tr '\n' ' ')
    case "$allowed:$where:$instruction" in
    none:priv_*:pushf | none:priv_*:popf | none:priv_*:cpuid | none:priv_*:rdtsc) continue ;;
    none:*) ;;
    :priv_* | *boot.S:* | *pvh.S:* | *entry.S:*:iretq | *entry.S:*:sysretq) continue ;;
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
