/*
 * main.c - the kernel's beginning and end.
 *
 * boot.S calls kmain(). It sets up the machine piece by piece, runs process 1, and powers off.
 * Read next: trap.c and entry.S (how control comes in), vm.c and space.c (memory), proc.c.
 *
 * The command line:
 *   init=APP ARGUMENT...   process 1; all words to the end are its own. Without it: sh, which reads
 *                          the console. initrd is what hv run --initrd FILE gave.
 *   tasks=KIND             the same as init=tasks KIND: several programs (apps/tasks.c)
 *   hz=N        ticks of the timer in a second (100): a process' turn is one tick
 *   ticks=N     idle for N ticks before process 1 starts (3)
 *   noecho      do not show what is typed: where the terminal does so itself
 *   quiet       nothing from the kernel, only from programs
 *   verbose     also what differs from machine to machine
 *   holes       use the virtualization holes (holes.c)
 *   nano=NAME   measure an operation, or all (nano.c); count=N times (10000)
 *   panic       the kernel follows a wild pointer: shows a panic and its exit status
 * With holes or nano and no init, there is no process 1.
 *
 * It ends by writing v to the debug-exit port, and hv with status (v << 1) | 1. v is:
 *   0..95    what process 1 gave to exit(); more than 95 is shown as 95
 *   96 + n   signal n ended it, as Linux numbers them: 107 is a wild pointer
 *   127      panic
 */
#include "kernel.h"
#include "abi.h"

#define END_EXIT_MAX 95
#define END_SIGNAL   96
#define END_PANIC    127

#define MEMORY_MAX 0x40000000 /* what fits between KERNEL_BASE and the end of the map */
#define MEMORY_MIN 0x400000

extern char kernel_end[];

void kmain(const struct boot_info *physical_info);

/* --- the command line --------------------------------------------------------------------------- */

struct options {
    bool panic, verbose, holes, noecho, init;
    unsigned ticks, hz, count;
    const char *nano;
};

static char line[BOOT_CMDLINE_MAX + 1]; /* a copy, cut into words */
static struct args init_args;

/* If `word` starts with `key`, what follows it; else NULL. */
static const char *
after(const char *word, const char *key)
{
    while (*key)
        if (*word++ != *key++)
            return NULL;
    return word;
}

/* If `word` is `key` and a number: *value. */
static void
read_number(const char *word, const char *key, unsigned *value)
{
    const char *digit = after(word, key);
    if (!digit)
        return;
    for (*value = 0; *digit >= '0' && *digit <= '9' && *value < 100000000; digit++)
        *value = *value * 10 + (*digit - '0');
}

static void
add_argument(const char *word)
{
    if (exec_add(&init_args, word))
        panic(NULL, "the command line has too many words");
    init_args.argc++;
}

static void
read_word(struct options *o, const char *word)
{
    const char *value;
    if (o->init) {
        add_argument(word);
        return;
    }
    o->panic |= !strcmp(word, "panic");
    o->verbose |= !strcmp(word, "verbose");
    o->holes |= !strcmp(word, "holes");
    o->noecho |= !strcmp(word, "noecho");
    note_quiet |= !strcmp(word, "quiet");
    read_number(word, "ticks=", &o->ticks);
    read_number(word, "hz=", &o->hz);
    read_number(word, "count=", &o->count);
    if ((value = after(word, "nano=")))
        o->nano = value;
    if ((value = after(word, "tasks=")))
        add_argument("tasks");
    else
        value = after(word, "init=");
    if (value) {
        add_argument(value);
        o->init = true;
    }
}

static struct options
read_options(const char *s)
{
    struct options o = {.ticks = 3, .hz = 100, .count = 10000};
    memcpy(line, s, strlen(s) < sizeof(line) ? strlen(s) : sizeof(line) - 1);
    for (char *c = line; *c;) {
        const char *word = c;
        while (*c && *c != ' ')
            c++;
        while (*c == ' ')
            *c++ = 0;
        if (*word)
            read_word(&o, word);
    }
    if (!o.init && !o.holes && !o.nano)
        add_argument("sh");
    return o;
}

/* --- the beginning ------------------------------------------------------------------------------ */

/* All RAM behind the kernel is free, but for the initrd. The loader's own tables, the command line
 * and struct boot_info lie below 1 MiB, where nothing is ever allocated (include/abi.h). */
static void
init_memory(const struct boot_info *info)
{
    uint64_t end = info->memory_size < MEMORY_MAX ? info->memory_size : MEMORY_MAX;
    uint64_t initrd = info->initrd_start, size = info->initrd_size;

    end &= -(uint64_t)LARGE_PAGE;
    pmm_init(virt_to_phys(kernel_end), end);
    if (initrd && initrd < end && size <= end - initrd) {
        pmm_reserve(initrd, initrd + size);
        exec_initrd.start = phys_to_virt(initrd);
        exec_initrd.end = exec_initrd.start + size;
    }
    vm_init(end);
    note("paging: RAM at %p by 2 MiB pages, the kernel itself by 4 KiB pages", (void *)KERNEL_BASE);
}

/* Interrupts, and a look whether they arrive: idles until the timer has ticked `ticks` times. */
static void
init_devices(const struct options *o)
{
    priv_irq_init();
    console_init(!o->noecho);
    timer_init(o->hz);
    while (timer_ticks() < o->ticks)
        priv_idle();
    note("timer: 8254 at %u Hz, waited for %u ticks", timer_hz, o->ticks);
}

/* Runs process 1 to its end; what to write to the debug-exit port. */
static uint8_t
run_init(const struct options *o)
{
    uint64_t before = pmm_free_pages();
    int status = proc_run(&init_args), code = status >> 8;

    if (o->verbose)
        note("%lu ticks; pages free before process 1: %lu, after: %lu", timer_ticks(), before,
             pmm_free_pages());
    if (pmm_free_pages() != before)
        panic(NULL, "%d pages were not given back", (int)(before - pmm_free_pages()));
    note("all pages are free again");
    if (status & 0x7f) {
        note("process 1 was ended by signal %d", status & 0x7f);
        return END_SIGNAL + (status & 0x7f);
    }
    note("process 1 exited with %d", code);
    return code < END_EXIT_MAX ? code : END_EXIT_MAX;
}

void
kmain(const struct boot_info *physical_info)
{
    const struct boot_info *info = phys_to_virt((uint64_t)physical_info);
    struct options options;
    uint8_t end = 0;

    priv_console_init();
    if (info->magic != BOOT_INFO_MAGIC)
        panic(NULL, "the loader gave no struct boot_info");
    if (info->memory_size < MEMORY_MIN)
        panic(NULL, "%u MiB of memory: at least %u are needed", (unsigned)(info->memory_size >> 20),
              MEMORY_MIN >> 20);
    options = read_options(phys_to_virt(info->command_line));
    note("64-bit kernel, console on COM1, 115200 baud");
    note("memory: %u MiB; command line: %s", (unsigned)(info->memory_size >> 20),
         (const char *)phys_to_virt(info->command_line));

    cpu_init();
    trap_init();
    if (options.verbose)
        note("processor: nx %d, pge %d, smep %d, smap %d, umip %d", cpu.nx, cpu.pge, cpu.smep,
             cpu.smap, cpu.umip);
    init_memory(info);
    init_devices(&options);
    syscall_init();

    if (options.panic)
        *(volatile char *)0xdead000 = 1;
    if (options.holes && holes_run())
        end = 1;
    if (options.nano && !nano_run(options.nano, options.count))
        panic(NULL, "nano: there is no %s", options.nano);
    if (init_args.argc)
        end = run_init(&options);
    note("done");
    priv_power_off(end);
}

/* --- the end ------------------------------------------------------------------------------------ */

void
panic(const struct trap_frame *f, const char *format, ...)
{
    va_list args;
    priv_cli();
    kprintf("minios: PANIC: ");
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
    kprintf("\n");
    if (f) {
        kprintf("rip %016lx  cs  %04lx  rflags %08lx  vector %lu  error %lx  cr2 %lx\n", f->rip,
                f->cs, f->rflags, f->vector, f->error, priv_read_cr2());
        kprintf("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
        kprintf("rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx\n", f->rsi, f->rdi, f->rbp, f->rsp);
        kprintf("r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx\n", f->r8, f->r9, f->r10, f->r11);
        kprintf("r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
    }
    priv_power_off(END_PANIC);
}
