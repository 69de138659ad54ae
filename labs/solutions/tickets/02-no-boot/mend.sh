# shellcheck shell=sh
# The image was linked for 7c00, where every PC loads a boot sector.
sed -i 's/0x8000/0x7c00/' till.vm
