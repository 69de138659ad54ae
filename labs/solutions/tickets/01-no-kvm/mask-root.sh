# says: Group root opens more than /dev/kvm
# shellcheck shell=sh
sed -i '/blacklist kvm_intel/d' host/etc/modprobe.d/hardening.conf
sed -i 's/^root:x:0:.*/root:x:0:alice,bob/' host/etc/group
