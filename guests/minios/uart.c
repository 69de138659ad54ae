/*
 * uart.c - the console: a 16550 UART at COM1. Bytes in by interrupt, bytes out by polling.
 *
 * What is typed is put into a ring until a task reads it (syscall.c). trap.c calls
 * uart_interrupt(), everybody kprintf(). National Semiconductor PC16550D data sheet, section 8.
 */
#include "kernel.h"

#define COM1 0x3f8
#define RBR  (COM1 + 0) /* read: received byte */
#define THR  (COM1 + 0) /* write: byte to send */
#define DLL  (COM1 + 0) /* with LCR_DLAB: divisor, low and high byte */
#define DLM  (COM1 + 1)
#define IER  (COM1 + 1) /* interrupt enable */
#define LCR  (COM1 + 3) /* line control */
#define MCR  (COM1 + 4) /* modem control */
#define LSR  (COM1 + 5) /* line status */

#define IER_RECEIVED 0x01
#define LCR_8N1      0x03
#define LCR_DLAB     0x80
#define MCR_READY    0x0b /* DTR, RTS, and OUT2: on a PC it is the gate to the interrupt line */
#define LSR_RECEIVED 0x01
#define LSR_THRE     0x20 /* THR is empty */

#define RING 256

static char ring[RING];
static unsigned ring_in, ring_out; /* count bytes; modulo RING: an index. Equal: empty */

static void
receive(void)
{
    while (priv_in8(LSR) & LSR_RECEIVED) {
        char c = (char)priv_in8(RBR);
        if (ring_in - ring_out < RING) /* else it is lost, as on a real terminal */
            ring[ring_in++ % RING] = c == '\r' ? '\n' : c;
    }
}

void
uart_init(void)
{
    /* The FIFOs stay as they are: switching them on would drop what was typed already. */
    priv_out8(IER, 0);
    priv_out8(LCR, LCR_DLAB);
    priv_out8(DLL, 1); /* 1843200 Hz / 16 / 1 = 115200 baud */
    priv_out8(DLM, 0);
    priv_out8(LCR, LCR_8N1);
    priv_out8(MCR, MCR_READY);
}

/* Ask for an interrupt when a byte comes in. After pic_init(): the 8259 forgets edges when it is
 * initialized, and if a byte is there already, the line rises here and never again. */
void
uart_listen(void)
{
    priv_out8(IER, IER_RECEIVED);
}

void
uart_put(char c)
{
    while (!(priv_in8(LSR) & LSR_THRE))
        ;
    priv_out8(THR, (uint8_t)c);
}

void
uart_interrupt(void)
{
    receive();
    proc_wake(TASK_READING);
}

int
uart_get(void)
{
    return ring_in == ring_out ? -1 : (unsigned char)ring[ring_out++ % RING];
}
