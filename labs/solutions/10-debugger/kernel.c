/*
 * kernel.c - the kernel of lab 10. It runs jobs one after the other, and keeps a log of what they did.
 *
 * A job's memory is not mapped before it is touched: the page fault maps it. The command line may
 * name other jobs. This is the reference: name_set() is mended.
 */
#include "labguest.h"

#define LOG_ENTRIES 32
#define NAME_SIZE   8
#define VECTORS     32

#define JOB_MEMORY 0x4000000ull /* job n has 2 MiB at JOB_MEMORY + n * 2 MiB */
#define PAGE_2M    0x200000ull
#define JOBS_MAX   16

#define VECTOR_PF 14
#define GATE_INT  0x8e /* P, DPL 0, 64-bit interrupt gate (SDM vol. 3, 7.14.1) */

struct gate {
    uint16_t offset_0;
    uint16_t selector;
    uint8_t ist, type;
    uint16_t offset_16;
    uint32_t offset_32, zero;
};

/* What the kernel knows, one behind the other in memory, in this order. */
__asm__(".bss; .balign 16\n"
        ".globl job_name, log_head, log_ring, idt\n"
        "job_name: .skip 8\n"
        "log_head: .skip 4\n"
        "          .skip 4\n"
        "log_ring: .skip 32 * 8\n"
        "idt:      .skip 32 * 16\n"
        ".text\n");
extern char job_name[NAME_SIZE];       /* of the job that runs; ends with a zero byte */
extern volatile uint32_t log_head;     /* the next entry of the log that is written */
extern uint64_t log_ring[LOG_ENTRIES]; /* what is older than the last 32 is overwritten */
extern struct gate idt[VECTORS];

static uint32_t logged, faults; /* since the start */

/* --- the log ------------------------------------------------------------------------------------ */

__attribute__((noinline)) static void
log_add(uint64_t what)
{
    log_ring[log_head++] = what;
    if (log_head == LOG_ENTRIES)
        log_head = 0;
    logged++;
}

static uint64_t
log_sum(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < LOG_ENTRIES; i++)
        sum += log_ring[i];
    return sum;
}

/* --- page faults -------------------------------------------------------------------------------- */

/* The entry of the page directory for an address below 4 GiB; the loader made the tables. */
static volatile uint64_t *
directory_entry(uint64_t address)
{
    return (volatile uint64_t *)(uint64_t)(BOOT_PAGES + 0x2000 + address / PAGE_2M * 8);
}

struct frame;

__attribute__((interrupt)) static void
on_page_fault(struct frame *frame, uint64_t error)
{
    uint64_t address;

    (void)frame, (void)error;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    *directory_entry(address) |= 1;
    faults++;
}

static void
idt_set(unsigned vector, uint64_t handler)
{
    idt[vector] = (struct gate){
        .offset_0 = (uint16_t)handler,
        .selector = BOOT_CS,
        .type = GATE_INT,
        .offset_16 = (uint16_t)(handler >> 16),
        .offset_32 = (uint32_t)(handler >> 32),
    };
}

static void
traps_begin(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } idtr = {VECTORS * sizeof(struct gate) - 1, (uint64_t)idt};

    idt_set(VECTOR_PF, (uint64_t)on_page_fault);
    __asm__ volatile("lidt %0" : : "m"(idtr));
    for (unsigned n = 0; n < JOBS_MAX; n++)
        *directory_entry(JOB_MEMORY + n * PAGE_2M) &= ~1ull;
    __asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
}

/* --- jobs --------------------------------------------------------------------------------------- */

/* Makes the word at `text` the name of the job that runs. A name that is too long is cut: 7
 * characters are kept, and a zero byte. Returns where the next word begins. */
__attribute__((noinline)) static const char *
name_set(const char *text)
{
    unsigned n = 0;

    while (*text && *text != ' ')
        if (n < NAME_SIZE - 1)
            job_name[n++] = *text++;
        else
            text++;
    job_name[n] = 0;
    while (*text == ' ')
        text++;
    return text;
}

/* Adds up squares in the job's own memory, and logs each quarter of the way. */
__attribute__((noinline)) static void
job_run(unsigned n)
{
    volatile uint64_t *memory = (volatile uint64_t *)(JOB_MEMORY + n * PAGE_2M);

    for (unsigned i = 1; i <= 40; i++) {
        memory[0] += i * i * (n + 1);
        if (i % 10 == 0)
            log_add(memory[0]);
    }
    print("job ");
    print(job_name);
    say("", memory[0]);
}

void
guest_main(struct boot_info *boot)
{
    const char *jobs = (const char *)boot->command_line;

    if (!*jobs)
        jobs = "idle clock checksum1 report sweep idle report";
    traps_begin();
    for (unsigned n = 0; *jobs && n < JOBS_MAX; n++) {
        jobs = name_set(jobs);
        job_run(n);
    }
    say("page faults", faults);
    say("logged", logged);
    say("sum of the log", log_sum());
}
