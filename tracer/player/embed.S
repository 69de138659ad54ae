/*
 * embed.S - the page of the player, as page.sh puts it together, inside the program.
 *
 * Read by player.c. The Makefile makes the two files, and says where they are (-I).
 */
        .section .rodata
        .globl  player_head, player_head_end, player_tail, player_tail_end
player_head:
        .incbin "player.head"
player_head_end:
player_tail:
        .incbin "player.tail"
player_tail_end:
        .section .note.GNU-stack, "", @progbits
