/*
 * compare_two.h - two recordings side by side: the option --diff of `hv trace` and `hv graph`.
 */
#ifndef HV_CLI_COMPARE_TWO_H
#define HV_CLI_COMPARE_TWO_H

#include "cli/cli.h"

/* The words of args are the two files. Prints the table, or draws the picture to where -o says
 * (without it: DOT on stdout). Returns hv's exit status. */
int compare_two(const struct args *args, bool picture);

#endif
