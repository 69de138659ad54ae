/*
 * syscall.h - system calls of Linux on x86-64 in the words that people read.
 *
 * A recording of engine `host` holds a call as numbers and, in notes behind it, the texts that its
 * arguments point to (event.h). The engine asks here which arguments those are; the views and the
 * debugger, what to print.
 */
#ifndef TRACER_SYSCALL_H
#define TRACER_SYSCALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSCALL_ARGUMENTS 6
#define SYSCALL_TEXT      96 /* bytes of a text that are kept */

/* A call with what is known of its arguments. */
struct syscall_values {
    uint64_t number;
    uint64_t argument[SYSCALL_ARGUMENTS];
    unsigned known; /* how many of argument[] are */
    bool foreign;   /* by int 80 or with a 32-bit number: not of this table */
    /* The bytes that an argument points to, if they were read. */
    struct {
        bool there;
        bool cut; /* there are more */
        uint8_t size;
        char bytes[SYSCALL_TEXT];
    } text[SYSCALL_ARGUMENTS];
};

/* NULL: no call has that number. */
const char *syscall_name(uint64_t number);
/* -1: no call of that name (of `length` bytes). */
int syscall_number(const char *name, size_t length);
/* What argument `i` points to: 's', a text with a zero byte at its end; 'b', bytes, as many as the
 * next argument says; 0: nothing that is worth reading. */
char syscall_argument_text(uint64_t number, unsigned i);
/* How many arguments the call has; SYSCALL_ARGUMENTS if that is not known. */
unsigned syscall_argument_count(uint64_t number);

/* "openat(AT_FDCWD, "/etc/passwd", O_RDONLY)"; with names: "openat(dir=AT_FDCWD, ...". Bytes that
 * cannot be printed are escaped; what does not fit is cut. Returns text. */
char *syscall_format(const struct syscall_values *values, bool names, char *text, size_t size);
/* "/etc/passwd" with its quotes, escaped as above; cut: and "..." behind them. Returns text. */
char *syscall_quote(const char *bytes, unsigned count, bool cut, char *text, size_t size);
/* "3", "0x7f0123456000", "-ENOENT"; foreign: number is of another table. Returns text. */
char *syscall_result(uint64_t number, bool foreign, int64_t result, char *text, size_t size);
/* "SIGSEGV"; "signal 99" if it has no name. Returns text. */
char *syscall_signal(uint64_t number, char *text, size_t size);

#endif
