/*
 * family.c - a program of lab 7: has 400 pages in use, and five children, one after the other. Each fork()
 * makes all of these pages read-only, to be copied when somebody writes: 400 entries of page tables.
 */
#define PAGE  4096
#define PAGES 400

static volatile char memory[PAGES * PAGE];

static long
call(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return number;
}

void
_start(void)
{
    static const char text[] = "family: 5 children, and all pages as they were\n";

    for (unsigned i = 0; i < PAGES; i++)
        memory[i * PAGE] = (char)i;
    for (unsigned n = 0; n < 5; n++) {
        if (!call(57, 0, 0, 0, 0)) /* fork */
            call(60, 0, 0, 0, 0);  /* the child: exit */
        call(61, -1, 0, 0, 0);     /* wait4 */
    }
    for (unsigned i = 0; i < PAGES; i++)
        if (memory[i * PAGE] != (char)i)
            call(60, 1, 0, 0, 0);
    call(1, 1, (long)text, sizeof(text) - 1, 0); /* write */
    call(60, 0, 0, 0, 0);
}
