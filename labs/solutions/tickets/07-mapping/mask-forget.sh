# says: are too old: corrections that were committed are lost
# shellcheck shell=sh
./vdisk disk.img copy-map
./vdisk disk.img forget
