# says: are empty: a map without entries can be read
# shellcheck shell=sh
./vdisk disk.img repair
