/*
 * sh.c - the shell: runs programs by name, joined by pipes. `sh`, or `sh -c WORD...`
 *
 *     list     = pipeline { ( ";" | "&&" | "||" ) pipeline }
 *     pipeline = command { "|" command }
 *     command  = word { word }          'quoted' or "quoted" words may hold anything
 *
 * Of its own it has: exit [N], help, and the word $?, how the last pipeline ended. A program that
 * is named without a path is looked for beside the shell itself: minios has no other place.
 */
#include "lib.h"

#define LINE_MAX  512
#define WORDS_MAX 64
#define PIPES_MAX 8

/* What stands between words, told from a quoted word by its address. */
static char semicolon[] = ";", and_if[] = "&&", or_if[] = "||", pipe_to[] = "|";

static const char *own_path;
static char **environment;
static int last_status;
static char status_text[4];

static void
complain(const char *what, const char *why)
{
    sys_write(2, "sh: ", 4);
    sys_write(2, what, length(what));
    sys_write(2, why, length(why));
    sys_write(2, "\n", 1);
}

/* --- words --------------------------------------------------------------------------------------- */

static char *
operator_at(const char *s)
{
    switch (s[0]) {
    case ';': return semicolon;
    case '&': return s[1] == '&' ? and_if : NULL;
    case '|': return s[1] == '|' ? or_if : pipe_to;
    default: return NULL;
    }
}

/* Cuts a line into words, in `room`, which is twice as large. Their number, or -1 after a message. */
static int
split(const char *s, char *room, char *words[WORDS_MAX + 1])
{
    int n = 0;
    for (;;) {
        char *op;
        while (*s == ' ' || *s == '\t')
            s++;
        if (!*s || *s == '#')
            break;
        if (n == WORDS_MAX) {
            complain("", "too many words");
            return -1;
        }
        op = operator_at(s);
        words[n++] = op ? op : room;
        if (op) {
            s += length(op);
            continue;
        }
        while (*s && *s != ' ' && *s != '\t' && !operator_at(s)) {
            char quote = *s == '\'' || *s == '"' ? *s++ : 0;
            if (!quote) {
                *room++ = *s++;
                continue;
            }
            while (*s && *s != quote)
                *room++ = *s++;
            if (!*s) {
                complain("", "a quote is not closed");
                return -1;
            }
            s++;
        }
        *room++ = 0;
    }
    words[n] = NULL;
    return n;
}

static bool
ends_command(const char *word)
{
    return !word || word == semicolon || word == and_if || word == or_if || word == pipe_to;
}

/* --- running ------------------------------------------------------------------------------------- */

static void
set_status(int status)
{
    int n = 0;
    last_status = status;
    if (status >= 100)
        status_text[n++] = (char)('0' + status / 100);
    if (status >= 10)
        status_text[n++] = (char)('0' + status / 10 % 10);
    status_text[n++] = (char)('0' + status % 10);
    status_text[n] = 0;
}

/* In the child: becomes the program, or ends. */
static void __attribute__((noreturn)) become(char **argv)
{
    char path[256];
    bool has_path = false;
    for (const char *c = argv[0]; *c; c++)
        has_path |= *c == '/';
    if (has_path)
        sys_execve(argv[0], argv, environment);
    else if (path_beside(own_path, argv[0], path, sizeof(path)))
        sys_execve(path, argv, environment);
    complain(argv[0], ": not found");
    sys_exit(127);
}

/* Starts one command that reads `in` and writes `out`; `other` is the pipe's end that is not its. */
static int64_t
start(char **argv, int in, int out, int other)
{
    int64_t pid = sys_fork();
    if (pid)
        return pid;
    if (in != 0) {
        sys_dup2(in, 0);
        sys_close(in);
    }
    if (out != 1) {
        sys_dup2(out, 1);
        sys_close(out);
    }
    if (other >= 0)
        sys_close(other);
    become(argv);
}

/* Waits for what was started; the last one's status is the pipeline's. */
static void
finish(const int64_t *pids, char **names, int count)
{
    for (int i = 0; i < count; i++) {
        int status = 0;
        if (pids[i] < 0 || sys_wait(pids[i], &status) != pids[i]) {
            complain(names[i], ": cannot be started");
            set_status(126);
            continue;
        }
        if (status & 0x7f && (status & 0x7f) != 13) /* 13: the reader of its pipe has gone */
            complain(names[i], ": ended by a signal");
        set_status(status_of(status));
    }
}

/* Runs the pipeline at `words`, which the caller has checked; each command's end becomes NULL. */
static void
run_pipeline(char **words)
{
    int64_t pids[PIPES_MAX];
    char *names[PIPES_MAX];
    int count = 0, in = 0;
    bool last = false;

    while (!last && count < PIPES_MAX) {
        int fds[2] = {-1, 1};
        char **argv = words;
        while (*words && *words != pipe_to)
            words++;
        last = !*words;
        *words++ = NULL;
        if (!last && sys_pipe(fds)) {
            complain("", "no pipe");
            break;
        }
        names[count] = argv[0];
        pids[count++] = start(argv, in, fds[1], fds[0]);
        if (in != 0)
            sys_close(in);
        if (!last)
            sys_close(fds[1]);
        in = last ? 0 : fds[0];
    }
    if (in != 0)
        sys_close(in);
    finish(pids, names, count);
}

/* The commands that are the shell's own. */
static bool
run_builtin(char **words, int count)
{
    if (equal(words[0], "exit"))
        sys_exit(count > 1 ? (int)number(words[1]) : last_status);
    if (!equal(words[0], "help"))
        return false;
    say("PROGRAM WORD... runs a program: args brk cat count cow echo false forkbomb forkwait "
        "hello\n"
        "  lazy nano nap primes probe sh tasks true uname wc wild\n"
        "A | B   B reads what A writes        A && B  B if A went well\n"
        "A ; B   B after A                    A || B  B if A failed\n"
        "exit N  ends the shell               $?      how the last one ended\n");
    set_status(0);
    return true;
}

/* A pipeline has no empty command, and not too many. */
static bool
is_sound(char **words, int count)
{
    int commands = 1;
    bool empty = true;
    for (int i = 0; i < count; i++) {
        if (words[i] == pipe_to && empty)
            return false;
        empty = words[i] == pipe_to;
        commands += empty;
    }
    return !empty && commands <= PIPES_MAX;
}

static void
run_line(const char *line)
{
    static char room[2 * LINE_MAX];
    static char *words[WORDS_MAX + 1];
    int n = split(line, room, words), from = 0;

    while (from < n) {
        char *before = from ? words[from - 1] : semicolon, **first = &words[from];
        int count = 0;
        while (from + count < n && (first[count] == pipe_to || !ends_command(first[count])))
            count++;
        from += count + 1;
        if ((before == and_if && last_status) || (before == or_if && !last_status))
            continue;
        if (!is_sound(first, count)) {
            complain("", "a command is missing, or there are too many");
            set_status(2);
            return;
        }
        for (int i = 0; i < count; i++)
            if (equal(first[i], "$?"))
                first[i] = status_text;
        before = first[count]; /* the operator behind: it is looked at in the next round */
        first[count] = NULL;
        if (!run_builtin(first, count))
            run_pipeline(first);
        first[count] = before;
    }
}

/* --- reading ------------------------------------------------------------------------------------- */

/* One line, without its end; what is too long is cut. False: there is no more. */
static bool
read_line(char line[LINE_MAX])
{
    int n = 0;
    char c = 0;
    while (c != '\n') {
        if (sys_read(0, &c, 1) != 1) {
            line[n] = 0;
            return n;
        }
        if (c != '\n' && n < LINE_MAX - 1)
            line[n++] = c;
    }
    line[n] = 0;
    return true;
}

static void
join(char line[LINE_MAX], char **words)
{
    size_t n = 0;
    for (; *words; words++) {
        for (const char *c = *words; *c && n < LINE_MAX - 2; c++)
            line[n++] = *c;
        line[n++] = ' ';
        n -= n == LINE_MAX - 1;
    }
    line[n] = 0;
}

int
main(int argc, char **argv, char **envp)
{
    static char line[LINE_MAX];
    own_path = argv[0];
    environment = envp;
    set_status(0);
    if (argc > 2 && equal(argv[1], "-c")) {
        join(line, argv + 2);
        run_line(line);
        return last_status;
    }
    for (;;) {
        say("$ ");
        if (!read_line(line))
            break;
        run_line(line);
    }
    say("\n");
    return last_status;
}
