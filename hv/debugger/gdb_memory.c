/*
 * gdb_memory.c - gdb's packets about registers, memory and breakpoints.
 *
 * Called through the table of gdb_stub.c. Next: gdb_query.c.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "debugger/gdb_packets.h"
#include "debugger/stops.h"

/* Who made an entry of the session's list. */
#define OURS "gdb"

/* --- registers ---------------------------------------------------------------------------------- */

enum gdb_next
gdb_on_read_registers(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    struct x86_regs regs;
    uint8_t bytes[16];
    int rc = machine->ops->get_regs(machine, &regs, NULL);

    (void)rest, (void)size;
    if (rc)
        return gdb_error(reply, rc);
    for (unsigned i = 0; i < gdb_reg_count; i++)
        gdb_put_hex(reply, bytes, gdb_reg_get(&regs, i, bytes));
    return GDB_STAY;
}

enum gdb_next
gdb_on_read_register(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    struct x86_regs regs;
    uint8_t bytes[16];
    uint64_t number;
    int rc;

    (void)size;
    if (!gdb_hex(&rest, &number) || number >= gdb_reg_count)
        return gdb_error(reply, EINVAL);
    if ((rc = machine->ops->get_regs(machine, &regs, NULL)))
        return gdb_error(reply, rc);
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
            return gdb_error(reply, EINVAL);
        gdb_reg_set(&regs, i, bytes);
    }
    if (!rc)
        rc = machine->ops->set_regs(machine, &regs, NULL);
    return rc ? gdb_error(reply, rc) : gdb_ok(reply);
}

enum gdb_next
gdb_on_write_registers(struct gdb_stub *stub, const char *rest, size_t size,
                       struct gdb_reply *reply)
{
    (void)size;
    return write_registers(stub, 0, gdb_reg_count, rest, reply);
}

enum gdb_next
gdb_on_write_register(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    uint64_t number;

    (void)size;
    if (!gdb_hex(&rest, &number) || *rest++ != '=' || number >= gdb_reg_count)
        return gdb_error(reply, EINVAL);
    return write_registers(stub, (unsigned)number, (unsigned)number + 1, rest, reply);
}

/* --- memory --------------------------------------------------------------------------------------- */

/* "ADDRESS,LENGTH" */
bool
gdb_address_and_length(const char **rest, uint64_t *address, uint64_t *length)
{
    if (!gdb_hex(rest, address) || **rest != ',')
        return false;
    ++*rest;
    return gdb_hex(rest, length);
}

/* As much as there is, page by page, from the beginning. */
enum gdb_next
gdb_on_read_memory(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    uint64_t address, length, done = 0;
    uint8_t bytes[PAGE_SIZE];
    int rc = 0;

    (void)size;
    if (!gdb_address_and_length(&rest, &address, &length))
        return gdb_error(reply, EINVAL);
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
    return rc && !done ? gdb_error(reply, rc) : GDB_STAY;
}

static enum gdb_next
write_memory(struct gdb_stub *stub, uint64_t address, const void *bytes, size_t size,
             struct gdb_reply *reply)
{
    struct machine *machine = stub->debugger->machine;
    int rc = size ? machine->ops->write(machine, SPACE_LINEAR, address, bytes, size, NULL) : 0;

    return rc ? gdb_error(reply, rc) : gdb_ok(reply);
}

/* "MADDRESS,LENGTH:hexadecimal" */
enum gdb_next
gdb_on_write_memory(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    uint8_t bytes[GDB_PACKET / 2];
    uint64_t address, length;

    (void)size;
    if (!gdb_address_and_length(&rest, &address, &length) || *rest++ != ':' ||
        length > sizeof(bytes) || !gdb_hex_bytes(&rest, bytes, length))
        return gdb_error(reply, EINVAL);
    return write_memory(stub, address, bytes, length, reply);
}

/* "XADDRESS,LENGTH:bytes" */
enum gdb_next
gdb_on_write_binary(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    const char *end = rest + size;
    uint64_t address, length;

    if (!gdb_address_and_length(&rest, &address, &length) || *rest++ != ':' ||
        length != (uint64_t)(end - rest))
        return gdb_error(reply, EINVAL);
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
        !gdb_address_and_length(&rest, &point->address, &point->size) || *rest)
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
enum gdb_next
gdb_on_insert(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct stops *stops = stub->debugger->stops;
    struct stop_entry point = {0}, *entry;

    (void)size;
    if (!read_point(rest, &point))
        return gdb_error(reply, EINVAL);
    if (find_point(stops, &point))
        return gdb_ok(reply);
    entry = stops_add(stops, point.type, OURS, NULL);
    if (!entry)
        return gdb_error(reply, ENOSPC);
    entry->address = point.address;
    entry->size = point.size;
    stops->changed = true;
    return gdb_ok(reply);
}

enum gdb_next
gdb_on_remove(struct gdb_stub *stub, const char *rest, size_t size, struct gdb_reply *reply)
{
    struct stop_entry point = {0}, *entry;

    (void)size;
    if (!read_point(rest, &point))
        return gdb_error(reply, EINVAL);
    entry = find_point(stub->debugger->stops, &point);
    if (entry)
        stops_delete(stub->debugger->stops, entry);
    return gdb_ok(reply);
}

void
gdb_forget(struct gdb_stub *stub)
{
    struct stops *stops = stub->debugger->stops;

    for (unsigned i = stops->count; i-- > 0;)
        if (!strcmp(stops->entry[i]->what, OURS))
            stops_delete(stops, stops->entry[i]);
}
