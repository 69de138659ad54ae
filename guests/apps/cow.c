/*
 * cow.c - a family that writes to the same pages: each must see its own writes and nobody else's.
 * `cow [ROUNDS]`
 *
 * Each process writes at random and remembers beside it what each page must hold now. Then it has
 * two children, which go on from there, while it goes on, too. With fork() by copy on write this is
 * what breaks if a page table, or a VMM's shadow of it, is stale.
 */
#include "lib.h"

#define PAGE   4096
#define PAGES  24
#define DEPTH  3
#define WRITES 40

static uint32_t memory[PAGES][PAGE / sizeof(uint32_t)] __attribute__((aligned(PAGE)));
static uint32_t model[PAGES]; /* what the first word of each page is */

static int fds[2];
static int unseen; /* writes by the kernel that we do not see */

static uint32_t
next(uint32_t *seed)
{
    return *seed = *seed * 1664525u + 1013904223u; /* Knuth's, as in Numerical Recipes */
}

/* Each process has a pipe of its own. */
static void
renew_pipe(void)
{
    sys_close(fds[0]);
    sys_close(fds[1]);
    sys_pipe(fds);
}

/* Has the kernel write. It gets us a page of our own without a page fault, which would tell the
 * processor to look at the tables again; and the page is read before, so that the TLB has it. */
static void
write_by_kernel(volatile uint32_t *to, uint32_t word)
{
    bool different = *to != word;
    if (sys_write(fds[1], &word, sizeof(word)) != sizeof(word) ||
        sys_read(fds[0], (void *)to, sizeof(word)) != sizeof(word) || !different || *to != word)
        unseen++;
}

static void
write_some(uint32_t *seed)
{
    for (int i = 0; i < WRITES; i++) {
        uint32_t page = next(seed) >> 8, word = next(seed);
        page %= PAGES;
        if (i % 4)
            memory[page][0] = word;
        else
            write_by_kernel(&memory[page][0], word);
        memory[page][PAGE / sizeof(uint32_t) - 1] = ~word;
        model[page] = word;
    }
}

/* How many pages do not hold what this process, or one before it, wrote last. */
static int
wrong(void)
{
    int count = unseen;
    for (int i = 0; i < PAGES; i++)
        count += memory[i][0] != model[i] || memory[i][PAGE / sizeof(uint32_t) - 1] != ~model[i];
    return count;
}

/* Exits with 1 if anything was wrong here or below. */
static int
live(uint32_t seed, int depth)
{
    int64_t pids[2] = {0, 0};
    int bad;
    write_some(&seed);
    bad = wrong();
    for (uint32_t child = 0; child < 2 && depth > 0; child++) {
        pids[child] = sys_fork();
        if (pids[child] == 0) {
            renew_pipe();
            sys_exit(live(seed * 3 + child, depth - 1));
        }
        if (pids[child] < 0)
            bad++;
        write_some(&seed);
        sys_call(SYS_SCHED_YIELD, 0, 0, 0);
        bad += wrong();
    }
    for (int i = 0; i < 2 && depth > 0; i++) {
        int status = 0;
        bad += sys_wait(pids[i], &status) != pids[i] || status;
    }
    return (bad + wrong()) != 0;
}

int
main(int argc, char **argv, char **envp)
{
    int64_t rounds = number_at(argc, argv, 1, 4), bad = 0;
    (void)envp;
    for (int i = 0; i < PAGES; i++)
        memory[i][PAGE / sizeof(uint32_t) - 1] = ~UINT32_C(0);
    if (sys_pipe(fds))
        return 1;
    for (int64_t i = 0; i < rounds; i++)
        bad += live((uint32_t)i + 1, DEPTH);
    say("cow: %d rounds, %s\n", rounds, bad ? "pages were wrong" : "all pages were right");
    return bad != 0;
}
