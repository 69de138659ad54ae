/*
 * svg.h - what the pictures that we write as SVG ourselves have in common.
 *
 * Used by svg_ladder.c, view_timeline.c and view_flame.c.
 */
#ifndef TRACER_SVG_H
#define TRACER_SVG_H

#include <stdint.h>
#include <stdio.h>

/* The head of a picture of this size (points), white, in 12 point letters. style: more CSS; the
 * classes `title` and `note` are there. End it with "</svg>". */
void svg_begin(FILE *out, uint64_t width, uint64_t height, const char *style);
/* One line of text; nothing for "". It is escaped; class is not. */
void svg_text(FILE *out, uint64_t x, uint64_t y, const char *class, const char *text);

#endif
