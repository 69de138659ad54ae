#!/bin/sh
# reboot.sh [HOST] - starts the pictured host anew: from its settings in /etc it makes /proc/modules and
# /dev/ls-l, as kernel, modprobe and udev do on a real one. What was written there by hand is gone.
#
# modprobe.d(5): "blacklist" keeps a module from being loaded because its hardware is there, "install"
# runs a command instead of loading it, by whatever way. modules-load.d(5) asks for a module by
# name, which a blacklist does not prevent. udev(7): files in the order of their names, /etc's
# instead of one of the same name in /usr/lib; the last assignment counts, an unknown group is ignored.
set -eu
host=${1-host}

settings() { cat "$host"/etc/modprobe.d/*.conf 2>/dev/null | tr '\t-' ' _' || true; }
named() { settings | grep -Eq "^ *$1 +$2( |\$)"; }

case $(grep '^flags' "$host/proc/cpuinfo") in
*' vmx '*) module=kvm_intel ;;
*' svm '*) module=kvm_amd ;;
*) module=none ;;
esac
loaded=no
named blacklist $module || loaded=yes
cat "$host"/etc/modules-load.d/*.conf 2>/dev/null | tr - _ | grep -qx " *$module *" && loaded=yes
named install $module && loaded=no
named install kvm && loaded=no

printf 'ext4 983040 1 - Live 0x0\n' >"$host/proc/modules"
printf 'crw-rw-rw- 1 root root 1, 3 Nov 22 06:00 null\ncrw-r----- 1 root kmem 1, 1 Nov 22 06:00 mem\n' >"$host/dev/ls-l"
if [ $loaded = no ]; then
    echo "atlas is up; module $module is not loaded"
    exit 0
fi
printf '%s 376832 0 - Live 0x0\nkvm 1130496 1 %s, Live 0x0\n' $module $module >>"$host/proc/modules"

# The rules for kvm, in udev's order.
for name in $(find "$host/usr/lib/udev/rules.d" "$host/etc/udev/rules.d" -name '*.rules' | sed 's|.*/||' | sort -u); do
    file=$host/etc/udev/rules.d/$name
    [ -f "$file" ] || file=$host/usr/lib/udev/rules.d/$name
    cat "$file"
done | grep -E '^[[:blank:]]*KERNEL=="([^"]*\|)?kvm(\|[^"]*)?"' >"$host/dev/rules" || true
assigned() { sed -n "s/.*$1=\"\\([^\"]*\\)\".*/\\1/p" "$host/dev/rules"; }
group=root mode=0600
for g in $(assigned GROUP); do
    if grep -q "^$g:" "$host/etc/group"; then group=$g; fi
done
for m in $(assigned MODE); do mode=$m; done
rm -f "$host/dev/rules"

# 0660 -> rw-rw----
bits() {
    for digit in $(printf '%s' "$1" | tail -c 3 | sed 's/./& /g'); do
        case $digit in
        0) printf -- '---' ;; 1) printf -- '--x' ;; 2) printf -- '-w-' ;; 3) printf -- '-wx' ;;
        4) printf -- 'r--' ;; 5) printf -- 'r-x' ;; 6) printf -- 'rw-' ;; 7) printf -- 'rwx' ;;
        esac
    done
}
printf 'c%s 1 root %s 10, 232 Nov 22 06:00 kvm\n' "$(bits "$mode")" "$group" >>"$host/dev/ls-l"
echo "atlas is up; module $module is loaded, /dev/kvm is there"
