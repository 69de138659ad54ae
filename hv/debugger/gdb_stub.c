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
#include "debugger/gdb.h"
#include "debugger/go.h"
#include "debugger/stops.h"

/* Who made an entry of the session's list. */
#define OURS "gdb"

#define SIGNAL_INT  2
#define SIGNAL_TRAP 5

static enum gdb_next
error(struct gdb_reply *reply, int code)
{
    gdb_print(reply, "E%02x", (unsigned)(code < 0 ? -code : code) & 0xff);
    return GDB_STAY;
}

static enum gdb_next
ok(struct gdb_reply *reply)
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
on_continue(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size, (void)reply;
    return go_on(stub, false, false);
}

static enum gdb_next
on_step(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size, (void)reply;
    return go_on(stub, true, false);
}

/* "bs", "bc" */
static enum gdb_next
on_back(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    if (size != 1 || (rest[0] != 's' && rest[0] != 'c'))
        return GDB_STAY;
    if (!machine_can_go_back(stub->debugger->machine, NULL))
        return error(reply, ENOTSUP);
    return go_on(stub, rest[0] == 's', true);
}

static enum gdb_next
on_vcont_ask(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "vCont;c;C;s;S;r");
    return GDB_STAY;
}

/* "vCont;ACTION[:THREAD]...": the first action is for our only thread. */
static enum gdb_next
on_vcont(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
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
            return error(reply, EINVAL);
        go_on(stub, true, false);
        stub->range_first = first;
        stub->range_end = end;
        return GDB_RUN;
    default: return error(reply, EINVAL);
    }
}

/* --- registers ---------------------------------------------------------------------------------- */

static enum gdb_next
on_read_registers(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    struct x86_regs regs;
    uint8_t bytes[16];
    int rc = machine->ops->get_regs(machine, &regs, NULL);

    (void)rest, (void)size;
    if (rc)
        return error(reply, rc);
    for (unsigned i = 0; i < gdb_reg_count; i++)
        gdb_put_hex(reply, bytes, gdb_reg_get(&regs, i, bytes));
    return GDB_STAY;
}

static enum gdb_next
on_read_register(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    struct x86_regs regs;
    uint8_t bytes[16];
    uint64_t number;
    int rc;

    (void)size;
    if (!gdb_hex(&rest, &number) || number >= gdb_reg_count)
        return error(reply, EINVAL);
    if ((rc = machine->ops->get_regs(machine, &regs, NULL)))
        return error(reply, rc);
    gdb_put_hex(reply, bytes, gdb_reg_get(&regs, (unsigned)number, bytes));
    return GDB_STAY;
}

/* Registers [first, end) from hexadecimal text. */
static enum gdb_next
write_registers(struct gdb_stub *stub, unsigned first, unsigned end, const char *text,
                struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    struct x86_regs regs;
    uint8_t bytes[16];
    int rc = machine->ops->get_regs(machine, &regs, NULL);

    for (unsigned i = first; !rc && i < end; i++) {
        if (!gdb_hex_bytes(&text, bytes, gdb_reg_size(i)))
            return error(reply, EINVAL);
        gdb_reg_set(&regs, i, bytes);
    }
    if (!rc)
        rc = machine->ops->set_regs(machine, &regs, NULL);
    return rc ? error(reply, rc) : ok(reply);
}

static enum gdb_next
on_write_registers(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)size;
    return write_registers(stub, 0, gdb_reg_count, rest, reply);
}

static enum gdb_next
on_write_register(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    uint64_t number;

    (void)size;
    if (!gdb_hex(&rest, &number) || *rest++ != '=' || number >= gdb_reg_count)
        return error(reply, EINVAL);
    return write_registers(stub, (unsigned)number, (unsigned)number + 1, rest, reply);
}

/* --- memory --------------------------------------------------------------------------------------- */

/* "ADDRESS,LENGTH" */
static bool
address_and_length(const char **rest, uint64_t *address, uint64_t *length)
{
    if (!gdb_hex(rest, address) || **rest != ',')
        return false;
    ++*rest;
    return gdb_hex(rest, length);
}

/* As much as there is, page by page, from the beginning. */
static enum gdb_next
on_read_memory(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    uint64_t address, length, done = 0;
    uint8_t bytes[PAGE_SIZE];
    int rc = 0;

    (void)size;
    if (!address_and_length(&rest, &address, &length))
        return error(reply, EINVAL);
    if (length > GDB_PACKET / 2)
        length = GDB_PACKET / 2;
    while (done < length) {
        uint64_t n = PAGE_SIZE - (address + done) % PAGE_SIZE;
        if (n > length - done)
            n = length - done;
        rc = machine->ops->read(machine, SPACE_LINEAR, address + done, bytes, n, NULL);
        if (rc)
            break;
        gdb_put_hex(reply, bytes, n);
        done += n;
    }
    return rc && !done ? error(reply, rc) : GDB_STAY;
}

static enum gdb_next
write_memory(struct gdb_stub *stub, uint64_t address, const void *bytes, size_t size,
             struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    int rc = size ? machine->ops->write(machine, SPACE_LINEAR, address, bytes, size, NULL) : 0;

    return rc ? error(reply, rc) : ok(reply);
}

/* "MADDRESS,LENGTH:hexadecimal" */
static enum gdb_next
on_write_memory(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    uint8_t bytes[GDB_PACKET / 2];
    uint64_t address, length;

    (void)size;
    if (!address_and_length(&rest, &address, &length) || *rest++ != ':' || length > sizeof(bytes) ||
        !gdb_hex_bytes(&rest, bytes, length))
        return error(reply, EINVAL);
    return write_memory(stub, address, bytes, length, reply);
}

/* "XADDRESS,LENGTH:bytes" */
static enum gdb_next
on_write_binary(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    const char *end = rest + size;
    uint64_t address, length;

    if (!address_and_length(&rest, &address, &length) || *rest++ != ':' ||
        length != (uint64_t)(end - rest))
        return error(reply, EINVAL);
    return write_memory(stub, address, rest, length, reply);
}

/* --- breakpoints and watchpoints ------------------------------------------------------------------ */

/* "TYPE,ADDRESS,KIND" of Z and z; for watchpoints KIND is a length in bytes. Conditions and commands
 * that might follow were not offered. */
static bool
read_point(const char *rest, struct stop_entry *point)
{
    static const enum stop_type types[] = {BREAK_SOFT, BREAK_HARD, WATCH_WRITE, WATCH_READ,
                                           WATCH_ACCESS};
    uint64_t type;

    if (!gdb_hex(&rest, &type) || type >= ARRAY_SIZE(types) || *rest++ != ',' ||
        !address_and_length(&rest, &point->address, &point->size) || *rest)
        return false;
    point->type = types[type];
    return point->type == BREAK_SOFT || point->type == BREAK_HARD || point->size;
}

static struct stop_entry *
find_point(const struct stops *stops, const struct stop_entry *like)
{
    for (unsigned i = 0; i < stops->count; i++) {
        struct stop_entry *e = stops->entry[i];
        if (!strcmp(e->what, OURS) && e->type == like->type && e->address == like->address &&
            e->size == like->size)
            return e;
    }
    return NULL;
}

/* gdb may say the same twice, and that must be as once (GDB manual, E.2, on "Z"). */
static enum gdb_next
on_insert(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct stops *stops = stub->debugger->stops;
    struct stop_entry point = {0}, *entry;

    (void)size;
    if (!read_point(rest, &point))
        return error(reply, EINVAL);
    if (find_point(stops, &point))
        return ok(reply);
    entry = stops_add(stops, point.type, OURS, NULL);
    if (!entry)
        return error(reply, ENOSPC);
    entry->address = point.address;
    entry->size = point.size;
    stops->changed = true;
    return ok(reply);
}

static enum gdb_next
on_remove(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct stop_entry point = {0}, *entry;

    (void)size;
    if (!read_point(rest, &point))
        return error(reply, EINVAL);
    entry = find_point(stub->debugger->stops, &point);
    if (entry)
        stops_delete(stub->debugger->stops, entry);
    return ok(reply);
}

void
gdb_forget(struct gdb_stub *stub)
{
    struct stops *stops = stub->debugger->stops;

    for (unsigned i = stops->count; i-- > 0;)
        if (!strcmp(stops->entry[i]->what, OURS))
            stops_delete(stops, stops->entry[i]);
}

/* --- queries ------------------------------------------------------------------------------------- */

static enum gdb_next
on_supported(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)size;
    stub->reports_breaks = strstr(rest, "swbreak+") && strstr(rest, "hwbreak+");
    gdb_print(reply, "PacketSize=%x;QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;",
              GDB_PACKET);
    gdb_print(reply, "qXfer:features:read+;qXfer:memory-map:read+");
    if (machine_can_go_back(stub->debugger->machine, NULL))
        gdb_print(reply, ";ReverseStep+;ReverseContinue+");
    return GDB_STAY;
}

/* The part "OFFSET,LENGTH" of a document: 'l' if it is the last, else 'm' (GDB manual, E.4). */
static enum gdb_next
put_part(const char *where, const struct gdb_reply *document, struct gdb_reply *reply)
{
    uint64_t offset, length;

    if (!address_and_length(&where, &offset, &length))
        return error(reply, EINVAL);
    if (offset > document->size)
        offset = document->size;
    uint64_t left = document->size - offset;
    /* Every byte might need an escape. */
    if (length > GDB_PACKET / 2 - 1)
        length = GDB_PACKET / 2 - 1;
    gdb_put(reply, length < left ? "m" : "l", 1);
    gdb_put_binary(reply, document->data + offset, length < left ? length : left);
    return GDB_STAY;
}

static enum gdb_next
on_features(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct gdb_reply xml = {.size = 0};

    (void)stub, (void)size;
    gdb_regs_xml(&xml);
    return put_part(rest, &xml, reply);
}

/*
 * gdb reads and writes linear addresses, and takes what the map leaves out for inaccessible. With
 * paging anything may be anywhere; the two halves are there because 2^64 is no 64-bit length.
 * Without paging addresses are physical, and gdb learns which are ROM: no breakpoint by writing.
 */
static enum gdb_next
on_memory_map(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    struct gdb_reply xml = {.size = 0};
    struct x86_regs regs;
    uint64_t from = 0;
    bool physical = machine->vm && !machine->ops->get_regs(machine, &regs, NULL) &&
                    !(regs.cr0 & CR0_PG);

    (void)size;
    gdb_print(&xml, "<?xml version=\"1.0\"?><memory-map>");
    for (unsigned i = 0; physical && i < machine->vm->ram.roms; i++) {
        const struct rom_region *rom = &machine->vm->ram.rom[i];
        if (rom->gpa < from) /* they are not sorted: said once is enough */
            continue;
        if (rom->gpa > from)
            gdb_print(&xml, "<memory type=\"ram\" start=\"%#" PRIx64 "\" length=\"%#" PRIx64 "\"/>",
                      from, rom->gpa - from);
        gdb_print(&xml, "<memory type=\"rom\" start=\"%#" PRIx64 "\" length=\"%#" PRIx64 "\"/>",
                  rom->gpa, rom->size);
        from = rom->gpa + rom->size;
    }
    gdb_print(&xml, "<memory type=\"ram\" start=\"%#" PRIx64 "\" length=\"%#" PRIx64 "\"/>", from,
              (UINT64_C(1) << 63) - from);
    gdb_print(&xml,
              "<memory type=\"ram\" start=\"0x8000000000000000\" length=\"0x8000000000000000\"/>"
              "</memory-map>");
    return put_part(rest, &xml, reply);
}

/* `monitor COMMAND`: a line of our own debugger; what it prints is the reply. */
static enum gdb_next
on_monitor(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct debugger *debugger = stub->debugger;
    char line[1024], *text = NULL;
    size_t length = size / 2, printed = 0;
    struct error err = {""};
    FILE *out = debugger->out, *memory;

    if (size % 2 || length >= sizeof(line) || !gdb_hex_bytes(&rest, line, length) ||
        memchr(line, 0, length))
        return error(reply, EINVAL);
    line[length] = 0;
    memory = open_memstream(&text, &printed);
    if (!memory)
        return error(reply, ENOMEM);
    bool color = debugger->settings.color;
    debugger->out = memory;
    debugger->settings.color = false;
    if (debugger_execute(debugger, line, &err))
        fprintf(memory, "%s\n", err.message);
    debugger->out = out;
    debugger->settings.color = color;
    fclose(memory);
    if (printed > GDB_PACKET / 2) /* the end is cut, and the user must know */
        snprintf(text + GDB_PACKET / 2 - 8, 9, "\n[...]\n");
    gdb_put_hex(reply, text, printed < GDB_PACKET / 2 ? printed : GDB_PACKET / 2);
    free(text);
    return reply->size ? GDB_STAY : ok(reply);
}

static enum gdb_next
on_why(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size;
    return put_stop(stub, reply);
}

static enum gdb_next
on_no_ack(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size;
    stub->no_ack = true;
    return ok(reply);
}

static enum gdb_next
on_ok(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    return ok(reply);
}

/* One machine, one processor: thread 1, and it was there before gdb came. */
static enum gdb_next
on_thread(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "QC1");
    return GDB_STAY;
}

static enum gdb_next
on_first_threads(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "m1");
    return GDB_STAY;
}

static enum gdb_next
on_last_thread(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "l");
    return GDB_STAY;
}

static enum gdb_next
on_attached(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "1");
    return GDB_STAY;
}

static enum gdb_next
on_detach(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    ok(reply);
    return GDB_DETACH;
}

static enum gdb_next
on_kill(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size, (void)reply;
    return GDB_KILL;
}

static enum gdb_next
on_polite_kill(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    ok(reply);
    return GDB_KILL;
}

/* --- the table ------------------------------------------------------------------------------------- */

struct packet {
    const char *begin; /* what it begins with; `run` gets what follows */
    bool whole;        /* it is nothing else */
    enum gdb_next (*run)(struct gdb_stub *stub, const char *rest, size_t size,
                         struct gdb_reply *reply);
};

/* clang-format off */
static const struct packet packets[] = {
    {"?",                                 true,  on_why},
    {"g",                                 true,  on_read_registers},
    {"G",                                 false, on_write_registers},
    {"p",                                 false, on_read_register},
    {"P",                                 false, on_write_register},
    {"m",                                 false, on_read_memory},
    {"M",                                 false, on_write_memory},
    {"X",                                 false, on_write_binary},
    {"Z",                                 false, on_insert},
    {"z",                                 false, on_remove},
    {"vCont?",                            true,  on_vcont_ask},
    {"vCont;",                            false, on_vcont},
    {"vKill;",                            false, on_polite_kill},
    {"c",                                 false, on_continue},
    {"C",                                 false, on_continue},
    {"s",                                 false, on_step},
    {"S",                                 false, on_step},
    {"b",                                 false, on_back},
    {"D",                                 false, on_detach},
    {"k",                                 true,  on_kill},
    {"H",                                 false, on_ok},
    {"T",                                 false, on_ok},
    {"qSupported",                        false, on_supported},
    {"QStartNoAckMode",                   true,  on_no_ack},
    {"qXfer:features:read:target.xml:",   false, on_features},
    {"qXfer:memory-map:read::",           false, on_memory_map},
    {"qRcmd,",                            false, on_monitor},
    {"qfThreadInfo",                      true,  on_first_threads},
    {"qsThreadInfo",                      true,  on_last_thread},
    {"qAttached",                         false, on_attached},
    {"qSymbol::",                         true,  on_ok},
    {"qC",                                true,  on_thread},
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
