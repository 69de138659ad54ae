/*
 * kassa.S - ticket 9: a program for real mode at 0000:7c00 that needs 8 MiB and a disk of 64 sectors.
 *
 * It asks the BIOS for both, sums the disk's bytes, prints what it found. What a wrong description of the machine
 * leads to is said in its last line.
 */
#define DEBUG_EXIT 0xf4
#define SECTORS    64
#define NEEDS_KIB  8192
#define BUFFER     0x8000

    .code16
    .text
    .globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7000, %sp
    cld
    mov $hello, %si
    call print

    /* Memory: 1 MiB, and AX KiB between 1 and 16 MiB (int 15h, AX = e801). */
    mov $0xe801, %ax
    int $0x15
    jc bad_memory
    add $1024, %ax
    mov %ax, %bp
    cmp $NEEDS_KIB, %ax
    jb bad_memory

    /* The disk, sector by sector (int 13h, AH = 42). */
1:  mov $packet, %si
    mov $0x42, %ah
    mov $0x80, %dl
    int $0x13
    jc bad_disk
    cmpl $0x20434552, BUFFER /* "REC " */
    jne bad_record
    mov $BUFFER, %si
    mov $512, %cx
2:  xor %eax, %eax
    lodsb
    roll $3, sum
    add %eax, sum
    loop 2b
    incw lba
    cmpw $SECTORS, lba
    jb 1b

    mov $good, %si
    call print
    mov sum, %ebx
    mov $8, %cx
3:  rol $4, %ebx
    mov %bl, %al
    and $15, %al
    add $'0', %al
    cmp $'9', %al
    jbe 4f
    add $'a' - '0' - 10, %al
4:  call put
    loop 3b
    mov $'\n', %al
    call put
    xor %al, %al
    jmp end

bad_memory:
    mov $few, %si
    jmp 5f
bad_disk:
    mov $short, %si
    jmp 5f
bad_record:
    mov $garbled, %si
5:  call print
    mov $1, %al
end:
    out %al, $DEBUG_EXIT
6:  cli
    hlt
    jmp 6b

print:
    lodsb
    test %al, %al
    jz 7f
    call put
    jmp print
7:  ret
/* int 10h, AH = 0e: al; keeps all others. */
put:
    push %ax
    push %bx
    mov $0x0e, %ah
    xor %bx, %bx
    int $0x10
    pop %bx
    pop %ax
    ret

hello:   .asciz "kassa: starting\n"
few:     .asciz "kassa: less than 8 MiB (8388608 bytes) of memory\n"
short:   .asciz "kassa: the disk has fewer than 64 sectors\n"
garbled: .asciz "kassa: the disk's first sectors are no records\n"
good:    .asciz "kassa: open, 64 records, sum "
    .balign 4
sum:     .long 0
packet:  .byte 16, 0
         .word 1, BUFFER, 0
lba:     .word 0, 0, 0, 0
