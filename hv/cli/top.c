/*
 * top.c - see top.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/top.h"
#include "core/vm.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tracer/describe.h"

#define SECOND    UINT64_C(1000000000)
#define FIRST     (SECOND / 4) /* until the first look, lest the screen stay empty */
#define HEAD_ROWS 4u
#define FOOT_ROWS 2u
#define SCREEN    16384

/* What terminals understand (ECMA-48, and xterm's private modes). */
#define SCREEN_OTHER "\033[?1049h\033[?25l" /* the other screen, without a cursor */
#define SCREEN_BACK  "\033[?25h\033[?1049l"
#define HOME         "\033[H"
#define REST_OF_LINE "\033[K"
#define REST         "\033[J"

/* --- numbers ------------------------------------------------------------------------------------ */

void
top_take(struct top_look *look, const uint64_t counters[TRACE_KIND_COUNT], uint64_t now)
{
    bool first = look->now == 0;

    if (first)
        look->began = now;
    else if (now - look->now < SECOND / 2 && look->span >= SECOND / 2)
        return;
    look->span = first ? 0 : now - look->now;
    look->now = now;
    memcpy(look->before, look->count, sizeof(look->before));
    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        look->count[k] = __atomic_load_n(&counters[k], __ATOMIC_RELAXED);
}

static uint64_t
rate(const struct top_look *look, unsigned kind)
{
    uint64_t n = look->count[kind] - look->before[kind];

    return look->span ? (uint64_t)((double)n * (double)SECOND / (double)look->span + 0.5) : 0;
}

/* Kinds that occurred: the most frequent now first, then the most frequent in all. */
static unsigned
order(const struct top_look *look, unsigned kinds[TRACE_KIND_COUNT])
{
    unsigned n = 0;

    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++) {
        unsigned i = n;
        if (!look->count[k])
            continue;
        for (; i > 0; i--) {
            uint64_t a = rate(look, kinds[i - 1]), b = rate(look, k);
            if (a > b || (a == b && look->count[kinds[i - 1]] >= look->count[k]))
                break;
            kinds[i] = kinds[i - 1];
        }
        kinds[i] = k;
        n++;
    }
    return n;
}

/* --- the screen --------------------------------------------------------------------------------- */

struct screen {
    char *text;
    size_t used, size;
    unsigned columns, rows, row;
};

/* One line, cut to the window's width; none once the window is full. */
static void __attribute__((format(printf, 2, 3)))
put_line(struct screen *s, const char *format, ...)
{
    char line[512];
    va_list args;

    if (s->row >= s->rows)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    int n = snprintf(s->text + s->used, s->size - s->used, "%s%.*s" REST_OF_LINE,
                     s->row ? "\r\n" : "", (int)s->columns, line);
    if (n > 0 && (size_t)n < s->size - s->used)
        s->used += (size_t)n;
    s->row++;
}

static double
percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

size_t
top_draw(const struct top_look *look, unsigned columns, unsigned rows, char *text, size_t size)
{
    struct screen s = {.text = text, .size = size, .columns = columns, .rows = rows};
    unsigned kinds[TRACE_KIND_COUNT], n = order(look, kinds), shown;
    uint64_t all = 0, now = 0;
    char a[32], b[32];

    for (unsigned i = 0; i < n; i++)
        all += look->count[kinds[i]], now += rate(look, kinds[i]);
    s.used = (size_t)snprintf(text, size, HOME);
    put_line(&s, "hv run --top: %s", look->title);
    put_line(&s, "%" PRIu64 " s, %s exits, %s a second", (look->now - look->began) / SECOND,
             describe_count(all, a, sizeof(a)), describe_count(now, b, sizeof(b)));
    put_line(&s, " ");
    put_line(&s, "%-14s %12s %7s %15s %7s  %s", "reason", "a second", "share", "in all", "share",
             "what it is");
    shown = rows > HEAD_ROWS + FOOT_ROWS ? rows - HEAD_ROWS - FOOT_ROWS : 0;
    for (unsigned i = 0; i < n && i < shown; i++) {
        unsigned k = kinds[i];
        put_line(&s, "%-14s %12s %6.1f%% %15s %6.1f%%  %s", trace_kinds[k].name,
                 describe_count(rate(look, k), a, sizeof(a)), percent(rate(look, k), now),
                 describe_count(look->count[k], b, sizeof(b)), percent(look->count[k], all),
                 trace_kinds[k].text);
    }
    if (n > shown)
        put_line(&s, "and %u more: the window is too low", n - shown);
    else
        put_line(&s, "%s", n ? " " : "no exit yet");
    put_line(&s, "Ctrl-C ends the run. The guest's serial line goes %s.", look->serial);
    int rest = snprintf(text + s.used, size - s.used, REST);
    return s.used + (rest > 0 && (size_t)rest < size - s.used ? (size_t)rest : 0);
}

/* --- the thread --------------------------------------------------------------------------------- */

static void
write_all(const char *text, size_t size)
{
    while (size) {
        ssize_t n = write(STDERR_FILENO, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* a terminal that is gone ends the run by SIGHUP */
        text += n;
        size -= (size_t)n;
    }
}

static void
draw(struct top *top)
{
    struct winsize window = {.ws_row = 24, .ws_col = 80};
    char text[SCREEN];

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) || !window.ws_row || !window.ws_col)
        window = (struct winsize){.ws_row = 24, .ws_col = 80};
    if (!top->drawn)
        write_all(SCREEN_OTHER, strlen(SCREEN_OTHER));
    top->drawn = true;
    write_all(text, top_draw(&top->look, window.ws_col, window.ws_row, text, sizeof(text)));
}

/* Looks at once, after a quarter of a second, then each second; and when SIGWINCH says that the
 * window has another size, or that it is over. */
static void *
watch(void *context)
{
    struct top *top = context;
    uint64_t wait = FIRST;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    top_take(&top->look, top->counters, now_ns());
    for (; !top->done; wait = SECOND) {
        struct timespec time = {.tv_sec = (time_t)(wait / SECOND),
                                .tv_nsec = (long)(wait % SECOND)};
        sigtimedwait(&set, NULL, &time);
        if (top->done)
            break;
        top_take(&top->look, top->counters, now_ns());
        draw(top);
    }
    return NULL;
}

int
top_start(struct top *top, const struct vm *vm, const struct top_about *about, struct error *err)
{
    sigset_t all;
    int rc;

    memset(top, 0, sizeof(*top));
    snprintf(top->title, sizeof(top->title), "%s on engine %s, strategy %s", about->guest,
             vm->engine_ops->name, vm->strategy->name);
    describe_clean(top->title);
    top->look.title = top->title;
    snprintf(top->serial, sizeof(top->serial),
             strcmp(about->serial, "null") ? "to %s" : "nowhere (--console says where)",
             about->serial);
    top->look.serial = describe_clean(top->serial);
    top->counters = vm->exits_by_kind;
    /* The thread inherits a mask in which everything is blocked: signals that end the run are for
     * the virtual CPU's thread. SIGWINCH stays blocked there too, or it would be ignored. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &top->mask);
    rc = pthread_create(&top->thread, NULL, watch, top);
    sigset_t mine = top->mask;
    sigaddset(&mine, SIGWINCH);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    if (rc) {
        pthread_sigmask(SIG_SETMASK, &top->mask, NULL);
        return error_set(err, rc, "--top cannot start its thread: %s", strerror(rc));
    }
    top->running = true;
    return 0;
}

void
top_stop(struct top *top)
{
    if (!top->running)
        return;
    top->done = true;
    pthread_kill(top->thread, SIGWINCH);
    pthread_join(top->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &top->mask, NULL);
    if (top->drawn)
        write_all(SCREEN_BACK, strlen(SCREEN_BACK));
    top->running = false;
}
