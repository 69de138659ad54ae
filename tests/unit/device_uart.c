/* device_uart.c - tests of hv/device/uart16550.c against the NS16550D data sheet. */
#include <string.h>

#include "device/uart16550.h"
#include "tests/unit/suites.h"

struct rig {
    struct uart uart;
    struct console console;
    int level;
    unsigned rises;
};

static void
wire(void *ctx, unsigned number, int level)
{
    struct rig *rig = ctx;

    CU_ASSERT_EQUAL(number, 4);
    rig->rises += level && !rig->level;
    rig->level = level;
}

static void
set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    console_open(&rig->console, "null", NULL);
    rig->console.keep = true;
    rig->uart.irq = (struct line){wire, rig, 4};
    rig->uart.console = &rig->console;
    uart_ops.reset(&rig->uart);
}

static void
out(struct rig *rig, unsigned reg, uint8_t v)
{
    uart_ops.write(&rig->uart, reg, 1, v);
}

static uint8_t
in(struct rig *rig, unsigned reg)
{
    return (uint8_t)uart_ops.read(&rig->uart, reg, 1);
}

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
enum { THR = 0, FCR = 2 };
#define OUT2 0x08
#define LOOP 0x10

/* "Table II. UART reset configuration". */
static void
test_reset(void)
{
    struct rig rig;

    set_up(&rig);
    CU_ASSERT_EQUAL(in(&rig, IER), 0);
    CU_ASSERT_EQUAL(in(&rig, IIR), 1);
    CU_ASSERT_EQUAL(in(&rig, LCR), 0);
    CU_ASSERT_EQUAL(in(&rig, MCR), 0);
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x60);
    CU_ASSERT_EQUAL(in(&rig, MSR), 0xb0); /* a peer that is there: DCD, DSR, CTS */
    CU_ASSERT_EQUAL(rig.level, 0);
}

static void
test_registers(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, SCR, 0xa5);
    CU_ASSERT_EQUAL(in(&rig, SCR), 0xa5);
    out(&rig, IER, 0xff);
    CU_ASSERT_EQUAL(in(&rig, IER), 0x0f); /* bits 4-7 are always 0 */
    out(&rig, MCR, 0xff);
    CU_ASSERT_EQUAL(in(&rig, MCR), 0x1f); /* bits 5-7 are always 0 */
    out(&rig, MCR, 0);
    out(&rig, LCR, 0x83); /* DLAB: registers 0 and 1 are the divisor */
    out(&rig, 0, 0x34);
    out(&rig, 1, 0x12);
    CU_ASSERT_EQUAL(in(&rig, 0), 0x34);
    CU_ASSERT_EQUAL(in(&rig, 1), 0x12);
    CU_ASSERT_EQUAL(rig.console.bytes_out, 0);
    out(&rig, LCR, 0x03);
    CU_ASSERT_EQUAL(in(&rig, IER), 0x0f);
    CU_ASSERT_EQUAL(in(&rig, LCR), 0x03);
    out(&rig, LSR, 0);
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x60);
}

static void
test_output(void)
{
    struct rig rig;

    set_up(&rig); /* nothing programmed at all */
    out(&rig, THR, 'h');
    out(&rig, THR, 0xff);
    CU_ASSERT_EQUAL(rig.console.kept_size, 2);
    CU_ASSERT_EQUAL(memcmp(rig.console.kept, "h\xff", 2), 0);
    CU_ASSERT_EQUAL(in(&rig, LSR) & 0x60, 0x60);
    rig.uart.console = NULL;
    out(&rig, THR, 'x'); /* goes nowhere */
    console_free(&rig.console);
}

static void
test_receive(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, IER, 1);
    out(&rig, MCR, OUT2);
    CU_ASSERT_TRUE(uart_feed(&rig.uart, 'a'));
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_FALSE(uart_room(&rig.uart)); /* without FIFOs: one byte */
    CU_ASSERT_FALSE(uart_feed(&rig.uart, 'b'));
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x04);
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x61);
    CU_ASSERT_EQUAL(in(&rig, RBR), 'a');
    CU_ASSERT_EQUAL(rig.level, 0);
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x60); /* no overrun: 'b' was not taken */
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x01);
    CU_ASSERT_EQUAL(in(&rig, RBR), 'a'); /* the buffer keeps its last byte */
}

/* "FIFO interrupt mode operation". */
static void
test_fifo(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, FCR, 0xc0); /* without bit 0 nothing is programmed */
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x01);
    out(&rig, FCR, 0x81); /* on, trigger at 8 */
    CU_ASSERT_EQUAL(in(&rig, IIR), 0xc1);
    out(&rig, IER, 1);
    out(&rig, MCR, OUT2);
    for (unsigned i = 0; i < 16; i++) {
        CU_ASSERT_TRUE(uart_feed(&rig.uart, (uint8_t)i));
        CU_ASSERT_EQUAL(in(&rig, IIR), i < 7 ? 0xcc : 0xc4); /* time-out, then the trigger */
    }
    CU_ASSERT_FALSE(uart_feed(&rig.uart, 99));
    CU_ASSERT_EQUAL(rig.rises, 1);
    for (unsigned i = 0; i < 9; i++)
        CU_ASSERT_EQUAL(in(&rig, RBR), i);
    CU_ASSERT_EQUAL(in(&rig, IIR), 0xcc);     /* 7 are left */
    CU_ASSERT_TRUE(uart_feed(&rig.uart, 16)); /* around the ring */
    for (unsigned i = 9; i < 17; i++)
        CU_ASSERT_EQUAL(in(&rig, RBR), i);
    CU_ASSERT_EQUAL(in(&rig, IIR), 0xc1);
    uart_feed(&rig.uart, 1);
    out(&rig, FCR, 0x83); /* clear the receiver */
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x60);
    uart_feed(&rig.uart, 1);
    out(&rig, FCR, 0); /* turning FIFOs off clears them */
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x60);
    /* "FIFO control register", bits 7 and 6: the trigger level. */
    static const uint8_t level[4] = {1, 4, 8, 14};
    for (unsigned i = 0; i < 4; i++) {
        out(&rig, FCR, (uint8_t)(i << 6 | 3));
        for (unsigned k = 1; k <= 16; k++) {
            uart_feed(&rig.uart, (uint8_t)k);
            CU_ASSERT_EQUAL(in(&rig, IIR), k < level[i] ? 0xcc : 0xc4);
        }
    }
}

/* "Interrupt identification register", IIR 2: transmitter holding register empty. */
static void
test_transmit_interrupt(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, MCR, OUT2);
    out(&rig, IER, 2); /* enabling it with an empty transmitter raises it */
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x02);
    CU_ASSERT_EQUAL(rig.level, 0); /* reading IIR resets it */
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x01);
    out(&rig, IER, 3); /* it is enabled already: nothing new */
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x01);
    out(&rig, THR, 'x');
    CU_ASSERT_EQUAL(rig.level, 1);
    unsigned rises = rig.rises;
    out(&rig, THR, 'y'); /* a new edge for each byte sent */
    CU_ASSERT_EQUAL(rig.rises, rises + 1);
    out(&rig, IER, 0);
    CU_ASSERT_EQUAL(rig.level, 0);
    out(&rig, IER, 2);
    CU_ASSERT_EQUAL(rig.level, 1);
    console_free(&rig.console);
}

/* "Table III": line status, received data, transmitter empty, modem status. */
static void
test_priorities(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, IER, 0x0f);
    out(&rig, MCR, LOOP);
    out(&rig, MCR, LOOP | 0x01); /* DTR: DSR changes */
    out(&rig, THR, 'a');
    out(&rig, THR, 'b'); /* overrun: 'a' is replaced */
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x06);
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x63);
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x04);
    CU_ASSERT_EQUAL(in(&rig, RBR), 'b');
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x02);
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x00);
    CU_ASSERT_EQUAL(in(&rig, MSR) & 0x0f, 0x0b);
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x01);
    CU_ASSERT_EQUAL(rig.rises, 0); /* the pin is cut off in loopback mode */
}

static void
test_loopback(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, MCR, LOOP);
    out(&rig, FCR, 0x01);
    in(&rig, MSR);
    CU_ASSERT_FALSE(uart_feed(&rig.uart, 'x')); /* the input pin is cut off */
    out(&rig, MCR, LOOP | 0x0f);
    CU_ASSERT_EQUAL(in(&rig, MSR), 0xfb); /* RTS-CTS, DTR-DSR, OUT1-RI, OUT2-DCD; RI only rose */
    CU_ASSERT_EQUAL(in(&rig, MSR), 0xf0); /* reading clears the deltas */
    out(&rig, MCR, LOOP | 0x0b);
    CU_ASSERT_EQUAL(in(&rig, MSR), 0xb4); /* TERI: RI fell */
    for (unsigned i = 0; i < 17; i++)
        out(&rig, THR, (uint8_t)i);
    CU_ASSERT_EQUAL(rig.console.bytes_out, 0);
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x63); /* the 17th was lost */
    for (unsigned i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(in(&rig, RBR), i);
    CU_ASSERT_EQUAL(in(&rig, LSR), 0x60);
}

static void
test_out2_gate(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, IER, 1);
    uart_feed(&rig.uart, 'a');
    CU_ASSERT_EQUAL(rig.level, 0);
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x04);
    out(&rig, MCR, OUT2);
    CU_ASSERT_EQUAL(rig.level, 1);
    out(&rig, MCR, 0);
    CU_ASSERT_EQUAL(rig.level, 0);
    out(&rig, MCR, OUT2 | LOOP); /* the pin is inactive in loopback mode */
    CU_ASSERT_EQUAL(in(&rig, IIR), 0x04);
    CU_ASSERT_EQUAL(rig.level, 0);
}

static void
test_snapshot(void)
{
    struct rig rig;
    struct uart_state saved;
    size_t size;

    set_up(&rig);
    out(&rig, FCR, 0x01);
    out(&rig, IER, 1);
    out(&rig, MCR, OUT2);
    uart_feed(&rig.uart, 'a');
    memcpy(&saved, uart_ops.state(&rig.uart, &size), sizeof(saved));
    CU_ASSERT_EQUAL(size, sizeof(saved));
    uart_ops.reset(&rig.uart);
    CU_ASSERT_EQUAL(rig.level, 0);
    memcpy(uart_ops.state(&rig.uart, &size), &saved, sizeof(saved));
    uart_ops.restored(&rig.uart);
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_EQUAL(in(&rig, RBR), 'a');
    memset(&rig.uart.s, 0xff, sizeof(rig.uart.s)); /* a hostile one */
    uart_ops.restored(&rig.uart);
    CU_ASSERT_TRUE(rig.uart.s.count <= UART_FIFO && rig.uart.s.first < UART_FIFO);
}

static const struct unit_test tests[] = {
    {"after reset", test_reset},
    {"registers, DLAB, scratch", test_registers},
    {"output of a guest that sets up nothing", test_output},
    {"receiver without FIFO", test_receive},
    {"receiver FIFO and trigger levels", test_fifo},
    {"transmitter interrupt", test_transmit_interrupt},
    {"interrupt priorities", test_priorities},
    {"loopback mode", test_loopback},
    {"OUT2 gates the interrupt line", test_out2_gate},
    {"snapshots, also hostile", test_snapshot},
    {NULL, NULL},
};
const struct unit_suite suite_device_uart = {"device_uart", tests};
