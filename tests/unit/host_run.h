/* host_run.h - a process under engine host, without isolation, for host.c and host_stops.c. */
#ifndef TESTS_UNIT_HOST_RUN_H
#define TESTS_UNIT_HOST_RUN_H

#include "core/vm.h"

struct host_run {
    struct vm vm;
    struct process_spec spec;
    struct run_result result;
    struct error err;
    char path[32]; /* of the recording; empty: none */
    bool open;
};

/* Opens the engine with this program. 0, or -errno and run->err. host_run_end() in any case; an alarm
 * between the two kills the whole program: nothing may hang. */
int host_run_begin(struct host_run *run, const char *path, char *const argv[],
                   enum process_trace level);
void host_run_end(struct host_run *run);

#endif
