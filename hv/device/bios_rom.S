/*
 * bios_rom.S - the BIOS as the guest sees it: one page of real-mode code at f000:f000.
 *
 * It is bytes of data to hv: bios.c puts it into the guest's ROM. Nearly all work is done by
 * bios.c, behind one OUT; what runs here is what must be guest code: the stubs, the timer tick and
 * the end-of-interrupt of interrupts that nobody else handles.
 * Next: bios.c.
 */
#include "device/bios_layout.h"

#define PIC_MASTER  0x20
#define PIC_SLAVE   0xa0
#define PIC_EOI     0x20
#define PIC_ISR     0x0b /* OCW3: the next read gives the in-service register */

#define BDA_SEG       0x40
#define TICKS         0x6c
#define MIDNIGHT      0x70
#define TICKS_A_DAY   0x1800b0

        .section .rodata
        .balign 16
        .code16
        .globl  bios_rom_start, bios_rom_end, bios_rom_vectors

bios_rom_start:

/*
 * The one way to a service. On the stack: vector, then what INT pushed: IP, CS, FLAGS. EAX to EBP
 * go whole, because E820 takes and gives 32-bit registers.
 */
service:
        pushw   %ds
        pushw   $BIOS_EBDA_SEG
        popw    %ds
        movl    %eax, BLOCK_EAX
        movl    %ebx, BLOCK_EBX
        movl    %ecx, BLOCK_ECX
        movl    %edx, BLOCK_EDX
        movl    %esi, BLOCK_ESI
        movl    %edi, BLOCK_EDI
        movl    %ebp, BLOCK_EBP
        movw    %es, BLOCK_ES
        popw    BLOCK_DS
        popw    BLOCK_VECTOR
        movw    %sp, %bp
        movw    (%bp), %ax
        movw    %ax, BLOCK_IP
        movw    2(%bp), %ax
        movw    %ax, BLOCK_CS
        movw    4(%bp), %ax
        movw    %ax, BLOCK_FLAGS

        movw    BLOCK_VECTOR, %ax
        shll    $16, %eax
        movw    BLOCK_EAX, %ax
        movw    $BIOS_PORT, %dx
        outl    %eax, %dx                       /* the exit */

        movw    BLOCK_RESULT, %ax
        cmpw    $RESULT_BOOT, %ax
        je      boot
        ja      halt
        movw    BLOCK_FLAGS, %dx
        movw    %dx, 4(%bp)
        cmpw    $RESULT_WAIT, %ax               /* the moves below keep the flags */
        movl    BLOCK_EAX, %eax
        movl    BLOCK_EBX, %ebx
        movl    BLOCK_ECX, %ecx
        movl    BLOCK_EDX, %edx
        movl    BLOCK_ESI, %esi
        movl    BLOCK_EDI, %edi
        movl    BLOCK_EBP, %ebp
        movw    BLOCK_ES, %es
        movw    BLOCK_DS, %ds
        je      wait_for_key
        iretw

/* Only int 16h waits. All registers are the caller's again, so whatever interrupt handler runs in
 * between may itself call services. The timer ends the HLT after 55 ms at the latest. */
wait_for_key:
        sti
        hlt
        cli
        pushw   $0x16
        jmp     service

boot:
        movb    BLOCK_EDX, %dl
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        sti
        ljmpw   $0, $0x7c00

halt:
        cli
        hlt
        jmp     halt

        .macro  stub vector, handler
int_\vector:
        pushw   $0x\vector
        jmp     \handler
        .endm

        stub    00, service                     /* exceptions end the run, with a message */
        stub    06, service
        stub    07, service
        stub    10, service
        stub    11, service
        stub    12, service
        stub    13, service
        stub    14, service
        stub    15, service
        stub    16, service
        stub    18, service
        stub    19, service
        stub    1a, service

        stub    09, irq_master
        stub    0a, irq_master
        stub    0b, irq_master
        stub    0c, irq_master
        stub    0d, irq_master
        stub    0e, irq_master
        stub    0f, irq_master

/* IRQ 0, 18.2 times a second: count, carry at midnight, tell int 1Ch, end of interrupt. */
int_08:
        pushw   %ax
        pushw   %ds
        pushw   $BDA_SEG
        popw    %ds
        incl    TICKS
        cmpl    $TICKS_A_DAY, TICKS
        jb      1f
        movl    $0, TICKS
        incb    MIDNIGHT
1:      int     $0x1c
        movb    $PIC_EOI, %al
        outb    %al, $PIC_MASTER
        popw    %ds
        popw    %ax
        iretw

/* Vectors 9 to f belong to IRQ 1 to 7 and to exceptions as well (the 8086 had none of those). If
 * the PIC has nothing in service it was an exception, or a spurious IRQ 7: bios.c decides. */
irq_master:
        pushw   %ax
        movb    $PIC_ISR, %al
        outb    %al, $PIC_MASTER
        inb     $PIC_MASTER, %al
        testb   %al, %al
        popw    %ax                             /* keeps the flags */
        jz      service
        addw    $2, %sp
        pushw   %ax
        movb    $PIC_EOI, %al
        outb    %al, $PIC_MASTER
        popw    %ax
        iretw

irq_slave:
        pushw   %ax
        movb    $PIC_EOI, %al
        outb    %al, $PIC_SLAVE
        outb    %al, $PIC_MASTER
        popw    %ax
ignore:
        iretw

/* First vector, last vector, handler; a later row wins. Ends with first > last. */
        .macro  row first, last, handler
        .word   0x\first, 0x\last, BIOS_ROM_OFFSET + (\handler - bios_rom_start)
        .endm

        .balign 2
bios_rom_vectors:
        row     00, ff, ignore
        row     70, 77, irq_slave
        row     00, 00, int_00
        row     06, 06, int_06
        row     07, 07, int_07
        row     08, 08, int_08
        row     09, 09, int_09
        row     0a, 0a, int_0a
        row     0b, 0b, int_0b
        row     0c, 0c, int_0c
        row     0d, 0d, int_0d
        row     0e, 0e, int_0e
        row     0f, 0f, int_0f
        row     10, 10, int_10
        row     11, 11, int_11
        row     12, 12, int_12
        row     13, 13, int_13
        row     14, 14, int_14
        row     15, 15, int_15
        row     16, 16, int_16
        row     18, 18, int_18
        row     19, 19, int_19
        row     1a, 1a, int_1a
        .word   1, 0, 0

/* A jump to ffff:0000 starts again: boot from the disk, as int 19h does. */
restart:
        cli
        xorw    %ax, %ax
        movw    %ax, %ss
        movw    $0x7c00, %sp
        pushfw
        pushw   %ax
        pushw   %ax
        jmp     int_19

        .fill   0xff0 - (. - bios_rom_start), 1, 0xff
        ljmpw   $BIOS_ROM_SEG, $(BIOS_ROM_OFFSET + (restart - bios_rom_start))
        .ascii  "01/01/25"                      /* f000:fff5, the BIOS's date */
        .byte   0xff
        .byte   0xfc                            /* f000:fffe, the model: PC/AT */
        .byte   0xff
bios_rom_end:

        .section .note.GNU-stack, "", @progbits
