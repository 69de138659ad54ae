/*
 * svg.c - see svg.h.
 */
#include <inttypes.h>

#include "tracer/picture.h"
#include "tracer/svg.h"

void
svg_begin(FILE *out, uint64_t width, uint64_t height, const char *style)
{
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%" PRIu64 "\" height=\"%" PRIu64
            "\" viewBox=\"0 0 %" PRIu64 " %" PRIu64 "\">\n"
            "<style>text{font:12px Helvetica,Arial,sans-serif}.title{font-size:16px;font-weight:"
            "bold}.note{font-size:10px;fill:#555}%s</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            width, height, width, height, style);
}

void
svg_text(FILE *out, uint64_t x, uint64_t y, const char *class, const char *text)
{
    if (!text[0])
        return;
    fprintf(out, "<text x=\"%" PRIu64 "\" y=\"%" PRIu64 "\" class=\"%s\">", x, y, class);
    picture_text(out, text);
    fprintf(out, "</text>");
}
