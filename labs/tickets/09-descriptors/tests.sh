# shellcheck shell=sh disable=SC2154,SC2034,SC2086 # variables of grade.sh
# tests.sh - ticket 9: the student's kassa.haven, with everything else as it was delivered.
# shellcheck source=/dev/null
. "$HV_LABS/lib/ticket.sh"

import() {
    [ -f "$DIR/kassa.haven" ] || flunk "there is no kassa.haven in your folder, $DIR"
    for file in kassa.vessel import.sh; do
        cmp -s "$LAB/$file" "$DIR/$file" || flunk "$file was changed: the other side does not know of that"
    done
    for file in kassa.img kassa.vdk; do
        cmp -s "$HV_GUESTS/tickets/09-descriptors/$file" "$DIR/$file" || flunk "$file was changed: it is the machine, and Vessel has to run it, too"
    done
    cp "$DIR/kassa.haven" "$DIR/kassa.img" "$DIR/kassa.vdk" "$W"
    cd "$W" || exit 2
    run import sh "$LAB/import.sh" kassa.haven
    [ "$status" = 0 ] || flunk "Haven refuses it: $(tail -n 1 "$W/import.err")"
}
haven() { sed -n "s/^$1:[[:blank:]]*//p" "$DIR/kassa.haven" | tail -n 1 | sed 's/[[:blank:]]*$//'; }
vessel() { sed -n "s/^$1[[:blank:]]*//p" "$LAB/kassa.vessel"; }

part "A. It runs"

t_import() {
    import
    expect "$W/import.out" "Haven does not import it." "haven: kassa imported"
}
check import 20 "Haven imports it"

t_opens() {
    import
    run kassa "$HV" run --engine soft @kassa.vm $LIMIT
    expect "$W/kassa.out" "The machine does not open: what does it have too little of, or what is not where it looks? The last line of hv or of the machine says it." \
        "kassa: open, 64 records, sum dae686b0"
}
check opens 30 "the cash desk opens, with all its records"

part "B. And it is the same machine"

t_memory() {
    import
    same "memory, in bytes" $(($(vessel memory) * 1048576)) \
        "$(sed -n 's/.*imported: \([0-9]*\) bytes.*/\1/p' "$W/import.out")" \
        "The two describe different machines: what is a MB for the one, and what for the other? More than enough is not the same."
}
check memory 15 "memory"

t_address() {
    import
    same "where the image goes" $((0x$(vessel loadaddr))) "$(vm_at)" \
        "The two describe different machines: Vessel's addresses are hexadecimal."
}
vm_at() { sed -n 's/^load-at //p' "$W/kassa.vm"; }
check address 15 "where the image goes"

t_disk() {
    import
    same "disk, in bytes" $(($(vessel disksectors) * $(vessel sectorsize))) "$(wc -c <"$W/kassa.raw")" \
        "The two describe different disks: sectors and blocks have sizes."
    same "checksum of the disk" "$(vessel payload-sha256)" "$(sha256sum <"$W/kassa.raw" | cut -d' ' -f1)" \
        "The machine would see another disk: a label of Vessel's is at the beginning of the file."
    same "what Haven verifies" "$(vessel payload-sha256)" "$(haven disk.sha256)" \
        "A checksum that is not looked at finds no mistake, the next one neither."
}
check disk 20 "the disk, and that it is verified"
