/*
 * json.h - texts and columns of numbers as JSON, safe to stand inside a page of HTML.
 *
 * Used by player.c and by `hv compare --json`; what is long is written with put.h. A column is a
 * sequence of unsigned numbers, seven bits a byte, the lowest first; bit 7 says that more follow
 * (LEB128, as in DWARF 5, 7.6). Small numbers take one byte.
 */
#ifndef TRACER_JSON_H
#define TRACER_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A text with its quotes. What is no UTF-8 or a control character becomes '?', and '<', '>', '&'
 * become escapes: no "</script>" can come out of this. */
void json_text(FILE *out, const char *text);
/* How many bytes that writes at most, for a text of printable ASCII. */
size_t json_text_size(const char *text);

struct json_column {
    uint8_t *byte;
    size_t used, room;
    uint64_t last; /* of json_column_add_delta() */
};

/* 0 or -ENOMEM. */
int json_column_add(struct json_column *column, uint64_t number);
/* The difference to the number before, its sign in bit 0 (zigzag). */
int json_column_add_delta(struct json_column *column, uint64_t number);
/* As a text in base64 (RFC 4648, 4). */
void json_column_print(FILE *out, const struct json_column *column);
void json_column_free(struct json_column *column);

#endif
