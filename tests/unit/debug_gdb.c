/*
 * debug_gdb.c - tests of hv/debugger/gdb_*.c: frames, registers and memory, long answers. With a real
 * gdb at the other end: tests/cli/gdb.sh; packets that none would send: tests/fuzz/gdb.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/gdb.h"
#include "debugger/values.h"
#include "tests/unit/debug_machine.h"
#include "tests/unit/suites.h"
#include "tests/unit/unit.h"

/* --- frames --------------------------------------------------------------------------------------- */

/* What the last byte of `bytes` makes of them. */
static enum gdb_token
feed(struct gdb_input *in, const char *bytes)
{
    enum gdb_token token = GDB_NOTHING;

    while (*bytes)
        token = gdb_feed(in, (uint8_t)*bytes++);
    return token;
}

/* GDB manual, E.1: the sum of the bytes modulo 256; '}' and the next one XOR 20. */
static void
test_frames(void)
{
    static struct gdb_input in;
    static struct gdb_reply reply;
    static char frame[GDB_PACKET + 5];

    CU_ASSERT_EQUAL(feed(&in, "+"), GDB_ACK);
    CU_ASSERT_EQUAL(feed(&in, "-"), GDB_AGAIN);
    CU_ASSERT_EQUAL(feed(&in, "\3"), GDB_A_BREAK);
    CU_ASSERT_EQUAL(feed(&in, "x$g#67"), GDB_A_PACKET);
    CU_ASSERT_STRING_EQUAL(in.data, "g");
    CU_ASSERT_EQUAL(feed(&in, "$g#68"), GDB_BAD);
    CU_ASSERT_EQUAL(feed(&in, "$g#6x"), GDB_BAD);
    CU_ASSERT_EQUAL(feed(&in, "$a}\3b#43"), GDB_A_PACKET); /* 61 + 7d + 03 + 62 */
    CU_ASSERT_STRING_EQUAL(in.data, "a#b");
    gdb_put_binary(&reply, "a#$}*b", 6);
    CU_ASSERT_EQUAL(reply.size, 10);
    CU_ASSERT_EQUAL(memcmp(reply.data, "a}\3}\4}]}\nb", 10), 0);
    frame[gdb_frame(&reply, frame)] = 0;
    CU_ASSERT_EQUAL(feed(&in, frame), GDB_A_PACKET);
    CU_ASSERT_STRING_EQUAL(in.data, "a#$}*b");
    /* The longest is taken, one byte more is not. */
    feed(&in, "$");
    for (unsigned i = 0; i < GDB_PACKET; i++)
        gdb_feed(&in, '@');
    CU_ASSERT_EQUAL(feed(&in, "#00"), GDB_A_PACKET); /* 4000 * 40 */
    feed(&in, "$");
    for (unsigned i = 0; i < GDB_PACKET + 256; i++)
        gdb_feed(&in, '@');
    CU_ASSERT_EQUAL(feed(&in, "#00"), GDB_BAD);
}

/* --- packets ---------------------------------------------------------------------------------------- */

static struct gdb_reply reply;

static const char *
answer(struct fake_machine *fake, const char *packet)
{
    struct gdb_stub stub = {.debugger = &fake->debugger};

    CU_ASSERT_EQUAL(gdb_answer(&stub, packet, strlen(packet), &reply), GDB_STAY);
    return reply.data;
}

/* Each register comes back as it went, and no other with it. */
static void
test_registers(void)
{
    struct x86_regs regs, before;

    memset(&regs, 0x5a, sizeof(regs));
    for (unsigned i = 0; i < gdb_reg_count; i++) {
        uint8_t bytes[16], now[16];
        unsigned changed = 0;
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = (uint8_t)(i + 1);
        before = regs;
        CU_ASSERT(gdb_reg_set(&regs, i, bytes));
        CU_ASSERT_EQUAL(gdb_reg_get(&regs, i, now), gdb_reg_size(i));
        CU_ASSERT(gdb_reg_size(i) >= 4);
        for (unsigned other = 0; other < gdb_reg_count; other++) {
            uint8_t was[16] = {0}, is[16] = {0};
            gdb_reg_get(&before, other, was);
            gdb_reg_get(&regs, other, is);
            changed += other != i && memcmp(was, is, sizeof(was));
        }
        CU_ASSERT_EQUAL(changed, 0);
    }
    CU_ASSERT_EQUAL(gdb_reg_size(gdb_reg_count), 0);
    /* FSTENV's tags (SDM vol. 1, 8.1.7): registers 0 and 7 are in use, the others are empty. */
    uint8_t tags[16];
    regs.fx[4] = 0x81;
    for (unsigned i = 0; i < gdb_reg_count; i++)
        if (gdb_reg_get(&regs, i, tags) == 4 && tags[0] == 0xfc && tags[1] == 0x3f) {
            CU_ASSERT(gdb_reg_set(&regs, i, (const uint8_t[16]){0xff, 0xff}));
            CU_ASSERT_EQUAL(regs.fx[4], 0);
            return;
        }
    CU_FAIL("no register of tags");
}

static void
test_packets(void)
{
    struct fake_machine fake;

    fake_machine_open(&fake);
    memcpy(fake.memory, "\1\2\3\4", 4);
    fake.regs.gpr[X86_RAX] = 0x1122;
    CU_ASSERT_STRING_EQUAL(answer(&fake, "p0"), "2211000000000000");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "P0=0300000000000000"), "OK");
    CU_ASSERT_EQUAL(fake.regs.gpr[X86_RAX], 3);
    CU_ASSERT_STRING_EQUAL(answer(&fake, "P0=03"), "E16"); /* EINVAL: too few digits */
    CU_ASSERT_STRING_EQUAL(answer(&fake, "m1001,3"), "020304");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "m0,4"), "E0e");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "M1000,2:aabb"), "OK");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "m1000,3"), "aabb03");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "M1000,3:aabb"), "E16");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "X1000,2:yz"), "OK");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "m1000,3"), "797a03");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "X1000,3:yz"), "E16");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "qC"), "QC1");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "vUnknown"), "");
    /* A document comes in parts: all but the last begin with 'm'. */
    CU_ASSERT_STRING_EQUAL(answer(&fake, "qXfer:features:read:target.xml:0,5"), "m<?xml");
    CU_ASSERT_STRING_EQUAL(answer(&fake, "qXfer:features:read:target.xml:fffff,5"), "l");
    fake_machine_close(&fake);
}

/* `monitor` with more to say than a packet holds: the end is marked, and all of it is text. */
static void
test_long_answer(void)
{
    static const char end[] = "\n[...]\n";
    static uint8_t text[GDB_PACKET / 2];
    struct fake_machine fake;
    struct gdb_stub stub = {.debugger = &fake.debugger};
    char packet[1024] = "qRcmd,", command[512] = "printf \"";
    const char *digits = reply.data;
    struct error err = {""};

    fake_machine_open(&fake);
    values_close(fake.debugger.values);
    CU_ASSERT_EQUAL_FATAL(debugger_open(&fake.debugger, &fake.machine, NULL, &err), 0);
    for (unsigned i = 0; i < 45; i++) /* of 200 bytes each */
        strcat(command, "%200d");
    strcat(command, "\"");
    for (unsigned i = 0; i < 45; i++)
        strcat(command, ",1");
    for (unsigned i = 0; command[i]; i++)
        sprintf(packet + 6 + 2 * i, "%02x", (unsigned)command[i]);
    CU_ASSERT_EQUAL(gdb_answer(&stub, packet, strlen(packet), &reply), GDB_STAY);
    CU_ASSERT_EQUAL_FATAL(reply.size, GDB_PACKET);
    CU_ASSERT(gdb_hex_bytes(&digits, text, sizeof(text)));
    CU_ASSERT_EQUAL(memcmp(text + sizeof(text) - strlen(end), end, strlen(end)), 0);
    CU_ASSERT_PTR_NULL(memchr(text, 0, sizeof(text)));
    debugger_close(&fake.debugger);
}

static const struct unit_test tests[] = {
    {"frames", test_frames},
    {"registers go and come back", test_registers},
    {"packets and their answers", test_packets},
    {"a long answer to monitor", test_long_answer},
    {NULL, NULL},
};

const struct unit_suite suite_debug_gdb = {"debug_gdb", tests};
