# says: are too old: corrections that were committed are lost. The journal that had them is empty
# shellcheck shell=sh
./vdisk disk.img copy-map
./vdisk disk.img forget
