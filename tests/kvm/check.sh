#!/bin/sh
# check.sh GUESTS WORK PROGRAM... - the tests that need KVM, on a real one, wherever we are.
#
# QEMU emulates an AMD processor with SVM and nested paging; the distribution's kernel boots in it,
# loads kvm-amd and runs inside.sh, which runs our tests. PROGRAM: hv, kvm-tests, bench-exits. Called
# by `make check-kvm`. It fails if KVM cannot be loaded there, if a test fails, and if nothing ran.
set -u
guests=$1 work=$2
shift 2
here=$(dirname "$0")
limit=${CHECK_KVM_LIMIT:-840} # seconds for everything inside

sh "$here/kernel.sh" "$work/kernel" || exit 1

# --- the machine's file system --------------------------------------------------------------------
root=$work/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/modules" \
    "$root/hv/tests" "$root/hv/guests" || exit 2
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$work"/kernel/*.ko "$root/modules/"
cp "$@" "$root/hv/"
find "$guests" -maxdepth 1 -type f -exec cp {} "$root/hv/guests/" \;
cp -r "$guests/apps" "$root/hv/guests/"
cp -r "$guests/apps" "$root/hv/guests/"
cp -r "$here" "$here/../guest" "$here/../scripts" "$root/hv/tests/"
# The libraries that the programs were linked with, where they look for them.
for program in "$@"; do
    ldd "$program" | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p'
done | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
cat >"$root/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
for name in rng-core irqbypass ccp kvm kvm-amd; do
    [ ! -f /modules/$name.ko ] || insmod /modules/$name.ko
done
cd /hv && sh tests/kvm/inside.sh
poweroff -f
END
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd" || exit 2

# --- run it ---------------------------------------------------------------------------------------
log=$work/log
timeout "$limit" qemu-system-x86_64 -accel tcg -cpu EPYC,+svm,+npt -m 1024 -nodefaults -display none \
    -no-reboot -serial stdio -kernel "$work/kernel/vmlinuz" -initrd "$work/initrd" \
    -append "console=ttyS0 quiet panic=-1 no_timer_check" </dev/null 2>&1 | sed -u 's|\r$||' | tee "$log"

# --- what came of it ------------------------------------------------------------------------------
result=$(sed -n 's/^check-kvm: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' "$log" | tail -n 1)
ran=${result% *} failed=${result#* }
if [ -z "$result" ]; then
    echo "check-kvm: FAILED: the machine did not come to its end within $limit s; see $log" >&2
    exit 1
fi
[ "$ran" -gt 0 ] && [ "$failed" = 0 ]
