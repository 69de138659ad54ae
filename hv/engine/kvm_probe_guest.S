/*
 * kvm_probe_guest.S - the guest by which kvm_probe.c learns whether KVM works here.
 *
 * It is copied to PROBE_CODE and entered in long mode with a GDT, an IDT and a stack. Each stage
 * ends with a letter at port 80; position independent, since it does not run where it is linked.
 */
    .section .rodata
    .code64
    .globl kvm_probe_guest, kvm_probe_on_int, kvm_probe_on_irq, kvm_probe_guest_end

kvm_probe_guest:
    mov $'l', %al           /* long mode, a port */
    out %al, $0x80
    int $0x20               /* a gate of the IDT, -> kvm_probe_on_int */
    mov $'r', %al           /* and back by IRETQ */
    out %al, $0x80
    sti
    hlt                     /* the VMM injects vector 21 */
    mov $'d', %al
    out %al, $0x80
0:  hlt
    jmp 0b

kvm_probe_on_int:
    mov $'i', %al
    out %al, $0x80
    iretq

kvm_probe_on_irq:
    mov $'e', %al
    out %al, $0x80
    iretq
kvm_probe_guest_end:

    .section .note.GNU-stack, "", @progbits
