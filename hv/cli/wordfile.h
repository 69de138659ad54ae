/*
 * wordfile.h - a machine written down: @FILE on a command line stands for the options in FILE.
 *
 *     # the shop's machine
 *     guest  images/shop          the word GUEST
 *     mem    16M                  --mem 16M
 *     append rate=100 quiet       --append "rate=100 quiet": the rest of the line, blanks and all
 *
 * A line is an option's name, without dashes, and its value; '#' begins a comment line. What comes
 * later on the command line overrides what the file says. Paths are seen from where hv is started.
 */
#ifndef HV_CLI_WORDFILE_H
#define HV_CLI_WORDFILE_H

#include "cli/cli.h"

struct wordfile {
    const struct command *command; /* whose options they are */
    char **word;                   /* what stands for argv, NULL at the end */
    int words;
    char *text[64]; /* the files' bytes, to which words point */
    int texts;
};

/* argv with each @FILE replaced; a word "@" alone, and words behind "--", stay. 0 or -errno with a
 * sentence; either way wordfile_free() when all is done with the words. */
int wordfile_expand(struct wordfile *w, const struct command *command, int argc, char **argv,
                    struct error *err);
void wordfile_free(struct wordfile *w);

#endif
