/*
 * gdb_packets.h - the handlers of gdb's packets, for the table of gdb_stub.c.
 *
 * rest is the packet behind the letters that name it, size its length (a zero byte follows). A
 * handler fills the reply, or leaves it empty for a packet that it does not know.
 */
#ifndef HV_DEBUGGER_GDB_PACKETS_H
#define HV_DEBUGGER_GDB_PACKETS_H

#include "debugger/gdb.h"

typedef enum gdb_next gdb_handler(struct gdb_stub *stub, const char *rest, size_t size,
                                  struct gdb_reply *reply);

/* "Enn" and "OK". */
enum gdb_next gdb_error(struct gdb_reply *reply, int code);
enum gdb_next gdb_ok(struct gdb_reply *reply);
/* "ADDRESS,LENGTH" at *rest, which is moved behind it. */
bool gdb_address_and_length(const char **rest, uint64_t *address, uint64_t *length);

/* gdb_memory.c */
gdb_handler gdb_on_read_registers, gdb_on_read_register, gdb_on_write_registers,
    gdb_on_write_register, gdb_on_read_memory, gdb_on_write_memory, gdb_on_write_binary,
    gdb_on_insert, gdb_on_remove;

/* gdb_query.c */
gdb_handler gdb_on_supported, gdb_on_features, gdb_on_memory_map, gdb_on_monitor, gdb_on_no_ack,
    gdb_on_ok, gdb_on_thread, gdb_on_first_threads, gdb_on_last_thread, gdb_on_attached,
    gdb_on_detach, gdb_on_kill, gdb_on_polite_kill;

#endif
