/*
 * cli.h - the command line: what a subcommand is, and how its words are taken apart.
 *
 * A subcommand is one const struct command in a file of its own, named in table.c. Its help, its
 * page of docs/gen and its part of the manual page are printed from that structure, so they
 * cannot disagree with what the parser accepts.
 *
 * hv/cli is the only room that prints and exits. Next: main.c, then cmd_run.c.
 */
#ifndef HV_CLI_CLI_H
#define HV_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define HV_VERSION "0.1"

/* Exit statuses of hv. A guest that ends by itself has its own (see `hv run --help`). */
#define STATUS_OK     0
#define STATUS_USER   1   /* the user can mend it: a word on the command line, a file, the guest */
#define STATUS_OURS   2   /* the engine cannot go on, or hv itself failed */
#define STATUS_LIMIT  124 /* --limit is used up, as timeout(1) says it */
#define STATUS_SIGNAL 128 /* + number of the signal that ended the run, as a shell says it */

/* One option. It is written --name, --name=VALUE or --name VALUE; one dash does as well. */
struct option_desc {
    const char *name;
    char letter;       /* -o; 0: none */
    const char *value; /* what stands for its value in the help, "FILE"; NULL: it takes none */
    const char *help;  /* one line */
};

/* --help, which every command has. */
extern const struct option_desc help_option;

struct args;

struct command {
    const char *name;
    const char *words;   /* what follows the options: "GUEST", "FILE [FILTER]"; "" for none */
    unsigned min, max;   /* how many of these words there must and may be */
    const char *summary; /* one line, for the list of commands */
    const char *text;    /* the long help: paragraphs, in lines of at most 78 columns */
    /* Tables of options, each ending with a NULL name; commands share some (launch.h). --help
     * belongs to every command. */
    const struct option_desc *options[4];
    /* Returns hv's exit status. */
    int (*run)(const struct args *args);
};

/* All subcommands, in the order of the help; ends with NULL (table.c). */
extern const struct command *const command_table[];
const struct command *command_find(const char *name);

/* --- options.c: a command line, taken apart ------------------------------------------------- */

#define ARGS_MAX 64

struct args {
    const struct command *command;
    const char *word[ARGS_MAX]; /* what is not an option, in order */
    unsigned words;
    struct {
        const struct option_desc *desc;
        const char *value;
    } option[ARGS_MAX]; /* in the order given */
    unsigned options;
    int argc; /* the whole command line, for the header of a recording */
    char **argv;
};

/* argv[0] is the first word behind the subcommand's name. 0, or -EINVAL with a sentence. The
 * strings belong to argv. "--" ends the options. */
int args_parse(struct args *args, const struct command *command, int argc, char **argv,
               struct error *err);
/* One of the command's options by its name (length bytes of it) or its letter; NULL: there is none. */
const struct option_desc *option_find(const struct command *command, const char *name,
                                      size_t length);
/* Was it given? name must be in the command's tables. */
bool args_flag(const struct args *args, const char *name);
/* Its last value, or NULL if it was not given. */
const char *args_value(const struct args *args, const char *name);
/* Its n-th value (from 0) for options that may be repeated, or NULL. */
const char *args_nth(const struct args *args, const char *name, unsigned n);
/* Its value as a size ("64M") or a number; *value stays as it is if the option was not given.
 * 0, or -EINVAL with a sentence that names the option. */
int args_size(const struct args *args, const char *name, uint64_t *value, struct error *err);
int args_number(const struct args *args, const char *name, uint64_t *value, struct error *err);
/* For commands that have --from N, --limit N and --range A:B, which is --from A --limit B-A+1. */
int args_range(const struct args *args, uint64_t *from, uint64_t *limit, struct error *err);

/* --- print.c: what is printed -- --------------------------------------------------- */

/* "hv: sentence" to stderr; returns status, so that `return cli_error(STATUS_USER, ...)` works. */
int cli_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void print_help(const struct command *command);
/* The rest of a line that is `indent` columns long, folded at blanks; below, under its beginning.
 * width 0: in one line. */
#define PRINT_WIDTH 100
void print_folded(FILE *out, unsigned width, unsigned indent, const char *text);
/* Of a terminal; 0: it is none, or does not say. */
unsigned print_columns(int fd);
void print_commands(void);

#endif
