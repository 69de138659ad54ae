/*
 * manpage.c - the manual page hv(1) in man(7)'s language, from the table of subcommands.
 *
 * Called by write_documents() in tables.c.
 */
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/tables.h"

/* Text as roff takes it: '-' and '\' literally, no line that looks like a request. An empty line
 * becomes a new paragraph. */
void
roff(FILE *out, const char *text)
{
    bool start = true;

    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (start && *text == '\n')
            fputs(".PP\n", out);
        else
            fputc(*text, out);
        start = *text == '\n';
    }
}

static void
roff_option(FILE *out, const struct option_desc *o)
{
    fputs(".TP\n", out);
    if (o->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", out);
    roff(out, o->name);
    fputs("\\fR", out);
    if (o->value)
        fprintf(out, " \\fI%s\\fR", o->value);
    fputc('\n', out);
    roff(out, o->help);
    fputc('\n', out);
}

void
write_manual(FILE *out)
{
    fputs(".\\\" Made by `make docs` from hv's own tables: change those, not this.\n"
          ".TH HV 1 \"\" \"hv " HV_VERSION "\"\n"
          ".SH NAME\nhv \\- a hypervisor to be read, stepped and drawn\n"
          ".SH SYNOPSIS\n.B hv\n.I COMMAND\n[\\fIOPTION\\fR]...\n"
          ".SH DESCRIPTION\n"
          "The same guest runs under several strategies of virtualization, each on any engine\n"
          "that can carry it. Every transfer of control between guest, virtual machine monitor\n"
          "and devices is an event; a recording of them is printed, counted and drawn.\n"
          "An option is written \\fB\\-\\-name\\fR=\\fIVALUE\\fR or \\fB\\-\\-name\\fR "
          "\\fIVALUE\\fR.\n"
          ".SH COMMANDS\n",
          out);
    for (const struct command *const *c = command_table; *c; c++) {
        fprintf(out, ".SS hv %s [\\fIOPTION\\fR]...", (*c)->name);
        if ((*c)->words[0])
            fprintf(out, " \\fI%s\\fR", (*c)->words);
        fputc('\n', out);
        roff(out, (*c)->text);
        for (unsigned t = 0; t < ARRAY_SIZE((*c)->options) && (*c)->options[t]; t++)
            for (const struct option_desc *o = (*c)->options[t]; o->name; o++)
                roff_option(out, o);
    }
    write_debugger_manual(out);
    fprintf(out,
            ".SH EXIT STATUS\n"
            "%d: the user can mend it (a word on the command line, a file, the guest).\n"
            "%d: the engine cannot go on, or hv failed.\n"
            "%d: the limit is used up. %d + N: ended by signal N.\n"
            "Else the guest's own.\n"
            ".SH ENVIRONMENT\n.TP\n.B HV_GUESTS\nThe folder of the guests that are known by "
            "name.\n"
            ".TP\n.B NO_COLOR\nThe debugger uses no colours.\n"
            ".SH FILES\n"
            ".TP\n.I $XDG_CONFIG_HOME/hv/rc\nCommands that hv debug executes first "
            "(~/.config/hv/rc).\n"
            ".TP\n.I $XDG_STATE_HOME/hv/history\nWhat was typed at its prompt "
            "(~/.local/state/hv/history).\n"
            ".PP\nThe recording's layout is in docs/RECORDING.md of the sources.\n",
            STATUS_USER, STATUS_OURS, STATUS_LIMIT, STATUS_SIGNAL);
}
