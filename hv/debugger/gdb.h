/*
 * gdb.h - gdb's remote serial protocol: a gdb on the same host debugs the guest.
 *
 * Three parts. gdb_packet.c finds the packets in a stream of bytes. gdb_stub.c answers one packet
 * from the machine, with gdb_memory.c and gdb_query.c; gdb_regs.c says which registers there are, to
 * gdb as XML. gdb_server.c has the socket and lets the machine run. What the packets mean: GDB manual,
 * appendix E.
 *
 * The bytes come from outside: a packet that is malformed gets an error reply (or, if it is unknown, an
 * empty one, as the protocol wants it), and never more.
 */
#ifndef HV_DEBUGGER_GDB_H
#define HV_DEBUGGER_GDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "debugger/debugger.h"

/* Bytes of a packet, either way, without its frame. Hexadecimal: half as many bytes of memory. */
#define GDB_PACKET 16384u

/* --- gdb_packet.c --------------------------------------------------------------------------- */

enum gdb_token {
    GDB_NOTHING,  /* the byte was in the middle of something */
    GDB_A_PACKET, /* in->data, in->size; a zero byte follows */
    GDB_A_BREAK,  /* 03: the user typed Ctrl-C */
    GDB_BAD,      /* wrong checksum or too long: ask for it again */
    GDB_ACK,      /* the other side has our packet ... */
    GDB_AGAIN,    /* ... or wants it once more */
};

struct gdb_input {
    char data[GDB_PACKET + 1];
    size_t size;
    uint8_t state, sum, want;
    bool too_long;
};
enum gdb_token gdb_feed(struct gdb_input *in, uint8_t byte);

/* A reply that grows to at most GDB_PACKET bytes; what does not fit is cut, and full says so. */
struct gdb_reply {
    char data[GDB_PACKET + 1];
    size_t size;
    bool full;
};
void gdb_put(struct gdb_reply *reply, const void *bytes, size_t size);
void gdb_print(struct gdb_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes as hexadecimal digits. */
void gdb_put_hex(struct gdb_reply *reply, const void *bytes, size_t size);
/* Bytes with those escaped that mean something in a packet. */
void gdb_put_binary(struct gdb_reply *reply, const void *bytes, size_t size);
/* $data#sum, ready to be sent: frame has room for GDB_PACKET + 5 bytes, the last for a zero
 * behind it. Returns its size without that. */
size_t gdb_frame(const struct gdb_reply *reply, char *frame);

/* A number in hexadecimal at *text, which is moved behind it. False: there is none, or it is longer
 * than 64 bits. */
bool gdb_hex(const char **text, uint64_t *value);
/* Hexadecimal digits to bytes: exactly `size` of them. False: others follow, or too few. */
bool gdb_hex_bytes(const char **text, void *bytes, size_t size);

/* --- gdb_regs.c ------------------------------------------------------------------------------- */

/* The target description, without the protocol's framing. */
void gdb_regs_xml(struct gdb_reply *xml);
extern const unsigned gdb_reg_count;
/* Register `number` as gdb has it: its bytes, little-endian. Returns how many; 0: no such. */
unsigned gdb_reg_get(const struct x86_regs *regs, unsigned number, uint8_t bytes[16]);
/* False: no such register. */
bool gdb_reg_set(struct x86_regs *regs, unsigned number, const uint8_t *bytes);
unsigned gdb_reg_size(unsigned number);

/* --- gdb_stub.c ------------------------------------------------------------------------------- */

enum gdb_next {
    GDB_STAY,   /* the reply is complete: send it */
    GDB_RUN,    /* let the machine go by gdb_go(), then send the reply */
    GDB_DETACH, /* send the reply, then gdb is gone */
    GDB_KILL,   /* no reply: gdb wants the machine to end */
};

/* gdb's breakpoints are in the session's list (stops.h) beside those of `monitor break`, and hold
 * there the same. */
struct gdb_stub {
    struct debugger *debugger;   /* its machine; the commands for `monitor` */
    bool no_ack, reports_breaks; /* gdb understands swbreak and hwbreak */
    /* What GDB_RUN asks for. */
    bool step, back;
    uint64_t range_first, range_end; /* vCont;r: step while rip is in it; equal: no range */
    struct stop last;
    char note[640]; /* for the user to read; "": nothing */
};

/* Answers one packet. */
enum gdb_next gdb_answer(struct gdb_stub *stub, const char *packet, size_t size,
                         struct gdb_reply *reply);
/* Does what GDB_RUN asks for, and fills the reply with why it stopped. */
void gdb_go(struct gdb_stub *stub, struct gdb_reply *reply);
/* gdb is gone: its breakpoints go too. */
void gdb_forget(struct gdb_stub *stub);

/* --- gdb_server.c ------------------------------------------------------------------------------ */

/*
 * Waits for a gdb at `where` (":PORT" or "HOST:PORT"; without a host on 127.0.0.1 alone; "unix:PATH")
 * and serves it until it detaches, kills the machine, or goes away. *killed: it wants the machine
 * to end. 0 or -errno. Ctrl-C (machine_interrupt) while it waits: -EINTR.
 */
int gdb_serve(struct debugger *debugger, const char *where, bool *killed, struct error *err);

#endif
