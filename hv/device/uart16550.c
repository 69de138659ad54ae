/*
 * uart16550.c - see uart16550.h. Sections are those of the NS16550D data sheet (SNLS378C).
 *
 * The line is infinitely fast: a byte that is written is sent at once, so the transmitter is
 * always empty; the receive time-out of four characters is over as soon as it begins. Baud rate
 * and word length are kept but change nothing: a guest that never sets them (a first kernel's
 * putchar) is heard all the same. There are no parity or framing errors; overrun can be had in
 * loopback mode, where the guest sends to itself.
 *
 * Read interrupt_id() first: which of four sources the guest sees. Next: pic8259.c.
 */
#include "device/describe.h"
#include "device/uart16550.h"

enum {
    DATA,    /* read: receiver buffer; write: transmitter; divisor low byte with LCR.DLAB */
    IER,     /* divisor high byte with LCR.DLAB */
    IIR_FCR, /* read: interrupt identification; write: FIFO control */
    LCR,
    MCR,
    LSR,
    MSR,
    SCRATCH,
};

/* IER     7 6 5 4 | 3     | 2           | 1                 | 0
 *         0       | modem | line status | transmitter empty | data received */
#define IER_DATA  0x01
#define IER_EMPTY 0x02
#define IER_LINE  0x04
#define IER_MODEM 0x08
#define IER_ALL   0x0f
/* IIR     7 6           | 5 4 | 3 2 1  | 0
 *         FIFOs are on  | 0   | source | 1: nothing pending     ("Table III") */
#define IIR_NONE     0x01
#define IIR_LINE     0x06
#define IIR_DATA     0x04
#define IIR_TIME_OUT 0x0c
#define IIR_EMPTY    0x02
#define IIR_MODEM    0x00
#define IIR_FIFOS    0xc0
/* FCR     7 6           | 5 4 | 3   | 2        | 1        | 0
 *         trigger level | -   | DMA | clear tx | clear rx | FIFOs on */
#define FCR_ON       0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_KEPT     0xc9
/* LCR     7    | 6     | 5 4 3  | 2         | 1 0
 *         DLAB | break | parity | stop bits | word length */
#define LCR_DLAB 0x80
/* MCR     7 6 5 | 4        | 3    | 2    | 1   | 0
 *         0     | loopback | OUT2 | OUT1 | RTS | DTR */
#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_ALL  0x1f
/* LSR     7             | 6        | 5         | 4 3 2 1                         | 0
 *         error in FIFO | all sent | THR empty | break, framing, parity, overrun | data ready */
#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_THRE    0x20
#define LSR_TEMT    0x40
/* MSR     7   | 6  | 5   | 4   | 3 2 1 0
 *         DCD | RI | DSR | CTS | they changed; for RI: fell */
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI  0x40
#define MSR_DCD 0x80

static bool
loops(const struct uart_state *s)
{
    return s->mcr & MCR_LOOP;
}

static unsigned
capacity(const struct uart_state *s)
{
    return s->fcr & FCR_ON ? UART_FIFO : 1;
}

/* How many bytes ask for the "data received" interrupt. */
static unsigned
trigger(const struct uart_state *s)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};

    return s->fcr & FCR_ON ? levels[s->fcr >> 6] : 1;
}

/* The modem's lines: a peer that is always there and ready; in loopback mode the MCR's outputs
 * ("Modem control register", bit 4). */
static uint8_t
modem_lines(const struct uart_state *s)
{
    if (!loops(s))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((s->mcr & MCR_RTS ? MSR_CTS : 0) | (s->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (s->mcr & MCR_OUT1 ? MSR_RI : 0) | (s->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* "Interrupt identification register": the pending source with the highest priority. */
static uint8_t
interrupt_id(const struct uart_state *s)
{
    if (s->ier & IER_LINE && s->lsr_errors)
        return IIR_LINE;
    if (s->ier & IER_DATA && s->count >= trigger(s))
        return IIR_DATA;
    if (s->ier & IER_DATA && s->count)
        return IIR_TIME_OUT;
    if (s->ier & IER_EMPTY && s->thr_empty_irq)
        return IIR_EMPTY;
    if (s->ier & IER_MODEM && s->msr_deltas)
        return IIR_MODEM;
    return IIR_NONE;
}

/* A PC leads INTR through a buffer that OUT2 opens. In loopback mode the OUT2 pin is inactive, so
 * the interrupts can be seen in IIR only. */
static void
update_line(struct uart *uart)
{
    const struct uart_state *s = &uart->s;
    bool open = s->mcr & MCR_OUT2 && !loops(s);

    line_set(&uart->irq, open && interrupt_id(s) != IIR_NONE);
}

/* ---- receiver ---- */

/* A byte reaches the receiver. "Line status register", bit 1: with FIFOs a byte too many is lost;
 * without, it replaces the one before. */
static void
receive(struct uart_state *s, uint8_t byte)
{
    if (s->count == capacity(s)) {
        s->lsr_errors |= LSR_OVERRUN;
        if (s->fcr & FCR_ON)
            return;
        s->count = 0;
    }
    s->fifo[(s->first + s->count++) % UART_FIFO] = byte;
}

bool
uart_room(const struct uart *uart)
{
    return !loops(&uart->s) && uart->s.count < capacity(&uart->s);
}

bool
uart_feed(struct uart *uart, uint8_t byte)
{
    if (!uart_room(uart))
        return false;
    receive(&uart->s, byte);
    update_line(uart);
    return true;
}

/* With nothing there, the buffer still holds the byte that was read last. */
static uint8_t
read_data(struct uart_state *s)
{
    if (!s->count)
        return s->fifo[(s->first + UART_FIFO - 1) % UART_FIFO];
    uint8_t byte = s->fifo[s->first];
    s->first = (s->first + 1) % UART_FIFO;
    s->count--;
    return byte;
}

/* ---- transmitter and control ---- */

/* Writing clears the "transmitter empty" interrupt; sending the byte raises it again. The line
 * falls in between, or an edge-triggered controller would not see the second interrupt. */
static void
write_data(struct uart *uart, uint8_t byte)
{
    uart->s.thr_empty_irq = 0;
    update_line(uart);
    if (loops(&uart->s))
        receive(&uart->s, byte);
    else if (uart->console)
        console_put(uart->console, byte);
    uart->s.thr_empty_irq = 1;
}

/* Enabling the interrupt of an empty transmitter raises it at once: drivers start sending so. */
static void
write_ier(struct uart_state *s, uint8_t v)
{
    if (v & ~s->ier & IER_EMPTY)
        s->thr_empty_irq = 1;
    s->ier = v & IER_ALL;
}

/* "FIFO control register": turning the FIFOs on or off clears them; the other bits take effect
 * only together with bit 0. */
static void
write_fcr(struct uart_state *s, uint8_t v)
{
    if ((v ^ s->fcr) & FCR_ON)
        s->first = s->count = 0;
    s->fcr = v & FCR_ON ? v & FCR_KEPT : 0;
    if (v & FCR_ON && v & FCR_CLEAR_RX)
        s->first = s->count = 0;
    /* FCR_CLEAR_TX: there is never anything in the transmit FIFO. */
}

static void
write_mcr(struct uart_state *s, uint8_t v)
{
    uint8_t before = modem_lines(s);

    s->mcr = v & MCR_ALL;
    uint8_t after = modem_lines(s);
    /* Bits 7-4 of what changed go to 3-0; but RI counts only when it falls (TERI). */
    uint8_t changed = (uint8_t)((before ^ after) & ~(after & MSR_RI));
    s->msr_deltas |= changed >> 4;
}

static uint64_t
uart_read(void *dev, uint64_t offset, unsigned size)
{
    struct uart *uart = dev;
    struct uart_state *s = &uart->s;
    uint8_t value = 0xff;

    (void)size;
    switch (offset) {
    case DATA: value = s->lcr & LCR_DLAB ? s->divisor_low : read_data(s); break;
    case IER: value = s->lcr & LCR_DLAB ? s->divisor_high : s->ier; break;
    case IIR_FCR:
        value = interrupt_id(s);
        if (value == IIR_EMPTY)
            s->thr_empty_irq = 0; /* told: reading IIR resets this one source */
        value |= s->fcr & FCR_ON ? IIR_FIFOS : 0;
        break;
    case LCR: value = s->lcr; break;
    case MCR: value = s->mcr; break;
    case LSR:
        value = LSR_TEMT | LSR_THRE | s->lsr_errors | (s->count ? LSR_DATA : 0);
        s->lsr_errors = 0;
        break;
    case MSR:
        value = modem_lines(s) | s->msr_deltas;
        s->msr_deltas = 0;
        break;
    case SCRATCH: value = s->scratch; break;
    }
    update_line(uart);
    return value;
}

static void
uart_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    struct uart *uart = dev;
    struct uart_state *s = &uart->s;
    uint8_t v = (uint8_t)value;

    (void)size;
    switch (offset) {
    case DATA:
        if (s->lcr & LCR_DLAB)
            s->divisor_low = v;
        else
            write_data(uart, v);
        break;
    case IER:
        if (s->lcr & LCR_DLAB)
            s->divisor_high = v;
        else
            write_ier(s, v);
        break;
    case IIR_FCR: write_fcr(s, v); break;
    case LCR: s->lcr = v; break;
    case MCR: write_mcr(s, v); break;
    case SCRATCH: s->scratch = v; break;
    default: break; /* LSR and MSR are written in factory tests only */
    }
    update_line(uart);
}

/* "Table II": what Master Reset clears. The divisor is not touched by it; 12 (9600 baud) is what
 * a guest finds at power-on. */
static void
uart_reset(void *dev)
{
    struct uart *uart = dev;

    uart->s = (struct uart_state){.divisor_low = 12};
    update_line(uart);
}

static void *
uart_state(void *dev, size_t *size)
{
    struct uart *uart = dev;

    *size = sizeof(uart->s);
    return &uart->s;
}

/* A state from a file must not lead out of the FIFO. */
static void
uart_restored(void *dev)
{
    struct uart *uart = dev;
    struct uart_state *s = &uart->s;

    s->first %= UART_FIFO;
    s->count = s->count > capacity(s) ? (uint8_t)capacity(s) : s->count;
    update_line(uart);
}

static void
uart_describe(void *dev, char *text, size_t size)
{
    const struct uart_state *s = &((struct uart *)dev)->s;
    struct text t;

    text_begin(&t, text, size);
    text_add(&t, "divisor %u, lcr %02x, fifos %s, %u received\n",
             s->divisor_high << 8 | s->divisor_low, s->lcr, s->fcr & FCR_ON ? "on" : "off",
             s->count);
    text_add(&t, "ier %02x, iir %02x, mcr %02x%s, msr %02x\n", s->ier, interrupt_id(s), s->mcr,
             loops(s) ? " (loopback)" : "", modem_lines(s) | s->msr_deltas);
}

/* The first two offsets are the divisor while LCR.DLAB is set; the third is two registers. */
static const char *
uart_register_name(void *dev, uint64_t offset, bool write, uint64_t value)
{
    static const char *const names[][2] = {
        [DATA] = {"receiver buffer (RBR)", "transmitter holding register (THR)"},
        [IER] = {"interrupt enable (IER)", "interrupt enable (IER)"},
        [IIR_FCR] = {"interrupt identification (IIR)", "FIFO control (FCR)"},
        [LCR] = {"line control (LCR)", "line control (LCR)"},
        [MCR] = {"modem control (MCR)", "modem control (MCR)"},
        [LSR] = {"line status (LSR)", "line status (LSR)"},
        [MSR] = {"modem status (MSR)", "modem status (MSR)"},
        [SCRATCH] = {"scratch (SCR)", "scratch (SCR)"},
    };
    const struct uart_state *s = &((struct uart *)dev)->s;

    (void)value;
    if (offset <= IER && s->lcr & LCR_DLAB)
        return offset == DATA ? "divisor latch, low byte (DLL, since LCR.DLAB is set)"
                              : "divisor latch, high byte (DLM, since LCR.DLAB is set)";
    return offset <= SCRATCH ? names[offset][write] : NULL;
}

const struct device_ops uart_ops = {
    .name = "uart",
    .summary = "NS16550D serial port: the guest's console",
    .width = 1,
    .read = uart_read,
    .write = uart_write,
    .reset = uart_reset,
    .state = uart_state,
    .restored = uart_restored,
    .describe = uart_describe,
    .register_name = uart_register_name,
    .manual = "NS16550D data sheet, section 8",
};
