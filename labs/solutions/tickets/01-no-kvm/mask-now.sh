# says: After a reboot the module for this processor is not loaded
# shellcheck shell=sh
echo 'kvm_intel 376832 0 - Live 0x0' >>host/proc/modules
echo 'crw-rw---- 1 root kvm 10, 232 Nov 22 10:00 kvm' >>host/dev/ls-l
sed -i 's/^kvm:x:104:.*/kvm:x:104:alice,bob/' host/etc/group
