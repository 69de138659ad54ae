/*
 * player.c - see player.h: what is in the page, and in which order.
 *
 *   head     tracer/player/player.html, up to the data; the style sheet is in it
 *   data     one object of JSON, which no browser takes for anything else: see json.h
 *   tail     the scripts
 *
 * A recording is hostile text. It is nowhere but in the JSON; the scripts put it into the page as
 * text, never as HTML; and the page's Content-Security-Policy lets no other script run.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracer/dot.h"
#include "tracer/picture.h"
#include "tracer/player_own.h"

#define PICTURE_MAX (1 << 20) /* bytes: twenty nodes and sixty edges take some 40,000 */

/* embed.S */
extern const char player_head[], player_head_end[], player_tail[], player_tail_end[];

/* --- the parts of the data ---------------------------------------------------------------------- */

static void
print_member(FILE *out, const char *name, const char *text)
{
    fprintf(out, "\"%s\":", name);
    json_text(out, text);
    fputs(",\n", out);
}

static void
print_about(const struct player *p, FILE *out)
{
    const struct trace *t = p->trace;
    const char *slash = strrchr(t->guest, '/');
    const struct view_options *o = &p->options->view;

    print_member(out, "title", o->title ? o->title : "");
    print_member(out, "guest", slash && slash[1] ? slash + 1 : t->guest);
    print_member(out, "engine", t->engine);
    print_member(out, "strategy", t->strategy);
    print_member(out, "command", t->command);
    fprintf(out,
            "\"exits\":%" PRIu64 ",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"events\":%" PRIu64
            ",\"all\":%" PRIu64 ",\"lost\":%" PRIu64
            ",\n\"cut\":%s,\"closed\":%s,\"times\":%s,\"names\":%s,\n",
            t->exits, p->first, p->last, p->events, t->count, t->lost, p->full ? "true" : "false",
            t->closed ? "true" : "false", o->no_times ? "false" : "true",
            o->context ? "true" : "false");
}

static void
print_tables(const struct player *p, FILE *out)
{
    const struct trace *t = p->trace;

    fprintf(out, "\"kinds\":[");
    for (unsigned i = 0; i < t->kinds; i++) {
        fputs(i ? ",\n[" : "\n[", out);
        json_text(out, t->kind[i].name);
        fprintf(out, ",%u,", (unsigned)t->kind[i].class);
        json_text(out, t->kind[i].text);
        fprintf(out, ",%u]", (unsigned)picture_group_of(t, i));
    }
    fprintf(out, "],\n\"groups\":[");
    for (unsigned i = 0; i < GROUP_COUNT; i++)
        fprintf(out, "%s[\"%s\",\"%s\"]", i ? ",\n" : "\n", picture_groups[i].color,
                picture_groups[i].text);
    fprintf(out, "],\n\"actors\":[");
    for (unsigned i = 0; i < t->actors; i++) {
        fputs(i ? ",\n[" : "\n[", out);
        json_text(out, t->actor[i].name);
        fprintf(out, ",%u,\"%s\"]", (unsigned)picture_domain_box[t->actor[i].domain],
                i < TRACE_ACTOR_FIRST_FREE ? picture_actor_text[i] : "");
    }
    fprintf(out, "],\n\"boxes\":[");
    for (unsigned i = 0; i < BOX_COUNT; i++)
        fprintf(out, "%s[\"%s\",\"%s\",\"%s\",\"%s\"]", i ? ",\n" : "\n", picture_boxes[i].name,
                picture_boxes[i].title, picture_boxes[i].fill, picture_boxes[i].line);
    fputs("],\n", out);
}

/* --- the state picture -------------------------------------------------------------------------- */

/* Of the exits on the page, without heading and legend: these are on the page itself. From malloc;
 * NULL: there is none, and result->why says why not. */
static char *
draw_picture(const struct player *p, const char *path, struct player_result *result)
{
    struct view_options options = p->options->view;
    char *svg_path = NULL, *text = NULL;
    size_t size = 0;

    options.bare = true;
    options.limit = p->last && options.from ? p->last - options.from + 1 : p->last;
    if (asprintf(&svg_path, "%s.svg", path) < 0)
        return NULL;
    if (dot_write(&view_state, p->trace, &options, svg_path, result->why, sizeof(result->why)) ==
        0) {
        FILE *f = fopen(svg_path, "re");
        text = f ? malloc(PICTURE_MAX + 1) : NULL;
        if (text)
            size = fread(text, 1, PICTURE_MAX, f);
        for (size_t i = 0; i < size; i++) /* JSON would have none of its ends of lines */
            text[i] = text[i] == '\n' ? ' ' : text[i];
        if (text)
            text[size] = 0;
        if (f)
            fclose(f);
        unlink(svg_path);
        if (!text)
            snprintf(result->why, sizeof(result->why), "the state picture cannot be read");
    }
    result->no_picture = text == NULL;
    free(svg_path);
    return text;
}

/* --- the page ----------------------------------------------------------------------------------- */

static void
print_page(const struct player *p, const char *picture, const char *why, FILE *out)
{
    fwrite(player_head, 1, (size_t)(player_head_end - player_head), out);
    fputs("{\n", out);
    print_about(p, out);
    print_tables(p, out);
    print_member(out, "picture", picture ? picture : "");
    print_member(out, "why", why);
    player_print_source(p, out);
    fputs(",\n", out);
    player_print_events(p, out);
    fputs("}\n", out);
    fwrite(player_tail, 1, (size_t)(player_tail_end - player_tail), out);
}

static int
collect(struct player *p, char *message, size_t size)
{
    const struct trace *t = p->trace;
    uint64_t first, end;
    int rc = view_range(t, &p->options->view, &first, &end, message, size);

    uint64_t exit = rc ? 0 : trace_exits_before(t, first);
    for (uint64_t i = first; rc == 0 && i < end && !p->full; i++) {
        exit += t->kind[t->events[i].kind].class == TRACE_CLASS_EXIT;
        if (describe_is_part(&t->events[i]))
            continue; /* the event before them has said it */
        rc = player_add(p, &t->events[i], exit);
        if (rc)
            snprintf(message, size, "no memory for a page of %" PRIu64 " events", end - first);
    }
    return rc;
}

int
player_write(const struct trace *trace, const struct player_options *options, const char *path,
             struct player_result *result, char *message, size_t size)
{
    struct player p = {.trace = trace, .options = options};
    int rc = trace_check_output(trace, path, message, size);
    FILE *out = NULL;

    memset(result, 0, sizeof(*result));
    if (rc == 0)
        rc = collect(&p, message, size);
    if (rc == 0 && !(out = fopen(path, "we"))) {
        rc = -errno;
        snprintf(message, size, "cannot create '%s': %s", path, strerror(errno));
    }
    if (rc == 0) {
        char *picture = draw_picture(&p, path, result);
        print_page(&p, picture, result->why, out);
        free(picture);
        bool failed = ferror(out);
        if (fclose(out) || failed) {
            rc = failed ? -EIO : -errno;
            snprintf(message, size, "cannot write '%s': %s", path, strerror(-rc));
        }
    }
    result->first = p.first;
    result->last = p.last;
    result->cut = p.full;
    player_free(&p);
    return rc;
}
