/* bait.h - what the attacks (attacks.c) are after on the host, and how a line of theirs is read. */
#ifndef TESTS_SKI_BAIT_H
#define TESTS_SKI_BAIT_H

#include <stdbool.h>
#include <sys/types.h>

#define BAIT_WORDS 8

struct bait {
    const char *folder; /* empty, the caller's; gets a file "secret" */
    bool root;
    pid_t victim; /* a process */
    int shm;
    char words[BAIT_WORDS][160]; /* KEY=VALUE for the attacks */
};

/* A secret file, a process, two services, shared memory, an open descriptor: all the caller's. */
void bait_set_up(struct bait *bait);
void bait_tear_down(struct bait *bait);

/* A line of the attacks: "NUMBER|NAME|LAYER|VERDICT|DETAIL". */
struct row {
    int number;
    char name[64], layer[48], verdict[16], detail[48];
};
bool bait_parse(const char *line, struct row *row);

#endif
