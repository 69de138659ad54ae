/*
 * pic8259.c - see pic8259.h. Sections are those of Intel's 8259A data sheet (231468-003).
 *
 * Read in this order: requests() and highest() (who may interrupt), acknowledge, then the command
 * words. Next: pit8254.c, which drives IRQ 0.
 *
 * Left out: the 8080/8085 CALL sequence (ICW4.uPM clear acts as set) and buffered mode, which only
 * changes a pin.
 */

#include "device/describe.h"
#include "device/pic8259.h"

/* ICW1 (even port)     7 6 5 | 4 | 3    | 2   | 1    | 0
 *                      8085  | 1 | LTIM | ADI | SNGL | IC4 (ICW4 follows) */
#define ICW1      0x10
#define ICW1_LTIM 0x08
#define ICW1_SNGL 0x02
#define ICW1_IC4  0x01
/* ICW4 (odd port)      7 6 5 | 4    | 3   | 2   | 1    | 0
 *                      0 0 0 | SFNM | BUF | M/S | AEOI | uPM */
#define ICW4_SFNM 0x10
#define ICW4_AEOI 0x02
/* OCW2 (even port)     7 | 6  | 5   | 4 3 | 2 1 0
 *                      R | SL | EOI | 0 0 | level */
#define OCW2_COMMAND    0xe0
#define OCW2_LEVEL      0x07
#define ROTATE_AEOI_OFF 0x00
#define EOI             0x20
#define EOI_SPECIFIC    0x60
#define ROTATE_AEOI_ON  0x80
#define ROTATE_EOI      0xa0
#define SET_PRIORITY    0xc0
#define ROTATE_SPECIFIC 0xe0
/* OCW3 (even port)     7 | 6    | 5   | 4 3 | 2 | 1  | 0
 *                      0 | ESMM | SMM | 0 1 | P | RR | RIS */
#define OCW3      0x08
#define OCW3_ESMM 0x40
#define OCW3_SMM  0x20
#define OCW3_POLL 0x04
#define OCW3_RR   0x02
#define OCW3_RIS  0x01
#define POLL_INT  0x80 /* of the byte that a poll reads; bits 2-0: the input */

/* Lines that a PC's chip set keeps edge-triggered: 0, 1, 2 and 8, 13 (ICH data sheet, ELCR). */
static const uint8_t elcr_writable[2] = {0xf8, 0xde};

/* IRR. A level-triggered input requests while it is high. An edge-triggered one requests from its
 * rise until it is acknowledged, but it must stay high until then ("Edge and level triggered
 * modes"): who lowers it takes the request back. */
static uint8_t
requests(const struct pic_chip *c)
{
    uint8_t level = c->level_triggered ? 0xff : c->elcr;

    return (uint8_t)((c->edges & ~level) | (c->lines & level));
}

/* The input in `bits` with the highest priority, as a rank: 0 is the highest, 8 means none. */
static unsigned
rank_of(const struct pic_chip *c, uint8_t bits)
{
    unsigned rank = 0;

    while (rank < 8 && !(bits & 1u << ((c->lowest + 1 + rank) & 7)))
        rank++;
    return rank;
}

static unsigned
input_of(const struct pic_chip *c, unsigned rank)
{
    return (c->lowest + 1 + rank) & 7;
}

/* The request that may interrupt now, or -1: not masked, and higher in rank than all in service.
 * "Special mask mode": what is masked no longer blocks others while it is in service.
 * "Special fully nested mode": a slave in service does not block further requests of it. */
static int
highest(const struct pic_chip *c, bool is_master)
{
    uint8_t wanting = requests(c) & (uint8_t)~c->imr, blocking = c->isr;

    if (!wanting) /* as a rule: this is asked at every exit */
        return -1;
    if (c->special_mask)
        blocking &= (uint8_t)~c->imr;
    if (c->special_fully_nested && is_master)
        blocking &= (uint8_t)~c->icw3;
    unsigned rank = rank_of(c, wanting);
    return rank < rank_of(c, blocking) ? (int)input_of(c, rank) : -1;
}

static void
set_line(struct pic_chip *c, unsigned input, bool level)
{
    uint8_t bit = (uint8_t)(1u << input);

    if (!level)
        c->edges &= (uint8_t)~bit, c->lines &= (uint8_t)~bit;
    else if (!(c->lines & bit))
        c->edges |= bit, c->lines |= bit;
}

/* The slave's INT pin drives the master's IR2. Call after every change of the slave. */
static void
update_cascade(struct pic *pic)
{
    set_line(&pic->s.chip[0], PIC_CASCADE, highest(&pic->s.chip[1], false) >= 0);
}

void
pic_set_irq(struct pic *pic, unsigned irq, int level)
{
    if (irq > 15 || irq == PIC_CASCADE)
        return;
    set_line(&pic->s.chip[irq / 8], irq % 8, level != 0);
    update_cascade(pic);
}

bool
pic_pending(const struct pic *pic)
{
    return highest(&pic->s.chip[0], true) >= 0;
}

/* One chip answers INTA or a poll: returns the input, which is in service now, or -1. In automatic
 * EOI mode it is already out of service again. */
static int
take(struct pic_chip *c, bool is_master)
{
    int input = highest(c, is_master);

    if (input < 0)
        return -1;
    uint8_t bit = (uint8_t)(1u << input);
    c->edges &= (uint8_t)~bit;
    if (!c->auto_eoi)
        c->isr |= bit;
    else if (c->rotate_on_auto_eoi)
        c->lowest = (uint8_t)input;
    return input;
}

/* As take(), for the slave: its INT pin falls during the acknowledgement, so that a request which
 * is left is a new edge for the master. */
static int
take_slave(struct pic *pic)
{
    int input = take(&pic->s.chip[1], false);

    set_line(&pic->s.chip[0], PIC_CASCADE, false);
    update_cascade(pic);
    return input;
}

/* A request that went away before INTA is answered with IR7 and nothing in service ("Edge and
 * level triggered modes": the default IR7), by either chip. */
uint8_t
pic_acknowledge(struct pic *pic)
{
    struct pic_chip *master = &pic->s.chip[0], *slave = &pic->s.chip[1];
    int input = take(master, true);

    if (input == PIC_CASCADE && !master->single && (master->icw3 & 1u << PIC_CASCADE)) {
        /* The slave whose number is on the cascade lines drives the bus; else nobody does. */
        if ((slave->icw3 & 7) != PIC_CASCADE)
            return 0xff;
        input = take_slave(pic);
        return (uint8_t)(slave->base + (input < 0 ? 7 : input));
    }
    return (uint8_t)(master->base + (input < 0 ? 7 : input));
}

/* ---- command words ---- */

/* "Initialization command words", ICW1: what it resets by itself. */
static void
write_icw1(struct pic_chip *c, uint8_t v)
{
    c->edges = 0;
    c->imr = c->isr = 0;
    c->lowest = 7;
    c->special_mask = c->read_isr = c->poll = 0;
    c->level_triggered = (v & ICW1_LTIM) != 0;
    c->single = (v & ICW1_SNGL) != 0;
    c->has_icw4 = (v & ICW1_IC4) != 0;
    c->auto_eoi = c->rotate_on_auto_eoi = c->special_fully_nested = 0;
    c->expect = 2;
}

static void
write_odd_port(struct pic_chip *c, uint8_t v)
{
    switch (c->expect) {
    case 2:
        c->base = v & 0xf8;
        c->expect = !c->single ? 3 : c->has_icw4 ? 4 : 0;
        break;
    case 3:
        c->icw3 = v;
        c->expect = c->has_icw4 ? 4 : 0;
        break;
    case 4:
        c->special_fully_nested = (v & ICW4_SFNM) != 0;
        c->auto_eoi = (v & ICW4_AEOI) != 0;
        c->expect = 0;
        break;
    default: c->imr = v; /* OCW1 */
    }
}

/* The highest input in service that a non-specific EOI ends, or -1. Not one that is masked in
 * special mask mode ("End of interrupt"). */
static int
in_service(const struct pic_chip *c)
{
    uint8_t isr = c->isr & (uint8_t) ~(c->special_mask ? c->imr : 0);
    unsigned rank = rank_of(c, isr);

    return rank < 8 ? (int)input_of(c, rank) : -1;
}

static void
write_ocw2(struct pic_chip *c, uint8_t v)
{
    uint8_t command = v & OCW2_COMMAND;
    bool specific = command == EOI_SPECIFIC || command == ROTATE_SPECIFIC;
    int input = specific ? v & OCW2_LEVEL : in_service(c);

    switch (command) {
    case ROTATE_AEOI_OFF: c->rotate_on_auto_eoi = 0; break;
    case ROTATE_AEOI_ON: c->rotate_on_auto_eoi = 1; break;
    case SET_PRIORITY: c->lowest = v & OCW2_LEVEL; break;
    case EOI:
    case EOI_SPECIFIC:
    case ROTATE_EOI:
    case ROTATE_SPECIFIC:
        if (input < 0)
            break;
        c->isr &= (uint8_t) ~(1u << input);
        if (command == ROTATE_EOI || command == ROTATE_SPECIFIC)
            c->lowest = (uint8_t)input;
        break;
    }
}

static void
write_ocw3(struct pic_chip *c, uint8_t v)
{
    if (v & OCW3_ESMM)
        c->special_mask = (v & OCW3_SMM) != 0;
    if (v & OCW3_RR)
        c->read_isr = (v & OCW3_RIS) != 0;
    c->poll = (v & OCW3_POLL) != 0;
}

static void
pic_write(void *dev, uint64_t port, unsigned size, uint64_t value)
{
    struct pic *pic = dev;
    struct pic_chip *c = &pic->s.chip[port == PIC_ELCR_PORT + 1 || (port & 0xfe) == PIC_SLAVE_PORT];
    uint8_t v = (uint8_t)value;

    (void)size;
    if (port >= PIC_ELCR_PORT)
        c->elcr = v & elcr_writable[port & 1];
    else if (port & 1)
        write_odd_port(c, v);
    else if (v & ICW1)
        write_icw1(c, v);
    else if (v & OCW3)
        write_ocw3(c, v);
    else
        write_ocw2(c, v);
    update_cascade(pic);
}

/* "Poll command": the next read is an acknowledgement, which ranks over a register read. */
static uint8_t
read_poll(struct pic *pic, struct pic_chip *c)
{
    bool is_master = c == &pic->s.chip[0];

    c->poll = 0;
    int input = is_master ? take(c, true) : take_slave(pic);
    return input < 0 ? 0 : (uint8_t)(POLL_INT | input);
}

static uint64_t
pic_read(void *dev, uint64_t port, unsigned size)
{
    struct pic *pic = dev;
    struct pic_chip *c = &pic->s.chip[port == PIC_ELCR_PORT + 1 || (port & 0xfe) == PIC_SLAVE_PORT];

    (void)size;
    if (port >= PIC_ELCR_PORT)
        return c->elcr;
    if (c->poll)
        return read_poll(pic, c);
    if (port & 1)
        return c->imr;
    return c->read_isr ? c->isr : requests(c);
}

/* The data sheet leaves the state after power-on open. Everything masked is what a guest without
 * firmware can live with: no interrupt comes before it has set the vectors. Levels of the lines
 * belong to the devices. */
static void
pic_reset(void *dev)
{
    struct pic *pic = dev;

    for (unsigned i = 0; i < 2; i++) {
        uint8_t lines = pic->s.chip[i].lines;
        pic->s.chip[i] = (struct pic_chip){.lines = lines, .imr = 0xff, .lowest = 7};
    }
    pic->s.chip[0].lines &= (uint8_t) ~(1u << PIC_CASCADE);
}

static void *
pic_state(void *dev, size_t *size)
{
    struct pic *pic = dev;

    *size = sizeof(pic->s);
    return &pic->s;
}

/* State may come from a file: indexes must be in range. The lines are in the state. */
static void
pic_restored(void *dev)
{
    struct pic *pic = dev;

    for (unsigned i = 0; i < 2; i++)
        pic->s.chip[i].lowest &= 7;
    update_cascade(pic);
}

static void
pic_describe(void *dev, char *text, size_t size)
{
    struct pic *pic = dev;
    struct text t;

    text_begin(&t, text, size);
    for (unsigned i = 0; i < 2; i++) {
        const struct pic_chip *c = &pic->s.chip[i];
        text_add(&t, "%s: vectors %02x-%02x%s\n", i ? "slave" : "master", c->base, c->base + 7,
                 c->expect ? ", being initialized" : "");
        text_add(&t, "  lines %02x, irr %02x, isr %02x, imr %02x, level-triggered %02x\n", c->lines,
                 requests(c), c->isr, c->imr, c->level_triggered ? 0xff : c->elcr);
        text_add(&t, "  lowest priority: IR%u%s%s%s%s\n", c->lowest,
                 c->auto_eoi ? ", automatic EOI" : "", c->rotate_on_auto_eoi ? ", rotating" : "",
                 c->special_fully_nested ? ", special fully nested" : "",
                 c->special_mask ? ", special mask" : "");
    }
}

/* Which of the command words a write is, the bits of the byte tell, and what was written before
 * (8259A data sheet, figures 7 and 8). */
static const char *
pic_write_name(const struct pic_chip *c, bool odd, uint8_t v)
{
    static const char *const expected[] = {
        [0] = "interrupt mask (OCW1)",
        [2] = "ICW2: the vector of its first input",
        [3] = "ICW3: how master and slave are wired",
        [4] = "ICW4: mode",
    };
    static const char *const ocw2[] = {
        "OCW2: stop rotating on automatic EOI",
        "OCW2: end of interrupt (EOI)",
        "OCW2: no operation",
        "OCW2: end of interrupt of one input",
        "OCW2: rotate on automatic EOI",
        "OCW2: end of interrupt, then rotate",
        "OCW2: set the lowest priority",
        "OCW2: end of interrupt of one input, then rotate",
    };

    if (odd)
        return c->expect < 5 && expected[c->expect] ? expected[c->expect] : NULL;
    if (v & ICW1)
        return "ICW1: begin initialization";
    if (v & OCW3)
        return "OCW3: poll, special mask, or which register is read";
    return ocw2[v >> 5];
}

static const char *
pic_register_name(void *dev, uint64_t port, bool write, uint64_t value)
{
    bool slave = port == PIC_ELCR_PORT + 1 || (port & 0xfe) == PIC_SLAVE_PORT;
    const struct pic_chip *c = &((struct pic *)dev)->s.chip[slave];

    if (port >= PIC_ELCR_PORT)
        return "edge/level control (ELCR)";
    if (write)
        return pic_write_name(c, port & 1, (uint8_t)value);
    if (c->poll)
        return "poll";
    if (port & 1)
        return "interrupt mask (IMR)";
    return c->read_isr ? "in service (ISR)" : "interrupt request (IRR)";
}

const struct device_ops pic_ops = {
    .name = "pic",
    .summary = "Intel 8259A pair: 15 interrupt lines to one processor",
    .width = 1,
    .read = pic_read,
    .write = pic_write,
    .reset = pic_reset,
    .state = pic_state,
    .restored = pic_restored,
    .describe = pic_describe,
    .register_name = pic_register_name,
    .manual = "Intel 8259A data sheet, programming the 8259A",
};
