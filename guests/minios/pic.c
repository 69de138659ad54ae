/*
 * pic.c - the pair of 8259 interrupt controllers: 16 lines into one.
 *
 * The second hangs on line 2 of the first. Intel 8259A data sheet. Called by kmain() and trap.c.
 */
#include "kernel.h"

#define PIC1 0x20 /* command; data is at the next port */
#define PIC2 0xa0

#define ICW1         0x11 /* initialise, ICW4 follows */
#define ICW4         0x01 /* 8086 mode */
#define OCW2_EOI     0x20 /* end of the highest interrupt in service */
#define OCW3_READ_IS 0x0b /* the next read of the command port gives the in-service register */
#define CASCADE      2

void
pic_init(void)
{
    priv_out8(PIC1, ICW1);
    priv_out8(PIC2, ICW1);
    priv_out8(PIC1 + 1, VECTOR_IRQ); /* ICW2: the first vector */
    priv_out8(PIC2 + 1, VECTOR_IRQ + 8);
    priv_out8(PIC1 + 1, 1 << CASCADE); /* ICW3: who is connected where */
    priv_out8(PIC2 + 1, CASCADE);
    priv_out8(PIC1 + 1, ICW4);
    priv_out8(PIC2 + 1, ICW4);
    priv_out8(PIC1 + 1, 0xff & ~(1 << CASCADE)); /* all lines masked but the second's */
    priv_out8(PIC2 + 1, 0xff);
}

void
pic_enable(unsigned irq)
{
    uint16_t port = irq < 8 ? PIC1 + 1 : PIC2 + 1;
    priv_out8(port, priv_in8(port) & ~(1 << irq % 8));
}

/* A line that falls again before the processor asks gives interrupt 7 of its 8259, with no bit in
 * service; the second's passes through the first, which has to be told. */
bool
pic_acknowledge(unsigned irq)
{
    uint16_t port = irq < 8 ? PIC1 : PIC2;
    bool real = true;
    if (irq % 8 == 7) {
        priv_out8(port, OCW3_READ_IS);
        real = priv_in8(port) & 0x80;
    }
    if (irq >= 8)
        priv_out8(PIC1, OCW2_EOI);
    if (real)
        priv_out8(port, OCW2_EOI);
    return real;
}
