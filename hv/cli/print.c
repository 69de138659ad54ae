/*
 * print.c - the help pages and error lines of the command line, from the tables of cli.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"

int
cli_error(int status, const char *format, ...)
{
    va_list list;

    fputs("hv: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return status;
}

void
print_folded(unsigned indent, const char *text)
{
    size_t room = PRINT_WIDTH - indent;

    for (;;) {
        size_t length = strlen(text), at = room;
        if (length > room) {
            while (at > 0 && text[at] != ' ')
                at--;
            length = at ? at : strcspn(text, " "); /* a word that is longer */
        }
        printf("%.*s\n", (int)length, text);
        text += length;
        text += strspn(text, " ");
        if (!*text)
            return;
        printf("%*s", (int)indent, "");
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
