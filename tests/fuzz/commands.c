/*
 * commands.c - random lines for the debugger: whatever is typed, it answers with a sentence.
 *
 *   fuzz_commands [FIRST [COUNT]]: seeds FIRST to FIRST + COUNT - 1 (default 0, 1000)
 *
 * A seed is a session of LINES lines. On what, takes turns: a small machine that loops, writes to its
 * serial port and powers off; a guest of random code (guest_file.c) under each strategy; the
 * recording of the session before, when its machine is gone. A line is a command of the table with
 * arguments that may or may not suit, or one that was damaged, or bytes. Each is also offered to
 * Tab. What may not happen: a crash, a sanitizer's report, a failure without a sentence, a line
 * that does not end (a timer interrupts the guest as Ctrl-C would; an alarm says which seed).
 *
 * Files are written, too: in a folder of our own, and root becomes nobody before. In front of PATH
 * stands a `dot` that draws nothing. Called by `make fuzz`, with fewer seeds by `make check`.
 */
#include <signal.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/launch.h"
#include "debugger/help.h"
#include "tests/fuzz/guest_file.h"
#include "tests/random.h"
#include "tracer/read.h"

#define LINES     100u
#define LINE_SIZE 512u
#define SECONDS   120u  /* for one session */
#define TICK_US   50000 /* how long a guest may run at once */
#define RENEW     100u  /* sessions to one set of files */
#define RECORDING "recording.hvt"

/*
 * 16-bit code at 7c00 (SDM vol. 2): 300 times OUT 3f8, CPUID, a store, a load; then power off.
 *   xor cx,cx; mov ds,cx; again: mov dx,3f8; mov al,cl; out dx,al; mov [600],cx; mov bx,[600];
 *   call f; inc cx; cmp cx,300; jb again; mov dx,f4; out dx,al; hlt; f: xor eax,eax; cpuid ... ret
 * CPUID changes cx: it is kept on the stack.
 */
static const uint8_t code[] = {
    0x31, 0xc9, 0x8e, 0xd9, 0xba, 0xf8, 0x03, 0x88, 0xc8, 0xee, 0x89, 0x0e, 0x00, 0x06,
    0x8b, 0x1e, 0x00, 0x06, 0xe8, 0x0c, 0x00, 0x41, 0x81, 0xf9, 0x2c, 0x01, 0x72, 0xe8,
    0xba, 0xf4, 0x00, 0xee, 0xf4, 0x51, 0x66, 0x31, 0xc0, 0x0f, 0xa2, 0x59, 0xc3,
};

/* --- lines ------------------------------------------------------------------------------------ */

struct words {
    const struct debug_command *parent[256], *command[256];
    unsigned count;
};

static bool
add_command(void *context, const struct debug_command *parent, const struct debug_command *command)
{
    struct words *words = context;

    words->parent[words->count] = parent;
    words->command[words->count] = command;
    return ++words->count < ARRAY_SIZE(words->command);
}

static const char *const pieces[] = {
    "1",
    "0",
    "-1",
    "7",
    "0x7c00",
    "*0x7c00",
    "*0x7c12",
    "$rax",
    "$rip",
    "$sp",
    "$1",
    "$_",
    "$x",
    "$exit",
    "$icount",
    "exit.port",
    "exit.value",
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    "==",
    "&&",
    "||",
    "?",
    ":",
    "=",
    ",",
    "\"%d\"",
    "\"%s %c\\n\"",
    "if",
    "once",
    "io",
    "cpuid",
    "hlt",
    "port",
    "msr",
    "0x3f8",
    "on",
    "off",
    "out",
    "both",
    "exit",
    "entry",
    "inject",
    "/8xb",
    "/i",
    "/4s",
    "0x600",
    "*(uint8_t *)0x600",
    "{int}0x600",
    "0xffffffffffffffff",
    "18446744073709551615",
    "99999999999999999999",
    "1-3",
    "2-1",
    "icount=50",
    "end",
    "silent",
    "a\\x41\\n",
    "'a'",
    "sx",
    "si",
    "rsi",
    "step",
    "registers",
    "breakpoints",
    "rax",
    "32",
    "ticks",
    "fuzz.c:1",
    "x.hv",
    "x.hvt",
    "x.dot",
    "x.svg",
    "$rsp",
    "$cr3",
    "$cr0",
    "$idtr.base",
    "$idtr.limit",
    "$gdtr.base",
    "0x100000",
    "0xd0000000",
    "0xfffff80000013000",
    "0x8000000000000000",
    "100000000",
    "1000000000000000000",
    "walk",
    "exits",
    "continue",
    "source",
    "%",
    "~",
    "!",
    "\\",
    "#",
    "$",
    "$$",
    "0x",
    "/",
    "//",
};

static void
damage(char *line, uint64_t *state)
{
    size_t n = strlen(line);

    for (unsigned i = (unsigned)random_below(state, 4); n && i; i--) {
        size_t at = random_below(state, n);
        switch (random_below(state, 3)) {
        case 0: line[at] = (char)(1 + random_below(state, 255)); break;
        case 1: line[at] = 0; break;
        default: memmove(line + at, line + at + 1, n - at); break;
        }
        n = strlen(line);
    }
}

/* One line in LINE_SIZE bytes. */
static void
make_line(const struct words *words, char *line, uint64_t *state)
{
    unsigned which = (unsigned)random_below(state, words->count);
    const struct debug_command *c = words->command[which], *p = words->parent[which];
    unsigned how = (unsigned)random_below(state, 16);
    size_t used;

    if (how == 0) { /* bytes */
        used = random_below(state, 64);
        for (size_t i = 0; i < used; i++)
            line[i] = (char)(1 + random_below(state, 255));
        line[used] = 0;
        return;
    }
    if (how < 4 || (how < 6 && random_below(state, 2))) {
        snprintf(line, LINE_SIZE, "%s", c->example);
    } else {
        used = (size_t)snprintf(line, LINE_SIZE, "%s%s%s", p ? p->name : "", p ? " " : "", c->name);
        for (unsigned i = (unsigned)random_below(state, 6); i && used + 64 < LINE_SIZE; i--)
            used += (size_t)snprintf(line + used, LINE_SIZE - used, "%s%s",
                                     random_below(state, 4) ? " " : "",
                                     pieces[random_below(state, ARRAY_SIZE(pieces))]);
    }
    if (how % 4 == 3)
        damage(line, state);
}

/* --- sessions --------------------------------------------------------------------------------- */

static struct machine *volatile signal_machine;
static volatile uint64_t signal_seed, signal_ticks;
static char signal_line[LINE_SIZE];

static void
on_tick(int number)
{
    char text[LINE_SIZE + 96];

    (void)number;
    if (signal_machine)
        machine_interrupt(signal_machine);
    if (++signal_ticks < SECONDS * (1000000 / TICK_US))
        return;
    int n = snprintf(text, sizeof(text), "\nFAILED: seed %llu does not end at '%s'\n",
                     (unsigned long long)signal_seed, signal_line);
    if (write(STDOUT_FILENO, text, (size_t)n) != n)
        _exit(3);
    _exit(2);
}

static bool
run_lines(struct debugger *debugger, const struct words *words, uint64_t seed)
{
    uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    char line[LINE_SIZE];

    for (unsigned i = 0; i < LINES; i++) {
        struct error err = {""};
        bool files;
        make_line(words, line, &state);
        memcpy(signal_line, line, sizeof(line));
        debugger->interactive = random_below(&state, 2);
        size_t end = strlen(line), start = end;
        while (start && line[start - 1] != ' ')
            start--;
        char **offers = debug_complete(debugger, line, start, end, &files);
        for (size_t o = 0; offers && offers[o]; o++)
            free(offers[o]);
        free(offers);
        if (debugger_execute(debugger, line, &err) && !err.message[0]) {
            printf("FAILED: seed %llu: '%s' fails without a sentence\n", (unsigned long long)seed,
                   line);
            return false;
        }
        debugger->quit = false;
        debugger->settings.graph_viewer[0] = 0;
    }
    return true;
}

/* What a session is about. */
enum about { ABOUT_LOOP, ABOUT_HARDWARE, ABOUT_TRAP, ABOUT_PARAVIRT, ABOUT_RECORDING, ABOUTS };
static const char *const strategy_of[ABOUTS] = {"hardware", "hardware", "trap", "paravirt", NULL};

static bool
fill_guest(int fd, enum about about, uint64_t seed)
{
    static uint8_t data[KERNEL_SIZE];
    uint64_t size = 512;

    memset(data, 0, sizeof(data));
    if (about == ABOUT_LOOP) {
        memcpy(data, code, sizeof(code));
        data[510] = 0x55, data[511] = 0xaa;
    } else {
        size = guest_file_make(data, seed, strategy_of[about]);
    }
    return !ftruncate(fd, (off_t)size) && pwrite(fd, data, size, 0) == (ssize_t)size;
}

static bool
run_live(int fd, const struct words *words, uint64_t seed, FILE *out)
{
    char path[32];
    static struct launch launch;
    static struct machine machine;
    struct debugger debugger;
    struct args args = {0};
    struct launch_options options = {
        .guest = path,
        .engine = "soft",
        .strategy = strategy_of[seed % ABOUTS],
        .mem = seed % ABOUTS == ABOUT_LOOP ? 1u << 20 : 4u << 20,
        .append = "",
        .console = "null",
        .debug_exit_port = PC_DEBUG_EXIT_PORT,
        .trace = RECORDING,
    };
    struct error err = {""};
    bool good;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (!fill_guest(fd, seed % ABOUTS, seed) || launch_open(&launch, &options, &args, &err) ||
        machine_open_live(&machine, &launch.vm, RECORDING, &err) ||
        debugger_open(&debugger, &machine, out, &err)) {
        printf("FAILED: seed %llu cannot be launched: %s\n", (unsigned long long)seed, err.message);
        return false;
    }
    signal_machine = &machine;
    good = run_lines(&debugger, words, seed);
    signal_machine = NULL;
    debugger_close(&debugger);
    machine_close(&machine);
    launch_close(&launch, NULL);
    return good;
}

static bool
run_post_mortem(const struct words *words, uint64_t seed, FILE *out)
{
    static struct machine machine;
    struct debugger debugger;
    struct error err = {""};
    struct trace trace;
    bool good;

    if (trace_open(&trace, RECORDING, err.message, sizeof(err.message)))
        return true; /* there was no session before this one */
    if (machine_open_recording(&machine, &trace, NULL, &err) ||
        debugger_open(&debugger, &machine, out, &err)) {
        printf("FAILED: seed %llu: %s\n", (unsigned long long)seed, err.message);
        return false;
    }
    signal_machine = &machine;
    good = run_lines(&debugger, words, seed);
    signal_machine = NULL;
    debugger_close(&debugger);
    machine_close(&machine);
    trace_close(&trace);
    return good;
}

/* --- where files go ----------------------------------------------------------------------------- */

static char folder[] = "/tmp/fuzz_commands.XXXXXX";

static int
forget(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type;
    if (ftw->level)
        remove(path);
    return 0;
}

/* Empties the folder; what is left is a script, and the dot that draws nothing. */
static bool
renew_folder(bool last)
{
    static const char script[] = "echo in a script\nsx\nsource x.hv\n";
    static const char dot[] = "#!/bin/sh\nexit 0\n";

    nftw(".", forget, 8, FTW_DEPTH | FTW_PHYS);
    if (last)
        return !chdir("/") && !rmdir(folder);
    int fd = open("dot", O_CREAT | O_WRONLY | O_CLOEXEC, 0755), hv = creat("x.hv", 0644);
    bool good = fd >= 0 && hv >= 0 && write(fd, dot, sizeof(dot) - 1) > 0 &&
                write(hv, script, sizeof(script) - 1) > 0;
    close(fd);
    close(hv);
    return good;
}

static bool
enter_folder(void)
{
    if (getuid() == 0 && (setgid(65534) || setuid(65534)))
        return false;
    prctl(PR_SET_DUMPABLE, 1); /* LeakSanitizer looks at its own process */
    return mkdtemp(folder) && !chdir(folder) && !setenv("PATH", folder, 1) && renew_folder(false);
}

int
main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
    const struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
    struct sigaction action = {.sa_handler = on_tick};
    static struct words words;
    FILE *out = fopen("/dev/null", "we");
    int fd = memfd_create("guest", MFD_CLOEXEC);
    uint64_t failed = 0;

    if (!out || fd < 0 || !enter_folder()) {
        perror("fuzz_commands");
        return 3;
    }
    debug_commands_visit(add_command, &words);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &tick, NULL);
    for (uint64_t seed = first; seed < first + count; seed++) {
        signal_seed = seed;
        signal_ticks = 0;
        failed += seed % ABOUTS == ABOUT_RECORDING ? !run_post_mortem(&words, seed, out)
                                                   : !run_live(fd, &words, seed, out);
        if (seed % RENEW == RENEW - 1 && !renew_folder(false))
            return 3;
    }
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    renew_folder(true);
    fclose(out);
    printf("%llu sessions of %u lines, %llu failed\n", (unsigned long long)count, LINES,
           (unsigned long long)failed);
    return failed != 0;
}
