# says: after the same damage to the whole map
# shellcheck shell=sh
./vdisk disk.img copy-map 0
./vdisk disk.img replay
./vdisk disk.img forget
