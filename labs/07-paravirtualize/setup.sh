# shellcheck shell=sh
# setup.sh LAB DIR - puts what the lab takes from minios into DIR/kernel: its sources, headers that it
# shares with the VMM, and its programs. From the source tree, or from where hv is installed. Called by
# `hv lab start` and by the tests.
set -eu
lab=$1 to=$2/kernel
rm -rf "$to"
mkdir -p "$to/apps"
# The source tree: two folders above the lab, or, in the box of a class, above the headers of plug-ins.
for tree in "$lab/../.." "${HV_INCLUDE:-none}/.."; do
    [ ! -d "$tree/guests/minios" ] || break
    tree=''
done
if [ -n "$tree" ]; then
    cp "$tree"/guests/minios/*.[chS] "$tree"/guests/minios/minios.ld "$tree"/guests/include/*.h "$to"
    programs=${HV_GUESTS:-$tree/build/guests}/apps
else
    cp "$lab"/../../minios/* "$to"
    programs=${HV_GUESTS:-$lab/../../guests}/apps
fi
for name in hello forkwait cow; do
    objcopy --strip-all "$programs/$name" "$to/apps/$name"
done
cc -O1 -ffreestanding -fno-stack-protector -fcf-protection=none -mgeneral-regs-only -fno-pie -nostdlib -static -no-pie \
    -Wl,--build-id=none,-z,noexecstack,-z,separate-code,-z,max-page-size=4096 -s -o "$to/apps/family" "$lab/family.c"
