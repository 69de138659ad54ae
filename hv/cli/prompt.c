/*
 * prompt.c - the debugger at a terminal: GNU readline, its history and completion, Ctrl-C.
 *
 * The only file that knows readline. Called by cmd_debug.c. Next: debugger/complete.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "cli/cli.h"
#include "cli/prompt.h"
#include "debugger/help.h"
#include "debugger/session.h"

#define HISTORY_LINES 1000

/* What the handler of SIGINT and readline's callbacks, which are given nothing, may touch. */
static struct machine *volatile signal_machine;
static struct debugger *volatile signal_debugger;
static volatile sig_atomic_t signal_at_prompt, signal_clear, signal_held, signal_late;

/* --- Ctrl-C ----------------------------------------------------------------------------------- */

static void
on_interrupt(int number)
{
    (void)number;
    if (signal_at_prompt)
        signal_clear = 1;
    else if (signal_held)
        signal_late = 1;
    else if (signal_machine)
        machine_interrupt(signal_machine);
}

void
prompt_catch_interrupt(struct machine *machine)
{
    struct sigaction action = {.sa_handler = machine ? on_interrupt : SIG_DFL};

    /* No SA_RESTART: an ioctl or a poll that waits must come back. */
    signal_machine = machine;
    sigaction(SIGINT, &action, NULL);
}

void
prompt_hold_interrupt(bool hold)
{
    signal_held = hold;
    if (hold || !signal_late)
        return;
    signal_late = 0;
    if (signal_machine)
        machine_interrupt(signal_machine);
}

/* readline has been interrupted: a new, empty line. */
static int
clear_line(void)
{
    if (!signal_clear)
        return 0;
    signal_clear = 0;
    rl_crlf();
    rl_replace_line("", 1);
    rl_on_new_line();
    rl_redisplay();
    return 0;
}

/* readline takes all that has been typed before it asks its hooks. What was typed behind Ctrl-C belongs
 * to the new line. */
static int
get_char(FILE *in)
{
    int c = rl_getc(in);

    clear_line();
    return c;
}

/* --- Tab -------------------------------------------------------------------------------------- */

/* readline wants the common beginning first. */
static char **
complete(const char *text, int start, int end)
{
    bool files;
    char **offers = debug_complete(signal_debugger, rl_line_buffer, (size_t)start, (size_t)end,
                                   &files);
    size_t count = 0, same;
    char **all;

    (void)text;
    rl_attempted_completion_over = !files;
    if (!offers)
        return NULL;
    while (offers[count])
        count++;
    same = strlen(offers[0]);
    for (size_t i = 1; i < count; i++)
        while (strncmp(offers[0], offers[i], same))
            same--;
    all = malloc((count + 2) * sizeof(*all));
    if (all && (all[0] = strndup(offers[0], same))) {
        memcpy(all + 1, offers, (count + 1) * sizeof(*all));
        if (count == 1) {
            free(all[1]);
            all[1] = NULL;
        }
        free(offers);
        return all;
    }
    for (size_t i = 0; i < count; i++)
        free(offers[i]);
    free(offers);
    free(all);
    return NULL;
}

/* --- history ---------------------------------------------------------------------------------- */

/* Each line once, where it was typed last. */
static void
drop_duplicates(void)
{
    for (int i = history_length - 1; i > 0; i--)
        for (int j = i - 1; j >= 0; j--)
            if (!strcmp(history_get(history_base + i)->line, history_get(history_base + j)->line)) {
                HIST_ENTRY *old = remove_history(j);
                free(old->line);
                free(old);
                i--;
            }
}

/* $XDG_STATE_HOME/hv/history, with its folders made. "": there can be none. */
static void
history_path(char *path, size_t size)
{
    path[0] = 0;
    if (!script_path(path, size, "XDG_STATE_HOME", ".local/state", "hv/history")) {
        path[0] = 0;
        return;
    }
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* Lines are appended as they are typed, so that nothing is lost and several sessions get along; at
 * the end what all have written is read again and shortened. */
static void
keep_line(const char *line, const char *path)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
    FILE *file;

    if (last && !strcmp(last->line, line))
        return;
    add_history(line);
    drop_duplicates();
    if (path[0] && (file = fopen(path, "ae"))) {
        fprintf(file, "%s\n", line);
        fclose(file);
    }
}

static void
read_lines(const char *path)
{
    clear_history();
    stifle_history(HISTORY_LINES);
    if (path[0])
        read_history(path);
    drop_duplicates();
}

/* --- the prompt ------------------------------------------------------------------------------- */

static void
set_up_readline(struct debugger *debugger)
{
    signal_debugger = debugger;
    rl_readline_name = "hv";
    rl_attempted_completion_function = complete;
    rl_basic_word_break_characters = " \t\n";
    rl_completer_quote_characters = "";
    rl_getc_function = get_char;
    rl_signal_event_hook = clear_line;
    rl_event_hook = clear_line; /* the signal may come just before readline begins to read */
    rl_change_environment = 0;
}

/* With escapes that readline is told not to count. */
static char *
read_line(const struct debugger *debugger)
{
    const char *prompt = session_prompt(debugger);
    char text[64], *line;

    if (debugger->settings.color)
        snprintf(text, sizeof(text), "\001\033[1;32m\002%s\001\033[0m\002", prompt);
    else
        snprintf(text, sizeof(text), "%s", prompt);
    fflush(debugger->out);
    signal_clear = 0;
    signal_at_prompt = 1;
    machine_forget_interrupt(debugger->machine);
    line = readline(text);
    signal_at_prompt = 0; /* what comes from now on is for the command */
    return line;
}

void
prompt_run(struct debugger *debugger)
{
    char path[4096], *line;
    struct error err;

    set_up_readline(debugger);
    history_path(path, sizeof(path));
    read_lines(path);
    while (!debugger->quit && (line = read_line(debugger))) {
        if (line[strspn(line, " \t")])
            keep_line(line, path);
        err.message[0] = 0;
        if (debugger_execute(debugger, line, &err)) {
            fflush(debugger->out);
            print_folded(stderr, print_columns(STDERR_FILENO), 0, err.message);
        }
        free(line);
    }
    if (!debugger->quit)
        fputc('\n', debugger->out);
    read_lines(path);
    if (path[0])
        write_history(path);
    signal_debugger = NULL;
}

bool
prompt_ask(const char *question)
{
    char text[256], *answer;
    bool yes;

    snprintf(text, sizeof(text), "%s (y or n) ", question);
    signal_at_prompt = 1;
    answer = readline(text);
    signal_at_prompt = 0;
    yes = answer && (answer[0] == 'y' || answer[0] == 'Y');
    free(answer);
    return yes;
}
