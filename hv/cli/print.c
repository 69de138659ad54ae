/*
 * print.c - the help pages and error lines of the command line, from the tables of cli.h.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"

int
cli_error(int status, const char *format, ...)
{
    char text[2048];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    fputs("hv: ", stderr);
    print_folded(stderr, print_columns(STDERR_FILENO), 4, text);
    return status;
}

unsigned
print_columns(int fd)
{
    struct winsize window;

    return isatty(fd) && !ioctl(fd, TIOCGWINSZ, &window) ? window.ws_col : 0;
}

void
print_folded(FILE *out, unsigned width, unsigned indent, const char *text)
{
    size_t room = width > indent ? width - indent : SIZE_MAX;

    for (;;) {
        size_t length = strlen(text), at = room;
        if (length > room) {
            while (at > 0 && text[at] != ' ')
                at--;
            length = at ? at : strcspn(text, " "); /* a word that is longer */
        }
        fprintf(out, "%.*s\n", (int)length, text);
        text += length;
        text += strspn(text, " ");
        if (!*text)
            return;
        fprintf(out, "%*s", (int)indent, "");
    }
}

static void
print_option(const struct option_desc *o)
{
    char left[64];

    snprintf(left, sizeof(left), "%c%c%c --%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name, o->value ? " " : "",
             o->value ? o->value : "");
    printf("  %-32s %s\n", left, o->help);
}

void
print_help(const struct command *command)
{
    printf("usage: hv %s [OPTION]...%s%s\n\n%s\n\n%s\n", command->name,
           command->words[0] ? " " : "", command->words, command->summary, command->text);
    puts("Options:");
    for (unsigned t = 0; t < ARRAY_SIZE(command->options) && command->options[t]; t++)
        for (const struct option_desc *o = command->options[t]; o->name; o++)
            print_option(o);
    print_option(&help_option);
}

void
print_commands(void)
{
    puts("hv - a hypervisor to be read, stepped and drawn\n\nusage: hv COMMAND [OPTION]...\n");
    for (const struct command *const *c = command_table; *c; c++)
        printf("  %-10s %s\n", (*c)->name, (*c)->summary);
    puts("\n'hv COMMAND --help' tells what a command does and takes.");
}
