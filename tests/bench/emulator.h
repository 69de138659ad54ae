/*
 * emulator.h - runs a boot sector in hv, Bochs or QEMU, and says what CPU time that took.
 * Used by loop.c; emulator.c has the command lines.
 */
#ifndef TESTS_BENCH_EMULATOR_H
#define TESTS_BENCH_EMULATOR_H

enum emulator { EMULATOR_SOFT, EMULATOR_BOCHS, EMULATOR_QEMU };

struct emulator_files {
    const char *hv;          /* the program */
    const char *boot_sector; /* 512 bytes: guest.S */
    const char *folder;      /* for disk images and logs; it exists */
};

/*
 * Boots the sector with that number of rounds and waits for the end. Returns the seconds of CPU
 * time, user and system, of the process. If it does not end as guest.S ends it, or takes more than
 * some minutes, says so with the last of its output and ends the program with status 2.
 */
double emulator_run(const struct emulator_files *files, enum emulator which, unsigned loops);

#endif
