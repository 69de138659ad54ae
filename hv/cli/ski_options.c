/*
 * ski_options.c - see ski_options.h. Which file a word names, and what may be left out.
 *
 * Called by run_ski.c and cmd_ski.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/guestdir.h"
#include "cli/ski_options.h"

/* clang-format off */
const struct option_desc ski_option_table[] = {
    {"rootfs", 0, "DIR", "ski: the guest's root file system, read-only (a minimal one in memory)."},
    {"pids", 0, "N", "ski: so many processes and threads at most (32)."},
    {"cpu", 0, "PERCENT", "ski: so much of one processor at most; 200 is two (50)."},
    {"net", 0, "WHAT", "ski: none, only lo; or veth, a virtual cable to the host, for root (none)."},
    {"hostname", 0, "NAME", "ski: the guest's name (ski)."},
    {"without", 0, "LAYER", "ski: leave out a layer of the isolation; --explain names them. Repeat."},
    {"i-know", 0, NULL, "ski: --without as root, too: what gets out then is root's."},
    {"explain", 0, NULL, "ski: print the steps of the isolation and what each stops; run nothing."},
    {NULL},
};
/* clang-format on */

static int
read_without(struct ski_setup *setup, const struct args *args, struct error *err)
{
    const char *word, *names[32];

    for (unsigned n = 0; (word = args_nth(args, "without", n)); n++) {
        unsigned count = 0, i;
        for (i = 0; ski_layers[i].name && strcmp(ski_layers[i].name, word); i++)
            names[count++] = ski_layers[i].name;
        const char *near = ski_layers[i].name ? NULL : nearest_name(word, names, count);
        if (!ski_layers[i].name)
            return error_set(err, EINVAL, "there is no layer '%s'%s%s%s", word,
                             near ? "; did you mean '" : "; --explain names them", near ? near : "",
                             near ? "'?" : "");
        setup->options.without |= ski_layers[i].bit;
    }
    if (setup->options.without && geteuid() == 0 && !args_flag(args, "i-know"))
        return error_set(
            err, EPERM,
            "--without as root is dangerous: what gets out of the guest is root's. Try "
            "it as another user, or add --i-know");
    return 0;
}

static int
read_limits(struct ski_setup *setup, const struct args *args, struct error *err)
{
    struct ski_options *o = &setup->options;
    uint64_t cpu = o->cpu;
    const char *net = args_value(args, "net");
    int rc;

    if ((rc = args_size(args, "mem", &o->mem, err)) ||
        (rc = args_number(args, "pids", &o->pids, err)) ||
        (rc = args_number(args, "cpu", &cpu, err)))
        return rc;
    if (o->mem < 4 << 20 || o->mem > UINT64_C(1) << 40)
        return error_set(err, EINVAL, "option '--mem': 4M to 1024G for strategy ski");
    if (o->pids < 2 || o->pids > 100000)
        return error_set(err, EINVAL,
                         "option '--pids': 2 to 100000; the guest's pid 1 is one of them");
    if (cpu < 1 || cpu > 100000)
        return error_set(err, EINVAL, "option '--cpu': percent of one processor, 1 to 100000");
    o->cpu = (unsigned)cpu;
    if (net && !strcmp(net, "veth"))
        o->net = SKI_NET_VETH;
    else if (net && strcmp(net, "none"))
        return error_set(err, EINVAL, "option '--net' takes none or veth, not '%s'", net);
    if (o->net == SKI_NET_VETH && geteuid())
        return error_set(err, EPERM, "--net veth makes an interface on the host: only root may");
    if (o->net == SKI_NET_VETH && o->without & SKI_LAYER_NET)
        return error_set(err, EINVAL,
                         "--net veth needs the network namespace that --without net leaves out");
    return 0;
}

int
ski_check_options(const struct args *args, const char *strategy, struct error *err)
{
    static const char *const machine[] = {"loader", "load-at", "bios",   "disk",
                                          "initrd", "date",    "append", "debug-exit-port"};

    if (strategy && !strcmp(strategy, "ski")) {
        for (unsigned i = 0; i < ARRAY_SIZE(machine); i++)
            if (args_flag(args, machine[i]))
                return error_set(err, EINVAL,
                                 "option '--%s' is for a guest with a machine of its own; strategy "
                                 "ski runs a process of this host's kernel",
                                 machine[i]);
        return 0;
    }
    for (const struct option_desc *o = ski_option_table; o->name; o++)
        if (args_flag(args, o->name))
            return error_set(err, EINVAL, "option '--%s' is for --strategy ski, and this is %s",
                             o->name, strategy ? strategy : "hardware");
    return 0;
}

/*
 * A path with a slash at its beginning is the guest's; another path with a slash is a file of the
 * host, copied into the guest. A bare name is one of our own programs (guests/apps), bound at /apps
 * with all others, because some start others; else what the guest has in /bin and the like. With
 * --rootfs a bare name is the root's own.
 */
static int
find_program(struct ski_setup *setup, const char *word, struct error *err)
{
    struct ski_options *o = &setup->options;
    char file[2 * PATH_MAX];
    bool own_root = !(o->without & SKI_LAYER_MOUNT);

    setup->spec.path = word;
    if (!word[0])
        return error_set(err, EINVAL, "the program's name is empty");
    if (word[0] == '/')
        return 0;
    if (strchr(word, '/') && !own_root) {
        if (!realpath(word, setup->path))
            return error_set(err, errno, "the file '%s' cannot be found: %m", word);
    } else if (strchr(word, '/')) {
        o->copy = word;
        snprintf(setup->path, sizeof(setup->path), "/tmp/%s", strrchr(word, '/') + 1);
    } else if (!o->rootfs && guestdir_find(setup->apps, sizeof(setup->apps) - 5)) {
        strcat(setup->apps, "/apps");
        snprintf(file, sizeof(file), "%s/%s", setup->apps, word);
        if (access(file, X_OK))
            return 0;
        o->app_folder = own_root ? setup->apps : NULL;
        o->cwd = own_root ? "/apps" : setup->apps;
        snprintf(setup->path, sizeof(setup->path), "%s/%s", o->cwd, word);
    } else {
        return 0;
    }
    setup->spec.path = setup->path;
    return 0;
}

int
ski_read_options(struct ski_setup *setup, const struct args *args, unsigned first,
                 struct error *err)
{
    const char *term = getenv("TERM");
    unsigned count = 0;
    int rc;

    memset(setup, 0, sizeof(*setup));
    ski_options_init(&setup->options);
    setup->options.rootfs = args_value(args, "rootfs");
    setup->options.hostname = args_value(args, "hostname");
    if (args->words <= first)
        return error_set(err, EINVAL,
                         "which program? hv %s -- PROGRAM ARGS: one of ours ('hv list apps'), what "
                         "the guest has, as /bin/sh, or ./FILE of the host's",
                         first ? "ski spawn" : "run --strategy ski");
    if ((rc = read_without(setup, args, err)) || (rc = read_limits(setup, args, err)) ||
        (rc = find_program(setup, args->word[first], err)))
        return rc;
    for (unsigned i = first; i < args->words; i++)
        setup->argv[count++] = (char *)args->word[i];
    snprintf(setup->term, sizeof(setup->term), "TERM=%s", term ? term : "dumb");
    setup->envp[0] = "PATH=/bin:/usr/bin:/sbin:/usr/sbin";
    setup->envp[1] = "HOME=/";
    setup->envp[2] = setup->term;
    setup->spec.argv = setup->argv;
    setup->spec.envp = setup->envp;
    return 0;
}
