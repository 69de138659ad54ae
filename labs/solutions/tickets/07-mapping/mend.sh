# shellcheck shell=sh
# The bad block from the checkpoint; then what was committed since.
./vdisk disk.img copy-map 0
./vdisk disk.img replay
