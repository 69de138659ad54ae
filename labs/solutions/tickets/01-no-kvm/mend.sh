# shellcheck shell=sh
# The module may be loaded; the device has the distribution's group; the operators are in it.
sed -i '/blacklist kvm_intel/d' host/etc/modprobe.d/hardening.conf
rm host/etc/udev/rules.d/50-udev-default.rules
sed -i 's/^kvm:x:104:.*/kvm:x:104:alice,bob/' host/etc/group
