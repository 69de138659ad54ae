/* veth.c - --net veth: a virtual cable from the guest to the host. Called by the step "veth". */
#include <errno.h>

#include "strategy/ski/own.h"

SKI_STEP(ski_step_veth)
{
    return ski->options.net == SKI_NET_VETH
               ? error_set(err, ENOTSUP, "--net veth cannot be had yet: use --net none")
               : 0;
}

int
ski_veth_inside(struct ski *ski, struct error *err)
{
    (void)ski;
    (void)err;
    return 0;
}
