# says: their transaction has no COMMIT, so it has not happened
# shellcheck shell=sh
./vdisk disk.img copy-map 0
./vdisk disk.img replay all
