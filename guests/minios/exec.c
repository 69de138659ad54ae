/*
 * exec.c - puts a program into an address space: ELF segments and a stack with its arguments.
 *
 * The programs are Linux programs (guests/apps): static ELF64 files, entered as Linux enters them.
 * They lie in the kernel's image (programs.S), and are checked all the same: "initrd", the file
 * that `hv run --initrd` gave, may hold anything. Called by proc.c and syscall.c.
 */
#include "kernel.h"

#define STACK_SIZE  0x10000
#define SEGMENT_MAX 0x10000000 /* fork() goes through all pages of a region, present or not */

/* The parts of the ELF64 headers that we need (System V ABI, chapters 4 and 5). */
struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
#define ELF_MAGIC    "\177ELF\2\1\1" /* 64-bit, little-endian, version 1 */
#define ELF_EXEC     2
#define ELF_X86_64   62
#define SEGMENT_LOAD 1
#define SEGMENT_X    1
#define SEGMENT_W    2

/* The auxiliary vector: what the kernel tells a program of itself (System V ABI, 3.4.3). */
#define AT_NULL   0
#define AT_PHDR   3
#define AT_PHENT  4
#define AT_PHNUM  5
#define AT_PAGESZ 6
#define AT_ENTRY  9

struct program exec_initrd = {"initrd", NULL, NULL};

/* There are no folders: of a path only what follows the last '/' counts. */
static const struct program *
find(const char *path)
{
    const char *name = path;
    for (const char *c = path; *c; c++)
        if (*c == '/')
            name = c + 1;
    if (exec_initrd.start && !strcmp(exec_initrd.name, name))
        return &exec_initrd;
    for (const struct program *p = programs; p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

/* --- arguments ---------------------------------------------------------------------------------- */

int
exec_add(struct args *args, const char *string)
{
    size_t size = strlen(string) + 1;
    if (size > sizeof(args->bytes) - args->used || args->argc + args->envc >= MAX_STRINGS)
        return -E2BIG;
    memcpy(args->bytes + args->used, string, size);
    args->used += size;
    return 0;
}

int
exec_add_user(struct args *args, struct space *space, uint64_t string)
{
    if (args->argc + args->envc >= MAX_STRINGS)
        return -E2BIG;
    for (; args->used < sizeof(args->bytes); string++) {
        char *c = args->bytes + args->used;
        int error = space_copy_in(space, c, string, 1);
        if (error)
            return error;
        args->used++;
        if (!*c)
            return 0;
    }
    return -E2BIG;
}

/*
 * The stack that a program finds (System V ABI for x86-64, 3.4.1), rsp a multiple of 16:
 *
 *   USER_END        the strings' bytes
 *                   AT_NULL, 0                  auxiliary vector: pairs
 *                   AT_..., value ...
 *                   environment..., 0
 *                   argv..., 0
 *   rsp ->          argc
 */
static int
make_stack(struct space *space, const struct args *args, const uint64_t *aux, unsigned aux_words,
           uint64_t *rsp)
{
    uint64_t bytes = (USER_END - args->used) & -(uint64_t)16, words[3 + MAX_STRINGS], string = 0;
    unsigned n = 0;
    int error;

    words[n++] = args->argc;
    for (unsigned i = 0; i < args->argc + args->envc; i++) {
        if (i == args->argc)
            words[n++] = 0;
        words[n++] = bytes + string;
        string += strlen(args->bytes + string) + 1;
    }
    if (!args->envc)
        words[n++] = 0;
    words[n++] = 0;
    *rsp = (bytes - (n + aux_words) * sizeof(words[0])) & -(uint64_t)16;

    error = space_add(space, USER_END - STACK_SIZE, USER_END, true, false);
    if (!error)
        error = space_copy_out(space, bytes, args->bytes, args->used);
    if (!error)
        error = space_copy_out(space, *rsp, words, n * sizeof(words[0]));
    if (!error)
        error = space_copy_out(space, *rsp + n * sizeof(words[0]), aux,
                               aux_words * sizeof(words[0]));
    return error;
}

/* --- the file ----------------------------------------------------------------------------------- */

static bool
is_sound(const struct elf_header *h, size_t size)
{
    if (size < sizeof(*h) || h->type != ELF_EXEC || h->machine != ELF_X86_64 ||
        h->entry >= USER_END || h->phentsize != sizeof(struct elf_segment) || h->phoff > size ||
        h->phnum > (size - h->phoff) / sizeof(struct elf_segment))
        return false;
    for (unsigned i = 0; i < 7; i++)
        if (h->ident[i] != (uint8_t)ELF_MAGIC[i])
            return false;
    return true;
}

static int
load_segment(struct space *space, const struct elf_segment *s, const char *file, size_t size)
{
    uint64_t end = (s->vaddr + s->memsz + PAGE - 1) & -(uint64_t)PAGE;
    int error;
    if (s->filesz > size || s->offset > size - s->filesz || s->filesz > s->memsz ||
        s->vaddr < PAGE || s->vaddr > USER_END || s->memsz > SEGMENT_MAX)
        return -ENOEXEC;
    /* Only what the file has is copied; the rest (.bss) appears when it is touched, as zeros. */
    error = space_add(space, s->vaddr & -(uint64_t)PAGE, end, s->flags & SEGMENT_W,
                      s->flags & SEGMENT_X);
    if (error)
        return -ENOEXEC;
    if (space->brk < end)
        space->brk = end;
    return space_load(space, s->vaddr, file + s->offset, s->filesz);
}

static int
load(struct space *space, const struct program *p, const struct args *args, uint64_t *rsp)
{
    const struct elf_header *h = (const struct elf_header *)p->start;
    const struct elf_segment *s = (const struct elf_segment *)(p->start + h->phoff);
    uint64_t headers = 0;
    int error = 0;

    for (unsigned i = 0; i < h->phnum && !error; i++, s++) {
        if (s->type != SEGMENT_LOAD || !s->memsz)
            continue;
        if (h->phoff >= s->offset && h->phoff - s->offset < s->filesz)
            headers = s->vaddr + (h->phoff - s->offset);
        error = load_segment(space, s, p->start, p->end - p->start);
    }
    if (error)
        return error;
    space->regions[0] = (struct region){space->brk, space->brk, true, false};
    const uint64_t aux[] = {AT_PHDR,   headers, AT_PHENT, h->phentsize, AT_PHNUM, h->phnum,
                            AT_PAGESZ, PAGE,    AT_ENTRY, h->entry,     AT_NULL,  0};
    return make_stack(space, args, aux, sizeof(aux) / sizeof(aux[0]), rsp);
}

int
exec_load(struct space *space, const char *path, const struct args *args, uint64_t *rip,
          uint64_t *rsp)
{
    const struct program *p = find(path);
    int error;

    if (!p)
        return -ENOENT;
    if (!is_sound((const struct elf_header *)p->start, p->end - p->start))
        return -ENOEXEC;
    *rip = ((const struct elf_header *)p->start)->entry;
    error = space_create(space);
    if (error)
        return error;
    error = load(space, p, args, rsp);
    if (error)
        space_destroy(space);
    return error;
}
