/* kit.c - see kit.h. Called from kit.S; calls appliance_main(). */
#include <stdarg.h>

#include "abi.h"
#include "kit.h"

#define DEBUG_EXIT 0xf4

/* A 16550 at COM1 (PC16550D data sheet, section 8). */
#define COM1     0x3f8
#define IER_THRE 0x02 /* interrupt when it can take a byte: on, as a BIOS may leave it */
#define LCR_8N1  0x03
#define MCR_OUT2 0x08 /* a PC's gate to the interrupt line */
#define LSR_THRE 0x20
#define FCR_ON   0x07 /* FIFOs on and empty */
#define FIFO     16

/* The 8259 pair (Intel 8259A data sheet) and the 8254. */
#define PIC1        0x20
#define PIC2        0xa0
#define PIC_CASCADE 2
#define ICW1        0x11
#define ICW4        0x01
#define EOI         0x20
#define READ_ISR    0x0b
#define VECTOR_IRQ  32
#define PIT_HZ      1193182
#define PIT_RATE    0x34 /* counter 0, both bytes, mode 2 */
#define PIT_ONCE    0x30 /* mode 0 */

#define GATE 0x8e00 /* P, DPL 0, interrupt gate (SDM vol. 3, 6.14.1) */

extern char stubs[];
void kit_main(const struct boot_info *info);
void kit_interrupt(uint64_t vector, uint64_t error, uint64_t rip);

static const char *command_line;
static uint64_t memory;
static void (*handlers[16])(void);
static uint64_t idt[48][2];
static unsigned fifo_room, fifo_size = 1;

/* --- the command line --------------------------------------------------------------------------- */

/* What follows the last "key=" at the beginning of a word, or NULL. */
static const char *
find(const char *key)
{
    const char *found = 0;

    for (const char *word = command_line; *word;) {
        const char *k = key, *w = word;
        while (*k && *k == *w)
            k++, w++;
        if (!*k && *w == '=')
            found = w + 1;
        while (*word && *word != ' ')
            word++;
        while (*word == ' ')
            word++;
    }
    return found;
}

/* Decimal, or hexadecimal behind 0x; K and M behind it multiply. */
uint64_t
param(const char *key, uint64_t otherwise)
{
    const char *t = find(key);
    uint64_t value = 0, base = 10;

    if (!t || *t < '0' || *t > '9')
        return otherwise;
    if (t[0] == '0' && t[1] == 'x') {
        base = 16;
        t += 2;
    }
    for (;; t++) {
        uint64_t digit = *t >= '0' && *t <= '9'   ? (uint64_t)(*t - '0')
                         : *t >= 'a' && *t <= 'f' ? (uint64_t)(*t - 'a' + 10)
                                                  : 16;
        if (digit >= base)
            break;
        value = value * base + digit;
    }
    return *t == 'K' ? value << 10 : *t == 'M' ? value << 20 : value;
}

bool
param_is(const char *key, const char *word)
{
    const char *t = find(key);

    while (t && *word && *t == *word)
        t++, word++;
    return t && !*word && (!*t || *t == ' ');
}

uint64_t
memory_size(void)
{
    return memory;
}

/* --- text ----------------------------------------------------------------------------------------- */

void
console_fifo(void)
{
    out8(COM1 + 2, FCR_ON);
    fifo_size = FIFO;
}

static void
put(char c)
{
    if (!fifo_room) {
        while (!(in8(COM1 + 5) & LSR_THRE))
            ;
        fifo_room = fifo_size;
    }
    fifo_room--;
    out8(COM1, (uint8_t)c);
}

static void
put_number(uint64_t value, unsigned base, unsigned width, char fill)
{
    char digits[20];
    unsigned count = 0;

    do
        digits[count++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (width-- > count)
        put(fill);
    while (count)
        put(digits[--count]);
}

void
say(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    for (; *format; format++) {
        unsigned width = 0;
        char fill = ' ';
        if (*format != '%') {
            put(*format);
            continue;
        }
        if (*++format == '0')
            fill = '0';
        while (*format >= '0' && *format <= '9')
            width = width * 10 + (unsigned)(*format++ - '0');
        if (*format == 's') {
            for (const char *s = va_arg(list, const char *); *s; s++)
                put(*s);
        } else if (*format == 'd') {
            int value = va_arg(list, int);
            put(value < 0 ? '-' : '+');
            put_number((uint64_t)(value < 0 ? -(int64_t)value : value), 10, width, fill);
        } else if (*format == '%') {
            put('%');
        } else {
            put_number(va_arg(list, unsigned), *format == 'x' ? 16 : 10, width, fill);
        }
    }
    va_end(list);
}

void
stop(uint8_t status, const char *text)
{
    say("%s\n", text);
    out8(DEBUG_EXIT, status);
    for (;;)
        asm volatile("cli; hlt");
}

/* --- interrupts ------------------------------------------------------------------------------------- */

void
on_irq(unsigned line, void (*handler)(void))
{
    handlers[line] = handler;
}

void
irq_mask(uint16_t mask)
{
    out8(PIC1 + 1, (uint8_t)mask);
    out8(PIC2 + 1, (uint8_t)(mask >> 8));
}

/* Called by the stubs, interrupts off. */
void
kit_interrupt(uint64_t vector, uint64_t error, uint64_t rip)
{
    unsigned line = (unsigned)vector - VECTOR_IRQ;

    if (vector < VECTOR_IRQ) {
        say("exception %u, error %x, at %x\n", (unsigned)vector, (unsigned)error, (unsigned)rip);
        stop(9, "the appliance stops");
    }
    if (!handlers[line]) {
        say("interrupt of line %u, which nobody expects\n", line);
        stop(8, "the appliance stops");
    }
    handlers[line]();
    if (line >= 8)
        out8(PIC2, EOI);
    out8(PIC1, EOI);
}

static void
interrupts_init(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } idtr = {sizeof(idt) - 1, (uint64_t)idt};

    for (unsigned v = 0; v < 48; v++) {
        uint64_t at = (uint64_t)stubs + 16 * v;
        idt[v][0] = (at & 0xffff) | BOOT_CS << 16 | (uint64_t)GATE << 32 | at >> 16 << 48;
        idt[v][1] = at >> 32;
    }
    asm volatile("lidt %0" ::"m"(idtr));
    out8(PIC1, ICW1);
    out8(PIC2, ICW1);
    out8(PIC1 + 1, VECTOR_IRQ);
    out8(PIC2 + 1, VECTOR_IRQ + 8);
    out8(PIC1 + 1, 1 << PIC_CASCADE);
    out8(PIC2 + 1, PIC_CASCADE);
    out8(PIC1 + 1, ICW4);
    out8(PIC2 + 1, ICW4);
    irq_mask(0xffff);
}

static void
timer_set(uint8_t mode, uint64_t count)
{
    out8(0x43, mode);
    out8(0x40, (uint8_t)count);
    out8(0x40, (uint8_t)(count >> 8));
}

void
timer_rate(unsigned hz)
{
    timer_set(PIT_RATE, (PIT_HZ + hz / 2) / hz);
}

void
timer_once(uint64_t ns)
{
    timer_set(PIT_ONCE, ns * PIT_HZ / 1000000000);
}

void
kit_main(const struct boot_info *info)
{
    command_line = (const char *)info->command_line;
    memory = info->memory_size;
    out8(COM1 + 1, IER_THRE);
    out8(COM1 + 3, LCR_8N1);
    out8(COM1 + 4, MCR_OUT2);
    interrupts_init();
    out8(DEBUG_EXIT, appliance_main());
}
