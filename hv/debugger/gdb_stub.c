/*
 * gdb_stub.c - answers gdb's packets from the machine, one at a time.
 *
 * One row of the table below for each packet that we know; an unknown one gets an empty reply, which
 * tells gdb to do without (GDB manual, E.1). A number in a packet is hexadecimal. "Enn" is an error,
 * nn an errno.
 *
 * Called by gdb_server.c and tests/fuzz/gdb.c. Next: gdb_server.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/gdb_packets.h"
#include "debugger/go.h"
#include "debugger/stops.h"

#define SIGNAL_INT  2
#define SIGNAL_TRAP 5

enum gdb_next
gdb_error(struct gdb_reply *reply, int code)
{
    gdb_print(reply, "E%02x", (unsigned)(code < 0 ? -code : code) & 0xff);
    return GDB_STAY;
}

enum gdb_next
gdb_ok(struct gdb_reply *reply)
{
    gdb_print(reply, "OK");
    return GDB_STAY;
}

/* --- why it stopped ---------------------------------------------------------------------------- */

static void
put_point(struct gdb_stub *stub, struct gdb_reply *reply)
{
    struct stop_entry *entry = stops_find(stub->debugger->stops, stub->last.point, NULL);

    if (!entry)
        return;
    switch (entry->type) {
    case BREAK_SOFT:
    case BREAK_HARD:
        if (stub->reports_breaks)
            gdb_print(reply, "%cwbreak:;", entry->type == BREAK_HARD ? 'h' : 's');
        break;
    case WATCH_WRITE: gdb_print(reply, "watch:%" PRIx64 ";", stub->last.address); break;
    case WATCH_READ: gdb_print(reply, "rwatch:%" PRIx64 ";", stub->last.address); break;
    case WATCH_ACCESS: gdb_print(reply, "awatch:%" PRIx64 ";", stub->last.address); break;
    default: break;
    }
}

/* T: it stopped. W: it is over; but a machine that can go back has not ended for gdb, it stands at
 * the end of what is known. */
static enum gdb_next
put_stop(struct gdb_stub *stub, struct gdb_reply *reply)
{
    const struct machine *machine = stub->debugger->machine;
    const struct stop *stop = &stub->last;

    if (stop->why == STOP_END && !machine_can_go_back(machine, NULL)) {
        gdb_print(reply, "W%02x", (unsigned)machine->result.status & 0xff);
        return GDB_STAY;
    }
    gdb_print(reply, "T%02xthread:1;", stop->why == STOP_INTERRUPTED ? SIGNAL_INT : SIGNAL_TRAP);
    if (stop->why == STOP_POINT)
        put_point(stub, reply);
    else if (stop->why == STOP_BEGINNING)
        gdb_print(reply, "replaylog:begin;");
    else if (stop->why == STOP_END)
        gdb_print(reply, "replaylog:end;");
    return GDB_STAY;
}

/* --- going --------------------------------------------------------------------------------------- */

/* vCont;r: is it still within the source line that gdb steps over? */
static bool
in_range(const struct gdb_stub *stub)
{
    struct machine *machine = stub->debugger->machine;
    struct x86_regs regs;

    return stub->range_first < stub->range_end && stub->last.why == STOP_DONE &&
           !machine->ops->get_regs(machine, &regs, NULL) && regs.rip >= stub->range_first &&
           regs.rip < stub->range_end;
}

void
gdb_go(struct gdb_stub *stub, struct gdb_reply *reply)
{
    struct go go = {.back = stub->back, .instructions = stub->step ? 1 : 0};
    struct machine *machine = stub->debugger->machine;
    struct error err = {""};
    int rc;

    do {
        rc = debugger_go(stub->debugger, &go, &stub->last, &err);
    } while (!rc && in_range(stub));
    if (rc)
        snprintf(stub->note, sizeof(stub->note), "hv: %s\n", err.message);
    else if (stub->last.why == STOP_END)
        snprintf(stub->note, sizeof(stub->note), "hv: %s%s%s\n", run_end_text(machine->result.end),
                 machine->result.message.message[0] ? ": " : "", machine->result.message.message);
    if (rc) /* it did not go, and stands where it stood */
        stub->last = (struct stop){.why = STOP_DONE};
    put_stop(stub, reply);
}

static enum gdb_next
go_on(struct gdb_stub *stub, bool step, bool back)
{
    stub->step = step;
    stub->back = back;
    stub->range_first = stub->range_end = 0;
    return GDB_RUN;
}

/* "c", "s", "C05", "S05": without an address, which gdb has not sent for many years. A signal means
 * nothing to a machine. */
static enum gdb_next
gdb_on_continue(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size, (void)reply;
    return go_on(stub, false, false);
}

static enum gdb_next
gdb_on_step(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size, (void)reply;
    return go_on(stub, true, false);
}

/* "bs", "bc" */
static enum gdb_next
gdb_on_back(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    if (size != 1 || (rest[0] != 's' && rest[0] != 'c'))
        return GDB_STAY;
    if (!machine_can_go_back(stub->debugger->machine, NULL))
        return gdb_error(reply, ENOTSUP);
    return go_on(stub, rest[0] == 's', true);
}

static enum gdb_next
gdb_on_vcont_ask(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "vCont;c;C;s;S;r");
    return GDB_STAY;
}

/* "vCont;ACTION[:THREAD]...": the first action is for our only thread. */
static enum gdb_next
gdb_on_vcont(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    uint64_t first, end;

    (void)size;
    switch (rest[0]) {
    case 'c':
    case 'C': return go_on(stub, false, false);
    case 's':
    case 'S': return go_on(stub, true, false);
    case 'r':
        rest++;
        if (!gdb_hex(&rest, &first) || *rest++ != ',' || !gdb_hex(&rest, &end))
            return gdb_error(reply, EINVAL);
        go_on(stub, true, false);
        stub->range_first = first;
        stub->range_end = end;
        return GDB_RUN;
    default: return gdb_error(reply, EINVAL);
    }
}

static enum gdb_next
gdb_on_why(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size;
    return put_stop(stub, reply);
}

/* --- the table ------------------------------------------------------------------------------------- */

struct packet {
    const char *begin; /* what it begins with; `run` gets what follows */
    bool whole;        /* it is nothing else */
    gdb_handler *run;
};

/* clang-format off */
static const struct packet packets[] = {
    {"?",                                 true,  gdb_on_why},
    {"g",                                 true,  gdb_on_read_registers},
    {"G",                                 false, gdb_on_write_registers},
    {"p",                                 false, gdb_on_read_register},
    {"P",                                 false, gdb_on_write_register},
    {"m",                                 false, gdb_on_read_memory},
    {"M",                                 false, gdb_on_write_memory},
    {"X",                                 false, gdb_on_write_binary},
    {"Z",                                 false, gdb_on_insert},
    {"z",                                 false, gdb_on_remove},
    {"vCont?",                            true,  gdb_on_vcont_ask},
    {"vCont;",                            false, gdb_on_vcont},
    {"vKill;",                            false, gdb_on_polite_kill},
    {"c",                                 false, gdb_on_continue},
    {"C",                                 false, gdb_on_continue},
    {"s",                                 false, gdb_on_step},
    {"S",                                 false, gdb_on_step},
    {"b",                                 false, gdb_on_back},
    {"D",                                 false, gdb_on_detach},
    {"k",                                 true,  gdb_on_kill},
    {"H",                                 false, gdb_on_ok},
    {"T",                                 false, gdb_on_ok},
    {"qSupported",                        false, gdb_on_supported},
    {"QStartNoAckMode",                   true,  gdb_on_no_ack},
    {"qXfer:features:read:target.xml:",   false, gdb_on_features},
    {"qXfer:memory-map:read::",           false, gdb_on_memory_map},
    {"qRcmd,",                            false, gdb_on_monitor},
    {"qfThreadInfo",                      true,  gdb_on_first_threads},
    {"qsThreadInfo",                      true,  gdb_on_last_thread},
    {"qAttached",                         false, gdb_on_attached},
    {"qSymbol::",                         true,  gdb_on_ok},
    {"qC",                                true,  gdb_on_thread},
};
/* clang-format on */

enum gdb_next
gdb_answer(struct gdb_stub *stub, const char *packet, size_t size, struct gdb_reply *reply)
{
    reply->size = 0;
    reply->full = false;
    reply->data[0] = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(packets); i++) {
        const struct packet *p = &packets[i];
        size_t begin = strlen(p->begin);
        if (size >= begin && !memcmp(packet, p->begin, begin) && (!p->whole || size == begin))
            return p->run(stub, packet + begin, size - begin, reply);
    }
    return GDB_STAY;
}
