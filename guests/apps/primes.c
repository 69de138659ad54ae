/*
 * primes.c - computes and nothing else: the primes below N, by the sieve. `primes [N]`
 *
 * Its time should be the same under every strategy: the processor needs no help to compute.
 */
#include "lib.h"

#define MAX 1000000

static uint8_t composite[MAX];

int
main(int argc, char **argv, char **envp)
{
    int64_t limit = number_at(argc, argv, 1, 100000), count = 0;
    uint64_t checksum = 0;
    (void)envp;
    if (limit > MAX)
        limit = MAX;
    for (int64_t i = 2; i < limit; i++) {
        if (composite[i])
            continue;
        count++;
        checksum = checksum * 31 + (uint64_t)i;
        for (int64_t j = i * i; j < limit; j += i)
            composite[j] = 1;
    }
    say("primes: %d below %d, checksum %x\n", count, limit, checksum);
    return 0;
}
