# shellcheck shell=sh
# All of the map from the checkpoint, all that was committed, and a new checkpoint.
./vdisk disk.img replay
./vdisk disk.img copy-map
./vdisk disk.img replay
./vdisk disk.img checkpoint
