/*
 * launch.h - from the words of a command line to a machine that is ready to run.
 *
 * The options are shared by every command that runs a guest (run, debug and compare). Next: launch.c, then core/run.c.
 */
#ifndef HV_CLI_LAUNCH_H
#define HV_CLI_LAUNCH_H

#include <limits.h>

#include "cli/cli.h"
#include "core/vm.h"
#include "device/pc.h"
#include "isa/x86/regs.h"

struct loader_ops;
struct ski;
struct ski_setup;

struct launch_options {
    const char *guest;  /* a path, or the name of one of our guests; NULL if bios is given */
    const char *bios;   /* a firmware ROM to start instead of a guest */
    const char *engine; /* "auto" or a name */
    const char *strategy;
    const char *loader; /* NULL: the one that knows the file's format */
    bool load_at_given; /* a flat image: where it goes, and its first instruction */
    uint64_t load_at;
    uint64_t mem;       /* bytes of RAM */
    const char *disk;   /* NULL: none */
    const char *initrd; /* NULL: none */
    int64_t date;       /* of the real-time clock, seconds since 1970 UTC; 0: the board's default */
    const char *append; /* the guest's command line, "" for none */
    const char *console; /* as console_open() takes it */
    uint64_t debug_exit_port;
    const char *trace; /* recording to write; NULL: none */
    bool trace_guest;  /* record transfers inside the guest too */
    const struct args *args;
    char *argv[ARGS_MAX + 1]; /* a process: its program and arguments; ends with NULL */
    unsigned words;           /* of them */
    enum process_trace trace_level;
    const char *input; /* a process: its standard input; NULL: as console says */
    bool keep_output;  /* a process: what it writes goes to launch.output, for who compares it */
    struct run_limits limits;
};

/* The table for struct command's options. */
extern const struct option_desc launch_option_table[];

/* Fills options from args; what was not given gets its default. The strings stay args'. 0 or
 * -errno. */
int launch_read_options(struct launch_options *options, const struct args *args, struct error *err);

/* A machine and all that belongs to it. */
struct launch {
    struct vm vm;
    struct pc *pc;
    struct console console;
    const struct loader_ops *loader;
    uint8_t *data; /* the guest's file; the loader has copied what it needs */
    size_t size;
    uint8_t *initrd;
    size_t initrd_size;
    uint8_t *disk; /* --disk; NULL: BIOS services read from data */
    size_t disk_size;
    char path[PATH_MAX];         /* of the guest's file */
    struct x86_regs regs;        /* what the guest starts with */
    struct error auto_note;      /* --engine auto: why it is not kvm; "" if it is */
    bool attached;               /* the strategy is */
    struct process_spec program; /* a process: what vm.program points to */
    struct ski_setup *ski_setup; /* strategy ski: how it is isolated, */
    struct ski *ski;             /* and the guest */
    int input, output;           /* its files; 0: none of our own */
};

/* Builds the machine and loads the guest: vm_run() may be called next. args: the command line,
 * for the recording's header. 0, or -errno with a sentence; then everything is closed already. */
int launch_open(struct launch *launch, const struct launch_options *options,
                const struct args *args, struct error *err);
/* Ends the recording, restores the terminal, frees the machine. 0, or -errno with a sentence if
 * output or events were lost. */
int launch_close(struct launch *launch, struct error *err);

/* From here on SIGINT, SIGTERM and SIGHUP stop this machine's run loop instead of killing hv;
 * NULL: they kill again. launch_signal() says which one came, 0 for none. */
void launch_catch_signals(struct vm *vm);
int launch_signal(void);

#endif
