#!/bin/sh
# inside.sh - runs in check.sh's machine, in a folder with hv, kvm-tests, bench-exits, guests/ and
# tests/.
#
# Runs the tests of the kvm engine, every golden guest on kvm, and measures the cost of an exit.
# The last line counts: "check-kvm: N passed, M failed on a real KVM".
set -u
passed=0 failed=0

fail() {
    echo "FAILED: $*"
    failed=$((failed + 1))
}

# 1. There is a KVM, and it is the kernel's own.
if [ ! -c /dev/kvm ]; then
    fail "there is no /dev/kvm: kvm-amd could not be loaded"
elif [ ! -d /sys/module/kvm_amd ]; then
    fail "/dev/kvm is there, but not by kvm-amd"
fi

# 2. The engine's tests. CUnit's summary: "tests  TOTAL  RAN  PASSED  FAILED  INACTIVE".
timeout 900 ./kvm-tests >/tmp/kvm-tests 2>&1
status=$?
cat /tmp/kvm-tests
# shellcheck disable=SC2046 # the counts are words
set -- $(sed -n 's/^ *tests  *\([0-9]\)/\1/p' /tmp/kvm-tests)
passed=$((passed + ${3:-0}))
failed=$((failed + ${4:-0}))
[ $status = 0 ] || [ "${4:-0}" != 0 ] || fail "kvm-tests ended with status $status"
! grep -q "long mode is left out" /tmp/kvm-tests || fail "the probe guest does not pass here"

# 3. The guests. On soft as well, so that run.sh can compare the two.
if [ -f tests/guest/run.sh ]; then
    SOFT_COMPARED=1 sh tests/guest/run.sh ./hv guests soft kvm 2>&1 | tee /tmp/guests
    # shellcheck disable=SC2046
    set -- $(sed -n 's/^guest: \([0-9]*\) passed, \([0-9]*\) failed\(.*\)/\1 \2 \3/p' /tmp/guests)
    passed=$((passed + ${1:-0}))
    failed=$((failed + ${2:-0}))
    [ $# = 2 ] || fail "guests were skipped, or run.sh did not end: $*"
fi

# 3b. Each sensitive instruction does at CPL 3 what it does on soft, and a program prints the same
# under every strategy.
audit() { HV_GUESTS=guests ./hv audit --engine "$1" --umip off | sed -n '/^SGDT/,/^RDMSR/p;/^RDMSR/q' | cut -c 1-67; }
audit soft >/tmp/audit-soft
audit kvm >/tmp/audit-kvm
if [ -s /tmp/audit-kvm ] && cmp -s /tmp/audit-soft /tmp/audit-kvm; then
    passed=$((passed + 1))
else
    fail "hv audit on kvm says something else than on soft:"
    diff /tmp/audit-soft /tmp/audit-kvm
fi
HV_GUESTS=guests timeout 900 ./hv compare --engine kvm --rounds 1 --append 'init=primes 100' minios >/tmp/compare 2>&1
status=$?
cat /tmp/compare
if [ $status = 0 ] && grep -q '^Every column printed the same' /tmp/compare; then
    passed=$((passed + 1))
else
    fail "hv compare on kvm: status $status"
fi

# 3c. The debugger, under every strategy.
timeout 1200 sh tests/kvm/debug.sh ./hv guests kvm 2>&1 | tee /tmp/debug
# shellcheck disable=SC2046
set -- $(sed -n 's/^debug: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' /tmp/debug)
passed=$((passed + ${1:-0}))
failed=$((failed + ${2:-0}))
[ $# = 2 ] || fail "debug.sh did not end"

# 4. What an exit costs: printed, and no reason to fail, because an emulated processor decides it.
timeout 900 ./bench-exits

echo "check-kvm: $passed passed, $failed failed on a real KVM ($(uname -r))"
