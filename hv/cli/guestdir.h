/*
 * guestdir.h - where our own guests are, so that `hv run minios` works from anywhere.
 *
 * The folder is $HV_GUESTS if set; else, seen from hv itself, ../guests (the build tree) or
 * ../share/hv/guests (installed). Its guests.txt has one line each: "name | what it shows".
 */
#ifndef HV_CLI_GUESTDIR_H
#define HV_CLI_GUESTDIR_H

#include <stdbool.h>
#include <stddef.h>

/* The folder's path in `path`; false: there is none. */
bool guestdir_find(char *path, size_t size);
/* The same for the labs: $HV_LABS, else ../../labs or ../share/hv/labs; and for the headers of plug-ins:
 * $HV_INCLUDE, else ../include/hv or ../../hv. */
bool labs_folder_find(char *path, size_t size);
bool includedir_find(char *path, size_t size);
/* The file that `guest` means: itself if it has a '/' or is there, else that name in the folder.
 * Always fills path; whether it can be opened is seen by who opens it. */
void guestdir_resolve(const char *guest, char *path, size_t size);

#endif
