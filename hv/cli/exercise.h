/*
 * exercise.h - labs and tickets as folders on disk: finding, listing, handing out, grading.
 *
 * A ticket is a folder tickets/NN-name/ below that of the labs (guestdir.h), and what was built for
 * it: tickets/NN-name/ below that of the guests. A lab is a folder NN-name/ in that of the labs.
 * `kind` is "tickets" or, for labs, "".
 */
#ifndef HV_CLI_EXERCISE_H
#define HV_CLI_EXERCISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The folder of one of a kind, by number ("3", "03") or by name ("storm",
 * "03-storm"). 0, or -errno with a sentence. */
int exercise_find(const char *kind, const char *which, char *path, size_t size, struct error *err);
/* Calls print for each, in order: its folder, and that folder's name. 0, or -errno with a sentence. */
int exercise_each(const char *kind, void (*print)(const char *folder, const char *name),
                  struct error *err);
/* What is behind the first "key:" in the folder's lab.txt. False, and "": it has none. */
bool exercise_key(const char *folder, const char *key, char *value, size_t size);
/* Copies folder `from` and what is below it into `to`, a new folder (fresh) or one that is there;
 * the file `skip` of the top folder is left out, no file is overwritten. 0, or -errno with a
 * sentence. */
int exercise_copy(const char *from, const char *to, bool fresh, const char *skip,
                  struct error *err);
/* Becomes the script (lib/grade.sh, lib/start.sh) beside the labs, with these words; `test` may be NULL.
 * HV, HV_LABS and HV_GUESTS are set for it. Returns only if that fails: -errno with a sentence. */
int exercise_become(const char *script, const char *folder, const char *dir, const char *test,
                    struct error *err);

#endif
