/*
 * demo_html.c - see demo.h. A demo as one page of HTML: nothing is loaded from elsewhere, pictures lie
 * in it. It is well-formed XML, too, so that a test can tell. Arrow keys go from step to step.
 *
 * Called by cmd_demo.c.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/demo.h"
#include "tracer/describe.h"

static const char head[] =
    "<style>\n"
    "body { font: 18px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;\n"
    "  padding: 0 1rem; color: #1b1f24; background: #fff }\n"
    "h1 { font-size: 1.7rem; line-height: 1.2 } .shows { color: #57606a }\n"
    "section { border-left: 4px solid #d0d7de; padding: .1rem 0 .1rem 1rem; margin: 1.6rem 0 }\n"
    "section:target { border-color: #0969da }\n"
    ".told { white-space: pre-line }\n"
    "pre { font: 14px/1.4 ui-monospace, monospace; overflow-x: auto; margin: .4rem 0;\n"
    "  padding: .6rem .8rem; background: #f6f8fa }\n"
    "pre.typed { background: #24292f; color: #f6f8fa; white-space: pre-wrap }\n"
    ".checked { color: #1a7f37; font-size: .85rem; margin: .2rem 0 }\n"
    "figure { margin: 1rem 0; background: #fff; overflow-x: auto } img { max-width: 100% }\n"
    "figcaption, nav { color: #57606a; font-size: .9rem }\n"
    "@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3 }\n"
    "  pre { background: #161b22 } pre.typed { background: #30363d } section { border-color: "
    "#30363d }\n"
    "  .checked { color: #3fb950 } .shows, figcaption, nav { color: #9198a1 } }\n"
    "@media print { body { font-size: 11pt } pre { white-space: pre-wrap } section { "
    "break-inside: avoid } }\n"
    "</style>\n";

/* No "<" and no "&amp;" in it, because the page is XML, too. */
static const char script[] =
    "<script>\n"
    "document.addEventListener('keydown', function (event) {\n"
    "  var by = {ArrowRight: 1, PageDown: 1, n: 1, ArrowLeft: -1, PageUp: -1, b: -1}[event.key];\n"
    "  if (!by) return;\n"
    "  var to = document.getElementById('s' + (Number(location.hash.slice(2) || 0) + by));\n"
    "  if (!to) return;\n"
    "  event.preventDefault();\n"
    "  location.hash = to.id;\n"
    "});\n"
    "</script>\n";

/* Text as XML has it. Of the characters below space it knows two. */
static void
put_text(FILE *file, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        unsigned letter = describe_utf8(text);
        if (letter > 1) {
            fwrite(text, 1, letter, file);
            text += letter - 1;
        } else if (c == '<')
            fputs("&lt;", file);
        else if (c == '>')
            fputs("&gt;", file);
        else if (c == '&')
            fputs("&amp;", file);
        else if (c == '"')
            fputs("&quot;", file);
        else if (c >= 0x80)
            fprintf(file, "&#%u;", c); /* a guest's byte that is no UTF-8 */
        else if (c >= ' ' || c == '\n' || c == '\t')
            fputc(c, file);
    }
}

static void
put_base64(FILE *file, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)data[i] << 16;
        if (i + 1 < size)
            three |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < size)
            three |= data[i + 2];
        fputc(digits[three >> 18], file);
        fputc(digits[three >> 12 & 0x3f], file);
        fputc(i + 1 < size ? digits[three >> 6 & 0x3f] : '=', file);
        fputc(i + 2 < size ? digits[three & 0x3f] : '=', file);
    }
}

static void
put_picture(FILE *file, const struct demo_step *s)
{
    const char *dot = strrchr(s->picture, '.');
    const char *type = dot && !strcmp(dot, ".png") ? "png" : "svg+xml";

    fprintf(file, "<figure><img src=\"data:image/%s;base64,", type);
    put_base64(file, (const unsigned char *)s->image, s->image_size);
    fputs("\" alt=\"", file);
    put_text(file, s->caption[0] ? s->caption : s->picture);
    fputs("\" /><figcaption>", file);
    put_text(file, s->caption);
    fputs("</figcaption></figure>\n", file);
}

static void
put_command(FILE *file, const struct demo *demo, const struct demo_step *s, unsigned *session)
{
    fputs("<pre class=\"typed\">", file);
    if (!s->shell && *session != s->session + 1) {
        fputs("$ hv debug ", file);
        put_text(file, demo->session_words[s->session]);
        fputc('\n', file);
        *session = s->session + 1;
    }
    fputs(s->shell ? "$ " : "(hv) ", file);
    put_text(file, s->command);
    fputs("</pre>\n", file);
    if (s->output[0]) {
        fputs("<pre>", file);
        put_text(file, s->output);
        fputs("</pre>\n", file);
    }
    for (unsigned i = 0; i < s->checks; i++) {
        fprintf(file, "<p class=\"checked\">checked: %s &#8220;",
                s->check[i].absent ? "nowhere" : "it says");
        put_text(file, s->check[i].text);
        fputs("&#8221;</p>\n", file);
    }
    if (s->picture)
        put_picture(file, s);
}

static void
put_page(FILE *file, const struct demo *demo)
{
    unsigned session = 0;

    fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
          "<meta charset=\"utf-8\" />\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n<title>",
          file);
    put_text(file, demo->title);
    fprintf(file, "</title>\n%s</head>\n<body>\n<h1>", head);
    put_text(file, demo->title);
    fputs("</h1>\n<p class=\"shows\">", file);
    put_text(file, demo->shows);
    fprintf(
        file,
        "</p>\n<nav>%u steps, as they were executed. Arrow keys go from one to the next.</nav>\n",
        demo->steps);
    for (unsigned i = 0; i < demo->steps; i++) {
        const struct demo_step *s = &demo->step[i];
        fprintf(file, "<section id=\"s%u\">\n", i + 1);
        if (s->told) {
            fputs("<p class=\"told\">", file);
            put_text(file, s->told);
            fputs("</p>\n", file);
        }
        if (s->command)
            put_command(file, demo, s, &session);
        fputs("</section>\n", file);
    }
    fprintf(file, "%s</body>\n</html>\n", script);
}

int
demo_write_html(const struct demo *demo, const char *path, struct error *err)
{
    FILE *file = fopen(path, "we");

    if (!file)
        return error_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
    put_page(file, demo);
    if (ferror(file) | fclose(file))
        return error_set(err, EIO, "cannot write '%s' to its end", path);
    return 0;
}
