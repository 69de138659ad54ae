/* device_pic.c - tests of hv/device/pic8259.c against Intel's 8259A data sheet (231468-003). */
#include <string.h>

#include "device/pic8259.h"
#include "tests/unit/suites.h"

static void
out(struct pic *pic, uint16_t port, uint8_t v)
{
    pic_ops.write(pic, port, 1, v);
}

static uint8_t
in(struct pic *pic, uint16_t port)
{
    return (uint8_t)pic_ops.read(pic, port, 1);
}

/* As a PC sets it up: vectors 20 and 28, the slave on IR2; icw4 for both. */
static void
set_up(struct pic *pic, uint8_t icw4)
{
    memset(pic, 0, sizeof(*pic));
    pic_ops.reset(pic);
    out(pic, 0x20, 0x11), out(pic, 0x21, 0x20), out(pic, 0x21, 0x04), out(pic, 0x21, icw4);
    out(pic, 0xa0, 0x11), out(pic, 0xa1, 0x28), out(pic, 0xa1, 0x02), out(pic, 0xa1, icw4);
}

static void
pulse(struct pic *pic, unsigned irq)
{
    pic_set_irq(pic, irq, 0);
    pic_set_irq(pic, irq, 1);
}

#define EOI      0x20
#define READ_IRR 0x0a
#define READ_ISR 0x0b

static uint8_t
read_isr(struct pic *pic, uint16_t port)
{
    out(pic, port, READ_ISR);
    return in(pic, port);
}

static uint8_t
read_irr(struct pic *pic, uint16_t port)
{
    out(pic, port, READ_IRR);
    return in(pic, port);
}

static void
test_power_on(void)
{
    struct pic pic = {0};

    pic_ops.reset(&pic);
    for (unsigned irq = 0; irq < 16; irq++)
        pic_set_irq(&pic, irq, 1);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* all masked until the guest speaks */
    CU_ASSERT_EQUAL(in(&pic, 0x21), 0xff);
    /* ICW1 clears IMR and the edge sense circuit: lines that are high must fall and rise again. */
    out(&pic, 0x20, 0x11), out(&pic, 0x21, 0x20), out(&pic, 0x21, 4), out(&pic, 0x21, 1);
    CU_ASSERT_EQUAL(in(&pic, 0x21), 0);
    CU_ASSERT_EQUAL(read_irr(&pic, 0x20), 0);
    CU_ASSERT_FALSE(pic_pending(&pic));
    pulse(&pic, 0);
    CU_ASSERT_TRUE(pic_pending(&pic));
}

static void
test_edge(void)
{
    struct pic pic;

    set_up(&pic, 1);
    CU_ASSERT_FALSE(pic_pending(&pic));
    pic_set_irq(&pic, 3, 1);
    CU_ASSERT_TRUE(pic_pending(&pic));
    CU_ASSERT_EQUAL(read_irr(&pic, 0x20), 0x08);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x23);
    CU_ASSERT_EQUAL(read_irr(&pic, 0x20), 0);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x08);
    out(&pic, 0x20, 0x08); /* OCW3 without RR: what is read stays */
    CU_ASSERT_EQUAL(in(&pic, 0x20), 0x08);
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* still high, but there was no new edge */
    pic_set_irq(&pic, 3, 1);
    CU_ASSERT_FALSE(pic_pending(&pic));
    pulse(&pic, 3);
    CU_ASSERT_TRUE(pic_pending(&pic));
}

static void
test_level(void)
{
    struct pic pic;

    set_up(&pic, 1);
    out(&pic, 0x4d0, 0xff);
    out(&pic, 0x4d1, 0xff);
    CU_ASSERT_EQUAL(in(&pic, 0x4d0), 0xf8); /* 0, 1, 2, 8, 13 are always edges */
    CU_ASSERT_EQUAL(in(&pic, 0x4d1), 0xde);
    pic_set_irq(&pic, 5, 1);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x25);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* in service */
    out(&pic, 0x20, EOI);
    CU_ASSERT_TRUE(pic_pending(&pic)); /* the line is still high: again */
    pic_set_irq(&pic, 5, 0);
    CU_ASSERT_FALSE(pic_pending(&pic));
    /* ICW1.LTIM makes every input level-triggered. */
    out(&pic, 0x20, 0x19), out(&pic, 0x21, 0x20), out(&pic, 0x21, 4), out(&pic, 0x21, 1);
    pic_set_irq(&pic, 0, 1);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x20);
    out(&pic, 0x20, EOI);
    CU_ASSERT_TRUE(pic_pending(&pic));
}

/* "Fully nested mode": IR0 is the highest; only a higher one interrupts what is in service. */
static void
test_priority(void)
{
    struct pic pic;

    set_up(&pic, 1);
    pulse(&pic, 4);
    pulse(&pic, 3);
    pulse(&pic, 6);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x23);
    CU_ASSERT_FALSE(pic_pending(&pic));
    pulse(&pic, 1);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x21);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x0a);
    out(&pic, 0x20, EOI); /* non-specific: the highest in service */
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x08);
    pulse(&pic, 3);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* not itself again */
    out(&pic, 0x20, 0x63);              /* specific EOI of 3 */
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x23);
    out(&pic, 0x20, 0x64); /* specific EOI of one that is not in service */
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x08);
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x24);
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x26);
}

static void
test_mask(void)
{
    struct pic pic;

    set_up(&pic, 1);
    out(&pic, 0x21, 0x08);
    CU_ASSERT_EQUAL(in(&pic, 0x21), 0x08);
    pulse(&pic, 3);
    CU_ASSERT_FALSE(pic_pending(&pic));
    CU_ASSERT_EQUAL(read_irr(&pic, 0x20), 0x08); /* kept all the same */
    out(&pic, 0x21, 0);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x23);
}

static void
test_cascade(void)
{
    struct pic pic;

    set_up(&pic, 1);
    pulse(&pic, 12);
    pulse(&pic, 8);
    CU_ASSERT_EQUAL(read_irr(&pic, 0x20), 0x04);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x28);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x04);
    CU_ASSERT_EQUAL(read_isr(&pic, 0xa0), 0x01);
    out(&pic, 0xa0, EOI);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* the master still has IR2 in service */
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x2c);
    out(&pic, 0x20, EOI); /* the other order works as well */
    CU_ASSERT_FALSE(pic_pending(&pic));
    out(&pic, 0xa0, EOI);
    pulse(&pic, 15);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x2f);
    /* IRQ 2 does not exist as an input, nor does 16. */
    pic_set_irq(&pic, 2, 1);
    pic_set_irq(&pic, 16, 1);
    CU_ASSERT_EQUAL(read_irr(&pic, 0x20), 0);
}

/* A slave whose number is not the one on the cascade lines stays silent. */
static void
test_wrong_slave(void)
{
    struct pic pic;

    set_up(&pic, 1);
    out(&pic, 0xa0, 0x11), out(&pic, 0xa1, 0x28), out(&pic, 0xa1, 0x03), out(&pic, 0xa1, 1);
    pulse(&pic, 8);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0xff);
    /* A master that was not told of a slave gives its own vector for IR2. */
    set_up(&pic, 1);
    out(&pic, 0x20, 0x11), out(&pic, 0x21, 0x20), out(&pic, 0x21, 0x00), out(&pic, 0x21, 1);
    pulse(&pic, 8);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x22);
}

/* "Edge and level triggered modes": a request that goes away before INTA gives the default IR7,
 * with no bit of ISR set. */
static void
test_spurious(void)
{
    struct pic pic;

    set_up(&pic, 1);
    pic_set_irq(&pic, 4, 1);
    pic_set_irq(&pic, 4, 0);
    CU_ASSERT_FALSE(pic_pending(&pic));
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x27);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0);
    /* The slave's: the master took IR2, then the slave has nothing. It is masked in between. */
    pic_set_irq(&pic, 8, 1);
    CU_ASSERT_TRUE(pic_pending(&pic));
    pic.s.chip[1].imr = 0xff;
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x2f);
    CU_ASSERT_EQUAL(read_isr(&pic, 0xa0), 0);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x04); /* the master needs its EOI */
}

/* "Automatic rotation" and "specific rotation": OCW2. */
static void
test_rotation(void)
{
    struct pic pic;

    set_up(&pic, 1);
    pulse(&pic, 4);
    pic_acknowledge(&pic);
    out(&pic, 0x20, 0xa0); /* rotate on non-specific EOI: 4 is the lowest, 5 the highest */
    pulse(&pic, 4);
    pulse(&pic, 0);
    pulse(&pic, 5);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x25);
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x20);
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x24);
    out(&pic, 0x20, EOI);

    out(&pic, 0x20, 0xc6); /* set priority: 6 the lowest */
    pulse(&pic, 6);
    pulse(&pic, 7);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x27);
    out(&pic, 0x20, 0xe7); /* rotate on specific EOI of 7: 0 is the highest again */
    pulse(&pic, 0);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x20);
    CU_ASSERT_EQUAL(pic.s.chip[0].lowest, 7);
    out(&pic, 0x20, 0x46); /* SL alone: no operation */
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x01);
}

static void
test_auto_eoi(void)
{
    struct pic pic;

    set_up(&pic, 3);
    pulse(&pic, 3);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x23);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0);
    pulse(&pic, 3);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x23);
    out(&pic, 0x20, 0x80); /* rotate in automatic EOI mode */
    pulse(&pic, 3);
    pic_acknowledge(&pic);
    CU_ASSERT_EQUAL(pic.s.chip[0].lowest, 3);
    out(&pic, 0x20, 0x00);
    pulse(&pic, 5);
    pic_acknowledge(&pic);
    CU_ASSERT_EQUAL(pic.s.chip[0].lowest, 3);
    /* Two requests of the slave: its INT pin falls in between, a new edge for the master. */
    pulse(&pic, 8);
    pulse(&pic, 9);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x28);
    CU_ASSERT_TRUE(pic_pending(&pic));
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x29);
    CU_ASSERT_FALSE(pic_pending(&pic));
}

/* "Special mask mode": what is in service and masked does not block lower ones. */
static void
test_special_mask(void)
{
    struct pic pic;

    set_up(&pic, 1);
    pulse(&pic, 3);
    pic_acknowledge(&pic);
    pulse(&pic, 5);
    out(&pic, 0x21, 0x08);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* masking alone is not enough */
    out(&pic, 0x20, 0x68);              /* ESMM, SMM */
    CU_ASSERT_TRUE(pic_pending(&pic));
    out(&pic, 0x20, 0x08); /* without ESMM, SMM means nothing */
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x25);
    out(&pic, 0x20, EOI); /* does not end the masked one: "End of interrupt" */
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x08);
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x08);
    out(&pic, 0x20, 0x48); /* ESMM, SMM off */
    out(&pic, 0x20, EOI);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0);
}

/* "Special fully nested mode": a higher request of the slave passes while IR2 is in service. */
static void
test_special_fully_nested(void)
{
    struct pic pic;

    set_up(&pic, 1);
    pulse(&pic, 12);
    pic_acknowledge(&pic);
    pulse(&pic, 9);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* fully nested: IR2 blocks itself */
    set_up(&pic, 0x11);
    pulse(&pic, 12);
    pic_acknowledge(&pic);
    pulse(&pic, 13);
    CU_ASSERT_FALSE(pic_pending(&pic)); /* lower than 12: the slave itself says no */
    pulse(&pic, 9);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x29);
    CU_ASSERT_EQUAL(read_isr(&pic, 0xa0), 0x12);
    /* It is the master's mode: in a slave's ICW4 the bit changes nothing. */
    set_up(&pic, 0x11);
    pulse(&pic, 9);
    pic_acknowledge(&pic);
    pulse(&pic, 10);
    CU_ASSERT_FALSE(pic_pending(&pic));
}

/* "Poll command": the next read acknowledges; bit 7 and the input, or 0. */
static void
test_poll(void)
{
    struct pic pic;

    set_up(&pic, 1);
    out(&pic, 0x20, 0x0c);
    CU_ASSERT_EQUAL(in(&pic, 0x20), 0x00);
    pulse(&pic, 6);
    out(&pic, 0x20, 0x0e); /* P and RR: the poll comes first */
    CU_ASSERT_EQUAL(in(&pic, 0x20), 0x86);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0x40);
    CU_ASSERT_FALSE(pic_pending(&pic));
    pulse(&pic, 10);
    out(&pic, 0xa0, 0x0c);
    CU_ASSERT_EQUAL(in(&pic, 0xa1), 0x82); /* at either port */
    CU_ASSERT_FALSE(pic_pending(&pic));    /* the slave's INT fell */
    out(&pic, 0xa1, 0x55);
    CU_ASSERT_EQUAL(in(&pic, 0xa1), 0x55); /* IMR: one poll, one read */
    out(&pic, 0x20, 0x0c);                 /* ICW1 takes the poll back, and IRR is read again */
    out(&pic, 0x20, 0x12), out(&pic, 0x21, 0x20);
    pulse(&pic, 6);
    CU_ASSERT_EQUAL(in(&pic, 0x20), 0x40);
}

static void
test_initialization(void)
{
    struct pic pic;

    set_up(&pic, 3);
    out(&pic, 0x21, 0x55);
    out(&pic, 0x20, 0xc2);
    out(&pic, 0x20, 0x68);
    /* SNGL: no ICW3. IC4 clear: no ICW4, and its functions are off. */
    out(&pic, 0x20, 0x12);
    out(&pic, 0x21, 0x47); /* ICW2: the low bits are the input's */
    CU_ASSERT_EQUAL(in(&pic, 0x21), 0);
    out(&pic, 0x21, 0xfe); /* already OCW1 */
    CU_ASSERT_EQUAL(in(&pic, 0x21), 0xfe);
    pulse(&pic, 0);
    CU_ASSERT_EQUAL(pic_acknowledge(&pic), 0x40);
    CU_ASSERT_EQUAL(pic.s.chip[0].isr, 1); /* no automatic EOI */
    CU_ASSERT_EQUAL(pic.s.chip[0].lowest, 7);
    CU_ASSERT_EQUAL(pic.s.chip[0].special_mask, 0);
    /* With a slave, but without ICW4: ICW3 is the last. It starts with nothing in service, or a guest
     * that sets it up anew would get no interrupt. */
    out(&pic, 0x20, 0x10), out(&pic, 0x21, 0x20), out(&pic, 0x21, 4);
    CU_ASSERT_EQUAL(read_isr(&pic, 0x20), 0);
    out(&pic, 0x21, 0xfd); /* already OCW1 */
    CU_ASSERT_EQUAL(in(&pic, 0x21), 0xfd);
    pulse(&pic, 1);
    CU_ASSERT_TRUE(pic_pending(&pic));
}

static void
test_restored(void)
{
    struct pic pic;
    size_t size = 0;

    set_up(&pic, 1);
    uint8_t *state = pic_ops.state(&pic, &size);
    CU_ASSERT_EQUAL(size, sizeof(pic.s));
    memset(state, 0xff, size); /* a hostile snapshot */
    pic_ops.restored(&pic);
    pic_pending(&pic);
    pic_acknowledge(&pic);
    CU_ASSERT_TRUE(pic.s.chip[0].lowest < 8 && pic.s.chip[1].lowest < 8);
    char text[40];
    pic_ops.describe(&pic, text, sizeof(text));
    CU_ASSERT_EQUAL(strlen(text), sizeof(text) - 1); /* cut, not overrun */
}

static const struct unit_test tests[] = {
    {"after power-on", test_power_on},
    {"edge-triggered", test_edge},
    {"level-triggered, ELCR, LTIM", test_level},
    {"fully nested priorities", test_priority},
    {"masks", test_mask},
    {"cascade", test_cascade},
    {"cascade with wrong ICW3", test_wrong_slave},
    {"spurious IRQ 7 and 15", test_spurious},
    {"rotation", test_rotation},
    {"automatic EOI", test_auto_eoi},
    {"special mask mode", test_special_mask},
    {"special fully nested mode", test_special_fully_nested},
    {"poll mode", test_poll},
    {"initialization words", test_initialization},
    {"a hostile snapshot", test_restored},
    {NULL, NULL},
};
const struct unit_suite suite_device_pic = {"device_pic", tests};
