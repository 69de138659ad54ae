/*
 * put.h - text written fast: what exports a recording prints some ten million numbers.
 *
 * Nothing here fails at once: what could not be written is known after put_end(). Used by the
 * exporters (view_csv.c, view_jsonl.c, view_chrome.c, ctf.c) and view_stats_json.c.
 */
#ifndef TRACER_PUT_H
#define TRACER_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PUT_SIZE 65536u

struct put {
    FILE *out;
    int rc; /* 0, or the first error */
    size_t used;
    char text[PUT_SIZE];
};

void put_begin(struct put *put, FILE *out);
/* Writes what is left. 0 or -errno. */
int put_end(struct put *put);

void put_bytes(struct put *put, const void *bytes, size_t size);
void put_text(struct put *put, const char *text);
void put_char(struct put *put, char c);
/* 1234, and 0x4d2. */
void put_number(struct put *put, uint64_t number);
void put_hex(struct put *put, uint64_t number);
/* ns as microseconds, exactly: 1.234. */
void put_us(struct put *put, uint64_t ns);
/* A string of JSON with its quotes: " and \ and control characters are escaped, and what is not
 * UTF-8 becomes U+FFFD, so that no reader refuses the file. */
void put_json(struct put *put, const char *text);
/* What stands before a value, as {"events": or ,"rip": and then the value: a string, a number, or a
 * number as a string, "0x101208". */
void put_json_text(struct put *put, const char *before, const char *text);
void put_json_number(struct put *put, const char *before, uint64_t number);
void put_json_hex(struct put *put, const char *before, uint64_t number);
/* A field of CSV: in quotes if it has to be (RFC 4180, section 2). */
void put_csv(struct put *put, const char *text);

#endif
