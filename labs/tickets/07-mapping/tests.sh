# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - ticket 7: what the disk holds, against a model that never had a map. vdisk-make says what that is;
# vdisk is the one that was handed out, not the student's.

vdisk() { # NAME WORD...: on $W/disk.img
    to=$1
    shift
    run "$to" "$HV_GUESTS/tickets/07-mapping/vdisk" "$W/disk.img" "$@"
}
begin() {
    cp "$DIR/disk.img" "$W/disk.img" 2>/dev/null || flunk "there is no disk.img in your folder, $DIR"
    vdisk journal journal
    theirs="The journal has them."
    [ -s "$W/journal.out" ] ||
        theirs="The journal that had them is empty: only a checkpoint of a mended map may empty it."
    run make "$HV_GUESTS/tools/vdisk-make" 7 "$W/broken.img" "$W/wanted"
}

# The first block of $W/have that differs from $W/wanted, and what kind of mistake that is.
compare() { # WHAT
    if cmp -s "$W/wanted" "$W/have"; then
        line "$good" GOOD "$1: all 496 blocks"
        return
    fi
    awk 'NR == FNR { want[$1] = $0; next }
         want[$1] != $0 { n++; if (n == 1) { bad = $0; missing = want[$1] }
             split(want[$1], w)
             if ($3 == "") k = "empty"; else if ($4 != w[4]) k = "foreign"
             else if ($6 + 0 < w[6] + 0) k = "old"; else k = "early"
             kinds[k]++ }
         END { print n; print bad; print missing; print kinds["empty"] + 0, kinds["foreign"] + 0, kinds["old"] + 0, kinds["early"] + 0 }' \
        "$W/wanted" "$W/have" >"$W/differ"
    line "$bad" BAD "$(sed -n 2p "$W/differ")"
    line "$bad" MISSING "$(sed -n 3p "$W/differ")"
    read -r empty foreign old early <<END
$(sed -n 4p "$W/differ")
END
    n=$(sed -n 1p "$W/differ")
    why="$1: $n blocks are not what they have to be."
    [ "$empty" = 0 ] || why="$why $empty are empty: a map without entries can be read, and the data are lost all the same."
    [ "$foreign" = 0 ] || why="$why $foreign hold another's bytes: their place was used anew after the map was made that says so, or by a transaction that never took place."
    [ "$old" = 0 ] || why="$why $old are too old: corrections that were committed are lost. $theirs"
    [ "$early" = 0 ] || why="$why $early are too new: their transaction has no COMMIT, so it has not happened."
    flunk "$why"
}

part "A. Nothing lost, nothing invented"

t_sound() {
    begin
    vdisk check check
    reject "$W/check.out" "The disk is not sound in itself: './vdisk disk.img check' says it all, this is the first of it." BAD
    expect "$W/check.out" "The disk is not sound in itself." "The disk is sound"
}
check sound 20 "the disk is sound in itself"

t_content() {
    begin
    vdisk check check
    reject "$W/check.out" "The map in use has a block that cannot be read: where its invoices lie is not known, so nobody can say yet whether they are right. What was there before, and what has been written since?" "BAD   map block"
    vdisk list list
    cp "$W/list.out" "$W/have"
    compare "the disk"
}
check content 50 "every block has the hash it has to have"

part "B. It goes on living"

t_write() {
    begin
    for v in 3 200 495; do
        vdisk write write $v "written after the mend"
        [ "$status" = 0 ] || flunk "the disk cannot be written to: $(head -n 1 "$W/write.out")"
    done
    vdisk list list
    sed -E 's/^(003|200|495) .*/\1/' "$W/list.out" >"$W/have"
    sed -i -E 's/^(003|200|495) .*/\1/' "$W/wanted"
    compare "after three writes"
}
check write 15 "a new write harms no other block"

t_again() {
    begin
    vdisk copy copy-map
    vdisk replay replay
    vdisk list list
    cp "$W/list.out" "$W/have"
    compare "after the same damage to the whole map, restored from copy B and the journal"
}
check again 15 "the next damage can be mended, too: copy B and the journal fit together"
