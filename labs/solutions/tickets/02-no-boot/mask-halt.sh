# says: is not as the vendor delivered it
# shellcheck shell=sh
# No jump, no fault: the image halts instead.
printf '\364' | dd of=till.img bs=1 seek=0 conv=notrunc 2>/dev/null
