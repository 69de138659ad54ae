/*
 * main.c - the kernel's beginning and end.
 *
 * boot.S calls kmain(). It sets up the machine piece by piece, runs the tasks, and powers off.
 * Read next: trap.c and entry.S (how control comes in), vm.c (memory), proc.c (tasks).
 *
 * The command line:
 *   tasks=preempt   all tasks at once, the timer takes turns (the default)
 *   tasks=serial    one after the other: the console is the same to the byte in every run
 *   tasks=echo      only a task that repeats what is typed, until "quit"
 *   tasks=faults    one after the other, tasks that each do what ends them
 *   hz=N            ticks of the timer in a second (100): a task's turn is one tick
 *   ticks=N         idle for N ticks before the tasks start (3)
 *   panic           the kernel follows a wild pointer: shows a panic and its exit status
 *   verbose         also print what differs from machine to machine
 */
#include "kernel.h"
#include "abi.h"

#define STATUS_OK    0 /* so that hv and QEMU end with 1 */
#define STATUS_PANIC 1 /* and with 3 */

#define MEMORY_MAX 0x40000000 /* what fits between KERNEL_BASE and the end of the map */
#define MEMORY_MIN 0x400000

extern char kernel_end[];

void kmain(const struct boot_info *physical_info);

/* If `word` starts with `key`, what follows it; else NULL. */
static const char *
after(const char *word, const char *key)
{
    while (*key)
        if (*word++ != *key++)
            return NULL;
    return word;
}

/* Does the word at s, which a space or the end closes, equal `word`? */
static bool
is_word(const char *s, const char *word)
{
    const char *rest = after(s, word);
    return rest && (*rest == 0 || *rest == ' ');
}

/* If the word at s is `key` and a number: *value. */
static void
read_number(const char *s, const char *key, unsigned *value)
{
    const char *digit = after(s, key);
    if (!digit)
        return;
    for (*value = 0; *digit >= '0' && *digit <= '9' && *value < 100000000; digit++)
        *value = *value * 10 + (*digit - '0');
}

static struct options
read_options(const char *s)
{
    struct options o = {.ticks = 3, .hz = 100};
    while (*s) {
        o.faults |= is_word(s, "tasks=faults");
        o.echo |= is_word(s, "tasks=echo");
        o.serial |= is_word(s, "tasks=serial") || o.faults || o.echo;
        o.panic |= is_word(s, "panic");
        o.verbose |= is_word(s, "verbose");
        read_number(s, "ticks=", &o.ticks);
        read_number(s, "hz=", &o.hz);
        while (*s && *s != ' ')
            s++;
        while (*s == ' ')
            s++;
    }
    return o;
}

/* Shows that interrupts arrive: idles until the timer has ticked `ticks` times. */
static void
watch_timer(unsigned ticks)
{
    while (timer_ticks() < ticks)
        priv_idle();
    kprintf("minios: timer: 8254 at %u Hz, waited for %u ticks\n", timer_hz, ticks);
}

struct start {
    const char *program, *name, *argument;
};

static const struct start standard_tasks[] = {
    {"count", "red", "4"}, /* two that compute: they compete for the processor */
    {"count", "blue", "4"},
    {"nap", "nap", "2"},         /* one that mostly sleeps */
    {"lazy", "lazy", ""},        /* one whose memory appears as it is touched */
    {"probe", "probe", ""},      /* one that asks for what it must not get */
    {"wild", "wild", "nowhere"}, /* and one that the kernel has to end */
    {0},
};
static const struct start echo_tasks[] = {{"echo", "echo", ""}, {0}};
static const struct start fault_tasks[] = {
    {"wild", "wild", "kernel"}, {"wild", "wild", "code"},
    {"wild", "wild", "stack"},  {"wild", "wild", "privileged"},
    {"wild", "wild", "divide"}, {"wild", "wild", "undefined"},
    {"wild", "wild", "float"},  {0},
};

static void
spawn_tasks(const struct start *s)
{
    for (; s->program; s++)
        if (!proc_spawn(s->program, s->name, s->argument))
            panic(NULL, "cannot start %s", s->name);
}

void
kmain(const struct boot_info *physical_info)
{
    const struct boot_info *info = phys_to_virt((uint64_t)physical_info);
    struct options options;
    uint64_t memory = info->memory_size, before;

    priv_console_init();
    kprintf("minios: 64-bit kernel, console on COM1, 115200 baud\n");
    if (info->magic != BOOT_INFO_MAGIC)
        panic(NULL, "the loader gave no struct boot_info");
    if (memory < MEMORY_MIN)
        panic(NULL, "%u MiB of memory: at least %u are needed", (unsigned)(memory >> 20),
              MEMORY_MIN >> 20);
    kprintf("minios: memory: %u MiB; command line: %s\n", (unsigned)(memory >> 20),
            (const char *)phys_to_virt(info->command_line));
    options = read_options(phys_to_virt(info->command_line));

    cpu_init();
    trap_init();
    if (options.verbose)
        kprintf("minios: processor: nx %d, pge %d, smep %d, smap %d, umip %d\n", cpu.nx, cpu.pge,
                cpu.smep, cpu.smap, cpu.umip);

    /* RAM behind the kernel is free. The loader's tables lie below 1 MiB and stay unused. */
    memory = (memory < MEMORY_MAX ? memory : MEMORY_MAX) & -(uint64_t)LARGE_PAGE;
    pmm_init(virt_to_phys(kernel_end), memory);
    vm_init(memory);
    kprintf("minios: paging: RAM at %p by 2 MiB pages, the kernel itself by 4 KiB pages\n",
            (void *)KERNEL_BASE);

    priv_irq_init();
    priv_irq_enable(IRQ_CONSOLE);
    priv_console_listen();
    timer_init(options.hz);
    watch_timer(options.ticks);

    syscall_init();
    if (options.panic)
        *(volatile char *)0xdead000 = 1;
    before = pmm_free_pages();
    spawn_tasks(options.echo ? echo_tasks : options.faults ? fault_tasks : standard_tasks);
    proc_run(options.serial);

    proc_summary();
    if (pmm_free_pages() != before)
        panic(NULL, "%d pages were not given back", (int)(before - pmm_free_pages()));
    kprintf("minios: all pages are free again\n");
    kprintf("minios: done\n");
    priv_power_off(STATUS_OK);
}

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
    priv_power_off(STATUS_PANIC);
}
