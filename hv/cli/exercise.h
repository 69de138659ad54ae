/*
 * exercise.h - labs and tickets as folders on disk: finding, listing, handing out, checking.
 *
 * The folder of all labs is $HV_LABS if set; else, seen from hv itself, ../labs (the build tree,
 * build/labs) or ../share/hv/labs (installed). Below it a lab is NN-name/, a ticket
 * tickets/NN-name/. The first line of its README.md, "# ... - title", is its title.
 * Shared by `hv lab` and `hv ticket`.
 */
#ifndef HV_CLI_EXERCISE_H
#define HV_CLI_EXERCISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A labs folder's path in `path`. 0, or -ENOENT with a sentence. */
int labdir_find(char *path, size_t size, struct error *err);
/* The folder of one of kind ("" labs, "tickets"), by number ("3", "03") or by name ("storm",
 * "03-storm"). 0, or -errno with a sentence. */
int exercise_find(const char *kind, const char *which, char *path, size_t size, struct error *err);
/* Prints "  NN  name  title" for each, in order. 0, or -errno with a sentence. */
int exercise_print_all(const char *kind, struct error *err);
/* Copies folder `from` and what is below it into `to`, which must not be there yet; files of the
 * top folder that `skip` names (ends with NULL) are left out. 0, or -errno with a sentence. */
int exercise_copy(const char *from, const char *to, const char *const *skip, struct error *err);
/* Runs "/bin/sh SCRIPT DIR" with HV (this program), HV_LABS and HV_GUESTS in its environment.
 * Its exit status, or -errno with a sentence. */
int exercise_run(const char *script, const char *dir, struct error *err);

#endif
