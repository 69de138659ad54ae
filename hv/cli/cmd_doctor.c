/*
 * cmd_doctor.c - `hv doctor`: can this machine run guests, on which engine, and what is missing.
 *
 * Every check reads files below a root that can be given (--root), so that a lab, a test or the
 * picture of another machine can be examined; only the probe guest needs the real machine.
 * Called by main.c through command_doctor. Next: doctor_node.c.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/doctor_node.h"
#include "engine/engine.h"

struct doctor {
    const char *root;  /* "" for this machine */
    const char *as;    /* whose permissions; NULL: this process' */
    bool hypervisor;   /* cpuinfo: we are ourselves in a virtual machine */
    const char *flag;  /* "vmx" or "svm", or NULL: the processor shows neither */
    bool kvm;          /* /dev/kvm can be opened */
    unsigned problems; /* lines that say what to do */
};

/* One finding. advice NULL: all is well. */
static void __attribute__((format(printf, 4, 5)))
say(struct doctor *d, const char *what, const char *advice, const char *format, ...)
{
    char text[512];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    printf("%-4s %-11s ", advice ? "NO" : "ok", what);
    print_folded(stdout, PRINT_WIDTH, 17, text);
    if (advice) {
        printf("     %-11s -> ", "");
        print_folded(stdout, PRINT_WIDTH, 20, advice);
        d->problems++;
    }
}

/* root + path; too long a root names nothing. */
static const char *
under(const struct doctor *d, const char *path, char buffer[PATH_MAX])
{
    if (snprintf(buffer, PATH_MAX, "%s%s", d->root, path) >= PATH_MAX)
        buffer[0] = 0;
    return buffer;
}

static bool
exists(const struct doctor *d, const char *path)
{
    char full[PATH_MAX];

    return access(under(d, path, full), F_OK) == 0;
}

/* Has a line that begins with key this word? False if the file cannot be read. Files of /proc say
 * that their size is 0, so read_file() is of no use here. */
static bool
has_word_in_line(const struct doctor *d, const char *path, const char *key, const char *word)
{
    char full[PATH_MAX], *line = NULL;
    size_t room = 0, length = strlen(word);
    bool found = false;
    FILE *file = fopen(under(d, path, full), "re");

    while (file && !found && getline(&line, &room, file) > 0) {
        if (strncmp(line, key, strlen(key)))
            continue;
        for (char *at = line; !found && (at = strstr(at, word)); at += length)
            found = (at == line || strchr(" \t:,", at[-1])) && strchr(" \t\n,:", at[length]);
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

static void
check_cpu(struct doctor *d)
{
    d->hypervisor = has_word_in_line(d, "/proc/cpuinfo", "flags", "hypervisor");
    d->flag = has_word_in_line(d, "/proc/cpuinfo", "flags", "vmx")   ? "vmx"
              : has_word_in_line(d, "/proc/cpuinfo", "flags", "svm") ? "svm"
                                                                     : NULL;
    if (!exists(d, "/proc/cpuinfo"))
        say(d, "processor", "mount /proc", "/proc/cpuinfo cannot be read");
    else if (d->flag)
        say(d, "processor", NULL, "flag '%s': %s", d->flag,
            strcmp(d->flag, "vmx") ? "AMD SVM" : "Intel VT-x");
    else
        say(d, "processor",
            d->hypervisor ? "ask for nested virtualization where this virtual machine is set up, "
                            "or use --engine soft"
                          : "switch VT-x or SVM on in the firmware's set-up, or use --engine soft",
            "neither flag 'vmx' nor 'svm'%s", d->hypervisor ? ", in a virtual machine" : "");
}

static void
check_module(struct doctor *d)
{
    static const char *const modules[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};
    char path[64];

    for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
        snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
        if (exists(d, path) || has_word_in_line(d, "/proc/modules", modules[i], modules[i])) {
            say(d, "module", NULL, "%s is loaded%s", modules[i],
                strcmp(modules[i], "kvm_pvm") ? ""
                                              : ": a KVM without VT-x or SVM, slow for kernels");
            return;
        }
    }
    const char *advice = "load the one that fits the processor: modprobe kvm_intel or kvm_amd";
    if (d->flag)
        advice = strcmp(d->flag, "vmx") ? "as root: modprobe kvm_amd"
                                        : "as root: modprobe kvm_intel";
    say(d, "module", advice, "%s",
        exists(d, "/sys/module/kvm") ? "kvm is loaded, but neither kvm_intel nor kvm_amd"
                                     : "kvm is not loaded");
}

static void
check_device(struct doctor *d)
{
    char advice[256];
    struct node node;
    const char *name = d->as ? d->as : "you";

    if (node_read(&node, d->root, "kvm")) {
        say(d, "/dev/kvm",
            exists(d, "/sys/module/kvm") ? "in a container: start it with --device /dev/kvm; "
                                           "else: mknod /dev/kvm c 10 232"
                                         : "it comes with the module",
            "there is none");
        return;
    }
    bool member = node_member(d->root, d->as, node.group);
    int rc = node_access(&node, d->root, "kvm", d->as);
    d->kvm = rc == 0;
    if (rc == -ENOENT) {
        say(d, "/dev/kvm", "look into /etc/passwd", "there is no user '%s'", d->as);
    } else if (d->kvm) {
        say(d, "/dev/kvm", NULL, "mode %03o, group %s; %s may open it", node.mode, node.group,
            name);
    } else if ((node.mode & (S_IRGRP | S_IWGRP)) == (S_IRGRP | S_IWGRP) && !member &&
               strcmp(node.group, "root")) {
        snprintf(advice, sizeof(advice), "sudo usermod -aG %s %s, then log in again", node.group,
                 d->as ? d->as : "\"$USER\"");
        say(d, "/dev/kvm", advice, "mode %03o, group %s; %s %s not in that group", node.mode,
            node.group, name, d->as ? "is" : "are");
    } else {
        say(d, "/dev/kvm",
            "sudo chgrp kvm /dev/kvm; sudo chmod 660 /dev/kvm; that it lasts, a rule of udev must "
            "say so",
            "mode %03o, group %s; %s may not read and write it", node.mode, node.group, name);
    }
}

static void
check_engines(struct doctor *d)
{
    for (const struct engine_ops *const *e = engine_table; *e; e++) {
        struct error err = {""};
        if (d->root[0])
            say(d, (*e)->name, NULL, "not tried: --root names another machine");
        else if (!(*e)->probe)
            say(d, (*e)->name, NULL, "works everywhere");
        else if ((*e)->probe(&err))
            say(d, (*e)->name, "use --engine soft until it does", "the probe guest failed: %s",
                err.message);
        else
            say(d, (*e)->name, NULL, "the probe guest ran");
    }
}

static void
check_dot(struct doctor *d)
{
    const char *path = getenv("PATH");
    char folder[PATH_MAX], file[PATH_MAX + 8];

    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        size_t length = strcspn(at, ":");
        if (length && length < sizeof(folder)) {
            memcpy(folder, at, length);
            folder[length] = 0;
            snprintf(file, sizeof(file), "%s/dot", folder);
            if (exists(d, file)) {
                say(d, "pictures", NULL, "%s draws them", file);
                return;
            }
        }
        at += length + (at[length] == ':');
    }
    say(d, "pictures", "apt-get install graphviz (hv graph -o FILE.dot works without it)",
        "there is no 'dot' in PATH");
}

static int
run_doctor(const struct args *args)
{
    struct doctor d = {.root = args_value(args, "root"), .as = args_value(args, "as")};
    struct stat st;

    if (d.root && (stat(d.root, &st) || !S_ISDIR(st.st_mode)))
        return cli_error(STATUS_USER,
                         "'%s' is not a folder: --root takes the root of a file "
                         "system",
                         d.root);
    if (!d.root || !strcmp(d.root, "/"))
        d.root = "";
    check_cpu(&d);
    check_module(&d);
    check_device(&d);
    check_engines(&d);
    check_dot(&d);
    if (d.problems)
        printf("\n%u of these need%s attention. Guests run in any case: --engine soft needs "
               "nothing.\n",
               d.problems, d.problems == 1 ? "s" : "");
    else
        printf("\nAll is well.\n");
    return d.problems ? STATUS_USER : STATUS_OK;
}

static const struct option_desc options[] = {
    {"root", 0, "DIR", "Examine the file system below DIR instead of this machine's."},
    {"as", 0, "USER", "Ask for this user of that machine instead of for yourself."},
    {NULL},
};

const struct command command_doctor = {
    .name = "doctor",
    .words = "",
    .summary = "Say what this machine can run guests on, and what to do about the rest.",
    .text = "Looks at the processor's flags, KVM's modules, /dev/kvm and who may open it,\n"
            "runs the probe guest on every engine, and looks for Graphviz' dot. What is\n"
            "amiss is followed by what to do about it.\n\n"
            "Status 0: all is well; 1: something needs attention.\n",
    .options = {options},
    .run = run_doctor,
};
