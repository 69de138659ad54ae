/* commands.h - every subcommand: one a file (cmd_*.c), one line each here and in table.c. */
#ifndef HV_CLI_COMMANDS_H
#define HV_CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command command_audit;
extern const struct command command_compare;
extern const struct command command_debug;
extern const struct command command_demo;
extern const struct command command_doctor;
extern const struct command command_graph;
extern const struct command command_help;
extern const struct command command_lab;
extern const struct command command_list;
extern const struct command command_run;
extern const struct command command_ticket;
extern const struct command command_ski;
extern const struct command command_trace;
extern const struct command command_version;

#endif
