/* device_kbd.c - tests of hv/device/kbd8042.c: reset, A20, and what drivers ask at start. */
#include <string.h>

#include "device/kbd8042.h"
#include "tests/unit/suites.h"

struct rig {
    struct kbd kbd;
    int irq, a20;
    unsigned rises, resets;
};

static void
wire(void *ctx, unsigned number, int level)
{
    struct rig *rig = ctx;

    if (number == 20) {
        rig->a20 = level;
        return;
    }
    rig->rises += level && !rig->irq;
    rig->irq = level;
}

static void
power(void *ctx, enum power_request what, int status)
{
    (void)status;
    CU_ASSERT_EQUAL(what, POWER_RESET);
    ((struct rig *)ctx)->resets++;
}

static void
set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->kbd.irq = (struct line){wire, rig, 1};
    rig->kbd.a20 = (struct line){wire, rig, 20};
    rig->kbd.power = (struct power_switch){rig, power};
    kbd_ops.reset(&rig->kbd);
}

static void
out(struct rig *rig, unsigned port, uint8_t v)
{
    kbd_ops.write(&rig->kbd, port, 1, v);
}

static uint8_t
in(struct rig *rig, unsigned port)
{
    return (uint8_t)kbd_ops.read(&rig->kbd, port, 1);
}

/* What port 60 has to say after command and data (if >= 0), up to four bytes. */
static uint32_t
answers(struct rig *rig, int command, int data)
{
    uint32_t bytes = 0;

    if (command >= 0)
        out(rig, 0x64, (uint8_t)command);
    if (data >= 0)
        out(rig, 0x60, (uint8_t)data);
    for (unsigned i = 0; i < 4 && in(rig, 0x64) & 1; i++)
        bytes = bytes << 8 | in(rig, 0x60);
    return bytes;
}

static void
test_controller(void)
{
    struct rig rig;

    set_up(&rig);
    CU_ASSERT_EQUAL(in(&rig, 0x64), 0x10); /* empty, not locked, before the self-test */
    out(&rig, 0x64, 0xaa);
    CU_ASSERT_EQUAL(in(&rig, 0x64), 0x1d); /* output full, system flag, a command was last */
    CU_ASSERT_EQUAL(in(&rig, 0x60), 0x55);
    CU_ASSERT_EQUAL(in(&rig, 0x64), 0x1c);
    CU_ASSERT_EQUAL(answers(&rig, 0xab, -1), 0);
    CU_ASSERT_EQUAL(answers(&rig, 0x60, 0x65), 0); /* write the command byte */
    CU_ASSERT_EQUAL(in(&rig, 0x64) & 0x08, 0);     /* data was last */
    CU_ASSERT_EQUAL(answers(&rig, 0x20, -1), 0x65);
    out(&rig, 0x64, 0xad);
    CU_ASSERT_EQUAL(answers(&rig, 0x20, -1), 0x75);
    out(&rig, 0x64, 0xae);
    CU_ASSERT_EQUAL(answers(&rig, 0x20, -1), 0x65);
    CU_ASSERT_EQUAL(in(&rig, 0x64) & 0x04, 0x04);  /* status bit 2 is the command byte's... */
    CU_ASSERT_EQUAL(answers(&rig, 0x61, 0x00), 0); /* ...and no other one's */
    CU_ASSERT_EQUAL(in(&rig, 0x64) & 0x04, 0x04);
    CU_ASSERT_EQUAL(answers(&rig, 0x60, 0x61), 0);
    CU_ASSERT_EQUAL(in(&rig, 0x64) & 0x04, 0);
    /* Output port, bit 4: the output buffer is full. */
    out(&rig, 0x64, 0xab);
    CU_ASSERT_EQUAL(answers(&rig, 0xd0, -1), 0x00df);
    CU_ASSERT_EQUAL(answers(&rig, 0xd0, -1), 0xcf);
    CU_ASSERT_EQUAL(answers(&rig, 0x7f, 0xa5), 0); /* RAM */
    CU_ASSERT_EQUAL(answers(&rig, 0x3f, -1), 0xa5);
    CU_ASSERT_EQUAL(answers(&rig, 0xd2, 0x1c), 0x1c); /* as if the keyboard had sent it */
    /* No mouse: its commands get no answer, and their data does not reach the keyboard. */
    CU_ASSERT_EQUAL(answers(&rig, 0xa9, -1), 0);
    CU_ASSERT_EQUAL(answers(&rig, 0xd4, 0xff), 0);
    CU_ASSERT_EQUAL(rig.resets, 0);
}

static void
test_reset_pulse(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x64, 0xff); /* pulses nothing */
    out(&rig, 0x64, 0xf1);
    CU_ASSERT_EQUAL(rig.resets, 0);
    out(&rig, 0x64, 0xfe);
    CU_ASSERT_EQUAL(rig.resets, 1);
    out(&rig, 0x64, 0xd1); /* bit 0 of the output port */
    out(&rig, 0x60, 0xfe);
    CU_ASSERT_EQUAL(rig.resets, 2);
    out(&rig, 0x92, 0x02);
    CU_ASSERT_EQUAL(rig.resets, 2);
    out(&rig, 0x92, 0x03); /* port 92: a rise of bit 0 */
    CU_ASSERT_EQUAL(rig.resets, 3);
    out(&rig, 0x92, 0x03);
    CU_ASSERT_EQUAL(rig.resets, 3);
}

static void
test_a20(void)
{
    struct rig rig;

    set_up(&rig);
    CU_ASSERT_EQUAL(rig.a20, 1);
    out(&rig, 0x64, 0xdd);
    CU_ASSERT_EQUAL(rig.a20, 0);
    out(&rig, 0x64, 0xdf);
    CU_ASSERT_EQUAL(rig.a20, 1);
    out(&rig, 0x64, 0xd1);
    out(&rig, 0x60, 0xdd);
    CU_ASSERT_EQUAL(rig.a20, 0);
    CU_ASSERT_EQUAL(answers(&rig, 0xd0, -1) & 0x03, 0x01);
    out(&rig, 0x92, 0x02); /* either owner opens it */
    CU_ASSERT_EQUAL(rig.a20, 1);
    CU_ASSERT_EQUAL(in(&rig, 0x92), 0x02);
    out(&rig, 0x92, 0x00);
    CU_ASSERT_EQUAL(rig.a20, 0);
    kbd_ops.reset(&rig.kbd);
    CU_ASSERT_EQUAL(rig.a20, 1);
}

static void
test_keyboard(void)
{
    struct rig rig;

    set_up(&rig);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xff), 0xfaaa);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xf2), 0xfaab83);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xee), 0xee);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xf4), 0xfa);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xed), 0xfa);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xff), 0xfa); /* the LEDs, not a reset */
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xf0), 0xfa);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0x00), 0xfa02);
    CU_ASSERT_EQUAL(answers(&rig, -1, 0x12), 0xfe); /* no command: resend */
    out(&rig, 0x64, 0x60);
    out(&rig, 0x60, 0x40); /* translated to scan set 1 */
    CU_ASSERT_EQUAL(answers(&rig, -1, 0xf2), 0xfaab41);
}

static void
test_irq(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x60, 0xf2);
    CU_ASSERT_EQUAL(rig.irq, 0); /* not enabled */
    out(&rig, 0x64, 0x60);
    out(&rig, 0x60, 0x01);
    CU_ASSERT_EQUAL(rig.irq, 1);
    in(&rig, 0x60);
    CU_ASSERT_EQUAL(rig.rises, 2); /* each byte is a new edge */
    in(&rig, 0x60);
    in(&rig, 0x60);
    CU_ASSERT_EQUAL(rig.irq, 0);
    CU_ASSERT_EQUAL(rig.rises, 3);
    CU_ASSERT_EQUAL(in(&rig, 0x60), 0x83); /* the buffer keeps its last byte */
    CU_ASSERT_EQUAL(in(&rig, 0x64) & 1, 0);
}

static void
test_flood(void)
{
    struct rig rig;
    unsigned n = 0;

    set_up(&rig);
    for (unsigned i = 0; i < 1000; i++)
        out(&rig, 0x60, 0xff);
    while (in(&rig, 0x64) & 1)
        in(&rig, 0x60), n++;
    CU_ASSERT_EQUAL(n, KBD_QUEUE);
    memset(&rig.kbd.s, 0xff, sizeof(rig.kbd.s)); /* a hostile snapshot */
    kbd_ops.restored(&rig.kbd);
    CU_ASSERT_TRUE(rig.kbd.s.first < KBD_QUEUE && rig.kbd.s.count <= KBD_QUEUE);
    for (unsigned i = 0; i < 256; i++) { /* every command, with data */
        out(&rig, 0x64, (uint8_t)i);
        out(&rig, 0x60, (uint8_t)i);
        in(&rig, 0x60);
    }
}

static const struct unit_test tests[] = {
    {"controller commands", test_controller},
    {"reset", test_reset_pulse},
    {"A20", test_a20},
    {"the keyboard's answers", test_keyboard},
    {"IRQ 1", test_irq},
    {"a guest that never reads", test_flood},
    {NULL, NULL},
};
const struct unit_suite suite_device_kbd = {"device_kbd", tests};
