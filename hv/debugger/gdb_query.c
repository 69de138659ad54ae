/*
 * gdb_query.c - gdb's questions: what we can do, which registers and memory there are, threads; and
 * `monitor`, which is our own command table.
 *
 * Called through the table of gdb_stub.c. Next: gdb_server.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/gdb_packets.h"

/* --- queries ------------------------------------------------------------------------------------- */

enum gdb_next
gdb_on_supported(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
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

    if (!gdb_address_and_length(&where, &offset, &length))
        return gdb_error(reply, EINVAL);
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

enum gdb_next
gdb_on_features(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
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
enum gdb_next
gdb_on_memory_map(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
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
enum gdb_next
gdb_on_monitor(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct debugger *debugger = stub->debugger;
    char line[1024], *text = NULL;
    size_t length = size / 2, printed = 0;
    struct error err = {""};
    FILE *out = debugger->out, *memory;

    if (size % 2 || length >= sizeof(line) || !gdb_hex_bytes(&rest, line, length) ||
        memchr(line, 0, length))
        return gdb_error(reply, EINVAL);
    line[length] = 0;
    memory = open_memstream(&text, &printed);
    if (!memory)
        return gdb_error(reply, ENOMEM);
    bool color = debugger->settings.color;
    debugger->out = memory;
    debugger->settings.color = false;
    if (debugger_execute(debugger, line, &err))
        fprintf(memory, "%s\n", err.message);
    debugger->out = out;
    debugger->settings.color = color;
    fclose(memory);
    if (printed > GDB_PACKET / 2) /* the end is cut, and the user must know */
        memcpy(text + GDB_PACKET / 2 - 7, "\n[...]\n", 7);
    gdb_put_hex(reply, text, printed < GDB_PACKET / 2 ? printed : GDB_PACKET / 2);
    free(text);
    return reply->size ? GDB_STAY : gdb_ok(reply);
}

enum gdb_next
gdb_on_no_ack(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)rest, (void)size;
    stub->no_ack = true;
    return gdb_ok(reply);
}

enum gdb_next
gdb_on_ok(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    return gdb_ok(reply);
}

/* One machine, one processor: thread 1, and it was there before gdb came. */
enum gdb_next
gdb_on_thread(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "QC1");
    return GDB_STAY;
}

enum gdb_next
gdb_on_first_threads(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "m1");
    return GDB_STAY;
}

enum gdb_next
gdb_on_last_thread(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "l");
    return GDB_STAY;
}

enum gdb_next
gdb_on_attached(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_print(reply, "1");
    return GDB_STAY;
}

enum gdb_next
gdb_on_detach(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_ok(reply);
    return GDB_DETACH;
}

enum gdb_next
gdb_on_kill(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size, (void)reply;
    return GDB_KILL;
}

enum gdb_next
gdb_on_polite_kill(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    (void)stub, (void)rest, (void)size;
    gdb_ok(reply);
    return GDB_KILL;
}
