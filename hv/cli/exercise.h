/*
 * exercise.h - tickets as folders on disk: finding, listing, handing out, checking.
 *
 * A ticket is a folder tickets/NN-name/ below that of the labs (guestdir.h), and what was built for
 * it: tickets/NN-name/ below that of the guests. The first line of its README.md, "# ... - title",
 * is its title. kind is "tickets".
 */
#ifndef HV_CLI_EXERCISE_H
#define HV_CLI_EXERCISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The folder of one of a kind, by number ("3", "03") or by name ("storm",
 * "03-storm"). 0, or -errno with a sentence. */
int exercise_find(const char *kind, const char *which, char *path, size_t size, struct error *err);
/* Prints "  NN  name  title" for each, in order. 0, or -errno with a sentence. */
int exercise_print_all(const char *kind, struct error *err);
/* Copies folder `from` and what is below it into `to`, a new folder (fresh) or one that is there;
 * the file `skip` of the top folder is left out, no file is overwritten. 0, or -errno with a
 * sentence. */
int exercise_copy(const char *from, const char *to, bool fresh, const char *skip,
                  struct error *err);
/* Becomes labs/lib/grade.sh of that folder on the work in `dir`: all tests, or the one named (NULL:
 * all). Returns only if that fails: -errno with a sentence. */
int exercise_grade(const char *folder, const char *dir, const char *test, struct error *err);

#endif
