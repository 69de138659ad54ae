/*
 * gdb.c - packets as no gdb would send them.
 *
 *   fuzz_gdb [FIRST [COUNT]]: seeds FIRST to FIRST + COUNT - 1 (default 0, 1000000)
 *
 * A packet depends on its seed alone: one that gdb might send with its numbers made wild, a stump of
 * one, or random bytes; some come through the stream with noise between the frames. The machine
 * behind it is a real one (hello64 on soft, under hardware and trap in turn), so what a packet asks
 * for is done: memory is written, breakpoints are set, the machine goes both ways; a timer stops it
 * as Ctrl-C would. Every reply must be one that the protocol knows, and fit. A crash or a sanitizer's
 * report is the defect that is looked for. Called by `make fuzz`, with fewer seeds by `make check`.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/launch.h"
#include "debugger/gdb.h"
#include "tests/random.h"

#define SECONDS 60u   /* for one packet */
#define TICK_US 50000 /* how long a guest may run at once */
#define RENEW   500u  /* packets to one machine */

static uint64_t seed_now;

static struct machine *volatile signal_machine;
static volatile unsigned ticks; /* since the packet began */

static void
on_tick(int number)
{
    (void)number;
    if (signal_machine)
        machine_interrupt(signal_machine);
    if (++ticks < SECONDS * (1000000 / TICK_US))
        return;
    fprintf(stderr, "FAILED: seed %" PRIu64 " does not end\n", seed_now);
    _exit(2);
}

/* --- packets ----------------------------------------------------------------------------------- */

/* N: a number in hexadecimal; B: digits for bytes; everything else is itself. */
static const char *const shapes[] = {
    "?",
    "g",
    "GB",
    "pN",
    "PN=B",
    "mN,N",
    "MN,N:B",
    "XN,N:B",
    "ZN,N,N",
    "zN,N,N",
    "Z0,N,1",
    "Z1,N,1",
    "Z2,N,N",
    "Z3,N,4",
    "Z4,N,8",
    "z0,N,1",
    "vCont?",
    "vCont;c",
    "vCont;s:1",
    "vCont;rN,N:1",
    "c",
    "s",
    "CN",
    "SN",
    "bs",
    "bc",
    "HgN",
    "TN",
    "qSupported:swbreak+;hwbreak+",
    "qC",
    "qfThreadInfo",
    "qsThreadInfo",
    "qAttached:N",
    "qSymbol::",
    "QStartNoAckMode",
    "qXfer:features:read:target.xml:N,N",
    "qXfer:memory-map:read::N,N",
    "qRcmd,B",
    "vKill;N",
};

static const char *const monitor[] = {
    "info registers", "help",
    "stepexit",       "when",
    "p $rip",         "info exits",
    "x/4x $rsp",      "rsx",
    "nonsense",       "info breakpoints",
    "delete",         "seek 3",
    "explain",        "si 50",
    "set $rsp = -8",  "bt",
    "info idt",       "catch exit io",
    "commands",       "end",
    "info walk $rip", "rc",
    "checkpoint",     "restart",
    "gdbserver :no",  "set $cr3 = 0x1000",
    "step",           "x/20i $rip",
    "continue",       "info strategy",
};

static uint64_t
wild_number(uint64_t *state)
{
    static const uint64_t likely[] = {0,
                                      1,
                                      2,
                                      4,
                                      0x7c00,
                                      0x100000,
                                      0x101000,
                                      0xfff,
                                      0x1000,
                                      UINT64_MAX,
                                      UINT64_C(1) << 63,
                                      0x7fffffffffff,
                                      0x4000,
                                      0x2000};
    uint64_t r = random_next(state);

    return r % 4 ? likely[r / 4 % ARRAY_SIZE(likely)] + r / 64 % 5 - 2
                 : random_next(state) >> r / 4 % 64;
}

/* The packet of this seed, at most room bytes. */
static size_t
make_packet(uint64_t seed, char *packet, size_t room)
{
    uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    size_t size = 0;

    if (seed % 8 == 0) { /* bytes */
        size = random_next(&state) % 64;
        for (size_t i = 0; i < size; i++)
            packet[i] = (char)(random_next(&state) >> 24);
        return size;
    }
    if (seed % 8 == 1) {
        const char *line = monitor[random_next(&state) % ARRAY_SIZE(monitor)];
        size = (size_t)snprintf(packet, room, "qRcmd,");
        for (; *line && size + 3 < room; line++)
            size += (size_t)snprintf(packet + size, room - size, "%02x", (unsigned)(uint8_t)*line);
        return size;
    }
    for (const char *s = shapes[random_next(&state) % ARRAY_SIZE(shapes)]; *s && size + 20 < room;
         s++)
        if (*s == 'N')
            size += (size_t)snprintf(packet + size, room - size, "%" PRIx64, wild_number(&state));
        else if (*s == 'B')
            for (uint64_t n = random_next(&state) % 100; n && size + 20 < room; n--)
                size += (size_t)snprintf(packet + size, room - size, "%02x",
                                         (unsigned)(random_next(&state) & 0xff));
        else
            packet[size++] = *s;
    uint64_t r = random_next(&state);
    if (size && r % 8 == 0)
        size = r / 8 % size; /* a stump */
    if (size && r % 8 == 1)
        packet[r / 8 % size] ^= (char)(1 << r / 65536 % 7);
    return size;
}

/* --- one machine -------------------------------------------------------------------------------- */

struct session {
    struct launch launch;
    struct machine machine;
    struct debugger debugger;
    struct gdb_stub stub;
    FILE *out;
};

static bool
session_open(struct session *s, const char *guest, struct error *err)
{
    struct args args = {0};
    struct launch_options options = {
        .guest = guest,
        .engine = "soft",
        .strategy = seed_now / RENEW % 2 ? "trap" : "hardware",
        .mem = 4u << 20,
        .append = "",
        .console = "null",
        .debug_exit_port = 0xf4,
    };

    memset(s, 0, sizeof(*s));
    s->out = fopen("/dev/null", "w");
    if (!s->out || launch_open(&s->launch, &options, &args, err) ||
        machine_open_live(&s->machine, &s->launch.vm, NULL, err) ||
        debugger_open(&s->debugger, &s->machine, s->out, err))
        return false;
    s->stub.debugger = &s->debugger;
    signal_machine = &s->machine;
    return true;
}

static void
session_close(struct session *s)
{
    signal_machine = NULL;
    debugger_close(&s->debugger);
    machine_close(&s->machine);
    launch_close(&s->launch, NULL);
    fclose(s->out);
}

/* What may stand in a reply: an error, OK, a stop, hexadecimal, a document, or nothing. */
static bool
is_reply(const struct gdb_reply *reply)
{
    return reply->size <= GDB_PACKET && strlen(reply->data) <= reply->size && !reply->full;
}

/* Answers it, and lets the machine go if it asks for that. */
static bool
try_packet(struct session *s, const char *packet, size_t size)
{
    static struct gdb_reply reply;

    ticks = 0;
    if (gdb_answer(&s->stub, packet, size, &reply) == GDB_RUN) {
        reply.size = 0;
        gdb_go(&s->stub, &reply);
        s->stub.note[0] = 0;
    }
    return is_reply(&reply);
}

/* The same packet in a frame, with noise before it, byte by byte. */
static bool
try_stream(struct session *s, struct gdb_input *in, const char *packet, size_t size)
{
    static struct gdb_reply whole;
    static char frame[GDB_PACKET + 5];

    whole.size = 0;
    gdb_put_binary(&whole, packet, size);
    size_t n = gdb_frame(&whole, frame);
    gdb_feed(in, (uint8_t)seed_now);
    for (size_t i = 0; i < n; i++)
        if (gdb_feed(in, (uint8_t)frame[i]) == GDB_A_PACKET && !try_packet(s, in->data, in->size))
            return false;
    return true;
}

int
main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000000;
    const char *guest = argc > 3 ? argv[3] : "hello64";
    static struct session session;
    static struct gdb_input in;
    static char packet[1024];
    struct sigaction action = {.sa_handler = on_tick};
    const struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
    struct error err = {""};
    bool good = true;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &tick, NULL);
    for (uint64_t i = 0; good && i < count; i++) {
        seed_now = first + i;
        if (i % RENEW == 0) {
            if (i)
                session_close(&session);
            if (!session_open(&session, guest, &err)) {
                fprintf(stderr, "fuzz_gdb: %s\n", err.message);
                return 1;
            }
        }
        size_t size = make_packet(seed_now, packet, sizeof(packet) - 1);
        packet[size] = 0;
        good = seed_now % 3 ? try_packet(&session, packet, size)
                            : try_stream(&session, &in, packet, size);
    }
    if (count)
        session_close(&session);
    if (!good)
        printf("FAILED: the reply to seed %" PRIu64 " is none\n", seed_now);
    printf("gdb packets: %" PRIu64 " seeds from %" PRIu64 ", %s\n", count, first,
           good ? "all answered" : "FAILED");
    return good ? 0 : 1;
}
