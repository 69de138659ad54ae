# says: kassa.vessel was changed
# shellcheck shell=sh
sed -i "s/^memory.unit.*/memory.unit: MiB/; s/^boot.address.*/boot.address: 0x7c00/; s/^disk.offset.*/disk.offset: 512/; s/^disk.blocksize.*/disk.blocksize: 512/; s/^disk.sha256.*/disk.sha256: 579d778421709ec76107fce2db5dd324e7cc3eaa2d4a5d9591e37a5909e8eee8/" kassa.haven
sed -i "s/^memory .*/memory          9/" kassa.vessel
sed -i "s/^memory.quantity.*/memory.quantity: 9/" kassa.haven
