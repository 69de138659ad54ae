/*
 * demo_show.c - see demo.h. A demo on a terminal: one key a step, forwards and backwards.
 *
 * A step has two halves, what is told and typed, and what comes out, with a pause between for the
 * question "what will happen?". Called by cmd_demo.c. Next: demo_html.c.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/demo.h"

struct colors {
    const char *told, *typed, *faint, *plain;
};
static const struct colors none = {"", "", "", ""};
static const struct colors bright = {"\033[36m", "\033[1m", "\033[2m", "\033[0m"};

/* The words of hv debug, where a session of it begins. */
static void
print_session(const struct demo *demo, unsigned i, const struct colors *c)
{
    const struct demo_step *s = &demo->step[i];

    if (!s->command || s->shell)
        return;
    for (unsigned k = i; k-- > 0;)
        if (demo->step[k].command && !demo->step[k].shell)
            if (demo->step[k].session == s->session)
                return;
    printf("%s$ hv debug %s%s\n", c->typed, demo->session_words[s->session], c->plain);
}

static void
print_command(const struct demo *demo, unsigned i, const struct colors *c, bool slowly)
{
    const struct demo_step *s = &demo->step[i];

    if (s->told)
        printf("\n%s%s%s\n", c->told, s->told, c->plain);
    if (!s->command)
        return;
    print_session(demo, i, c);
    printf("%s%s", c->typed, s->shell ? "$ " : "(hv) ");
    for (const char *p = s->command; *p; p++) {
        putchar(*p);
        if (slowly && !fflush(stdout))
            sleep_ns(12 * UINT64_C(1000000));
    }
    printf("%s\n", c->plain);
}

static void
print_output(const struct demo *demo, const struct demo_step *s, const struct colors *c)
{
    if (!s->command)
        return;
    fputs(s->output, stdout);
    if (s->output[0] && s->output[strlen(s->output) - 1] != '\n')
        putchar('\n');
    if (s->picture)
        printf("%spicture: %s/%s: %s%s\n", c->faint, demo->folder, s->picture, s->caption,
               c->plain);
}

void
demo_print(const struct demo *demo)
{
    printf("%s\n", demo->title);
    for (unsigned i = 0; i < demo->steps; i++) {
        print_command(demo, i, &none, false);
        print_output(demo, &demo->step[i], &none);
    }
}

/* --- keys ----------------------------------------------------------------------------------------- */

enum key { KEY_NEXT, KEY_BACK, KEY_FIRST, KEY_PICTURE, KEY_TAKE, KEY_QUIT, KEY_NONE };

/* An arrow or Page key is three or four bytes that come at once. */
static enum key
decode_key(const char *bytes, ssize_t count)
{
    static const struct {
        const char *bytes;
        enum key key;
    } keys[] = {
        {"\033[C", KEY_NEXT}, {"\033[B", KEY_NEXT},  {"\033[6~", KEY_NEXT}, {"\n", KEY_NEXT},
        {"\r", KEY_NEXT},     {" ", KEY_NEXT},       {"n", KEY_NEXT},       {"\033[D", KEY_BACK},
        {"\033[A", KEY_BACK}, {"\033[5~", KEY_BACK}, {"b", KEY_BACK},       {"\177", KEY_BACK},
        {"\b", KEY_BACK},     {"\033[H", KEY_FIRST}, {"0", KEY_FIRST},      {"p", KEY_PICTURE},
        {"i", KEY_TAKE},      {"q", KEY_QUIT},       {"\003", KEY_QUIT},    {"\004", KEY_QUIT},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
        if ((size_t)count == strlen(keys[i].bytes) && !memcmp(bytes, keys[i].bytes, (size_t)count))
            return keys[i].key;
    return KEY_NONE;
}

/* ESC [ ..., up to a letter or '~'. */
static bool
ends_sequence(const char *bytes, ssize_t count)
{
    char last = bytes[count - 1];

    return count > 2 && (isalpha((unsigned char)last) || last == '~');
}

/* Waits for a key, or for so many seconds, which is the key for the next step. */
static enum key
wait_key(unsigned seconds)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char bytes[16];
    int ready;

    fflush(stdout);
    do
        ready = poll(&input, 1, seconds ? (int)seconds * 1000 : -1);
    while (ready < 0 && errno == EINTR);
    if (!ready)
        return KEY_NEXT;
    /* One key at a time: the next may have been typed ahead. An escape sequence comes at once. */
    ssize_t count = read(STDIN_FILENO, bytes, 1);
    while (count > 0 && bytes[0] == '\033' && count < (ssize_t)sizeof(bytes) &&
           !ends_sequence(bytes, count) && poll(&input, 1, 50) > 0 &&
           read(STDIN_FILENO, bytes + count, 1) == 1)
        count++;
    return count <= 0 ? KEY_QUIT : decode_key(bytes, count);
}

static void
show_picture(const struct demo *demo, const struct demo_step *s, const char *viewer)
{
    char *command;

    if (!s->picture || !viewer) {
        printf("%s\n", s->picture ? "no viewer: say --viewer COMMAND" : "this step has no picture");
        return;
    }
    if (setenv("DEMO", demo->folder, 1) ||
        asprintf(&command, "%s \"$DEMO/%s\" >/dev/null 2>&1 &", viewer, s->picture) < 0)
        return;
    if (system(command))
        printf("'%s' did not start\n", viewer);
    free(command);
}

/* Half `half` of the play: step half/2, what is typed or what comes out. */
static void
show_half(const struct demo *demo, unsigned half, const struct colors *c, bool slowly)
{
    unsigned i = half / 2;

    if (half % 2) {
        print_output(demo, &demo->step[i], c);
        return;
    }
    printf("\n%s-- %u of %u --%s\n", c->faint, i + 1, demo->steps, c->plain);
    print_command(demo, i, c, slowly);
}

/* One screen shows a step whole when it is come back to. */
static void
show_again(const struct demo *demo, unsigned half, const struct colors *c)
{
    printf("\033[H\033[2J\033[3J");
    show_half(demo, half & ~1u, c, false);
    if (half % 2)
        show_half(demo, half, c, false);
}

/* Can the keyboard be taken here? */
static bool
is_debuggers(const struct demo_step *s)
{
    return s->command && !s->shell;
}

/* From step `from`, which has been seen, or -1: from the beginning. Returns the step at which the viewer
 * wants a prompt, or -1. */
static int
play(const struct demo *demo, int from, unsigned seconds, const char *viewer,
     const struct colors *c)
{
    unsigned half = from < 0 ? 0 : 2 * (unsigned)from + 1, end = 2 * demo->steps;

    if (from < 0)
        show_half(demo, 0, c, true);
    else
        show_again(demo, half, c);
    for (;;) {
        switch (wait_key(seconds)) {
        case KEY_NEXT:
            if (++half == end)
                return -1;
            if (half % 2 && !demo->step[half / 2].command) /* told only: nothing comes out */
                if (++half == end)
                    return -1;
            show_half(demo, half, c, true);
            break;
        case KEY_BACK:
            half = half < 2 ? 0 : (half & ~1u) - 1;
            show_again(demo, half, c);
            break;
        case KEY_FIRST:
            half = 0;
            show_again(demo, half, c);
            break;
        case KEY_PICTURE: show_picture(demo, &demo->step[half / 2], viewer); break;
        case KEY_TAKE:
            if (is_debuggers(&demo->step[half / 2])) {
                printf("it is yours: 'quit' comes back to this step\n");
                return (int)(half / 2);
            }
            printf("this step is not the debugger's\n");
            break;
        case KEY_QUIT: return -1;
        case KEY_NONE: break;
        }
    }
}

int
demo_play(const struct demo *demo, unsigned seconds, const char *viewer, int *taken,
          struct error *err)
{
    struct termios before, raw;
    const char *no_color = getenv("NO_COLOR");
    const struct colors *c = no_color && no_color[0] ? &none : &bright;

    if (tcgetattr(STDIN_FILENO, &before))
        return error_set(err, errno, "the terminal: %s", strerror(errno));
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    if (*taken < 0)
        printf("%s\n%sEnter: on; b: back; 0: from the start; p: picture; i: take the keyboard; q: "
               "end%s\n",
               demo->title, c->faint, c->plain);
    *taken = play(demo, *taken, seconds, viewer, c);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return 0;
}
