#!/bin/sh
# lint-selftest.sh - can `make lint` fail? Breaks each rule once, in a copy of the sources, and
# sees that lint.sh names the rule and the file. Ends with "N passed, N failed".
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
hv=$top/build/release/hv objects=$top/build/release/obj
copy=$(mktemp -d) || exit 2
trap 'rm -rf "$copy"' EXIT
passed=0 failed=0

(cd "$top" && git ls-files --cached --others --exclude-standard | while read -r f; do
    if [ -f "$f" ]; then echo "$f"; fi
done | tar -c -T -) | tar -x -C "$copy"
cd "$copy" || exit 2
git init -q .

# expect CHECK FILE: lint must say "CHECK: FILE...". FILE is then put back.
expect() {
    check=$1 file=$2
    if tests/scripts/lint.sh "$hv" "$objects" "$check" 2>&1 | grep -q "^$check: .*$file"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: lint accepts a broken $file ($check)"
    fi
    if [ -f "$top/$file" ]; then cp "$top/$file" "$file"; else rm -f "$file"; fi
}
# A line at the end of a file, then lint.
add() { # CHECK FILE LINE
    printf '%s\n' "$3" >>"$2"
    expect "$1" "$2"
}

add format hv/base/util.c 'static   int   ugly ( void ) ;'
add includes hv/base/util.c '#include "core/vm.h"'
add includes hv/isa/x86/regs.c '#include "tracer/record.h"'
add includes hv/core/bus.c '#include "device/pc.h"'
add includes hv/device/pic8259.c '#include "strategy/hardware.h"'
add includes tracer/record.c '#include "base/error.h"'
add includes hv/core/bus.c '#include <Zydis/Zydis.h>'
add conditionals hv/core/bus.c '#ifdef __linux__'
add spaces hv/base/util.c 'int blank; '
add words hv/base/util.c '/* TO''DO: later */'
add words README.md 'see /ho''me/somebody/notes'
# shellcheck disable=SC2016 # nothing here is to be expanded
add shell tests/cli/run.sh 'echo $unquoted'
add generated docs/gen/exits.md 'a line that no table has'
add generated docs/man/hv.1 'a line that no table has'
# shellcheck disable=SC2016
add reading docs/READING.md 'and `hv/base/nothing.c`'
printf '/* new.c - a file that nobody reads. */\n' >hv/base/new.c && expect reading hv/base/new.c
printf 'int nameless;\n' >hv/base/nameless.c && expect heads hv/base/nameless.c
yes '/* a line */' | head -n 501 >>hv/base/error.h && expect sizes hv/base/error.h
{
    printf 'static void\nendless(void)\n{\n'
    yes '    ;' | head -n 60
    printf '}\n'
} >>hv/base/error.c && expect sizes hv/base/error.c

# A mutable global: in an object file of its own, beside the built ones.
mkdir -p objects/hv/base && printf 'int counter = 1;\n' >hv/base/util.c
cc -c -o objects/hv/base/util.o hv/base/util.c && objects=$copy/objects expect globals hv/base/util.c

echo "lint-selftest: $passed passed, $failed failed"
[ $failed = 0 ]
