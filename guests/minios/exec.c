/*
 * exec.c - puts a program into an address space: ELF segments and a stack with its arguments.
 *
 * The programs are Linux programs (guests/apps): static ELF64 files, entered as Linux enters them.
 * They lie in the kernel's image (programs.S), and are checked all the same. Called by proc.c.
 */
#include "kernel.h"

#define STACK_SIZE 0x10000

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

static const struct program *
find(const char *name)
{
    for (const struct program *p = programs; p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

static bool
load_segment(struct space *space, const struct elf_segment *s, const char *file, size_t size)
{
    if (s->filesz > size || s->offset > size - s->filesz || s->filesz > s->memsz ||
        s->vaddr > USER_END || s->memsz > USER_END)
        return false;
    /* Only what the file has is copied; the rest (.bss) appears when it is touched, as zeros. */
    return vm_add_region(space, s->vaddr & -(uint64_t)PAGE,
                         (s->vaddr + s->memsz + PAGE - 1) & -(uint64_t)PAGE, s->flags & SEGMENT_W,
                         s->flags & SEGMENT_X) &&
           vm_load(space, s->vaddr, file + s->offset, s->filesz);
}

/*
 * The stack that a program finds (System V ABI for x86-64, 3.4.1), rsp a multiple of 16:
 *
 *   USER_END        the arguments' bytes
 *                   0 0      the auxiliary vector's end
 *                   0        the environment's end
 *                   0        argv's end
 *                   argv[..]
 *   rsp ->          argc
 */
static bool
make_stack(struct space *space, const char *const argv[], uint64_t *rsp)
{
    uint64_t words[12] = {0}, top = USER_END, argc = 0;

    if (!vm_add_region(space, USER_END - STACK_SIZE, USER_END, true, false))
        return false;
    for (; argv[argc]; argc++) {
        size_t size = strlen(argv[argc]) + 1;
        if (argc == 4 || size > PAGE / 4)
            return false;
        top -= size;
        if (!vm_copy_out(space, top, argv[argc], size))
            return false;
        words[1 + argc] = top;
    }
    words[0] = argc;
    *rsp = (top - sizeof(words)) & -(uint64_t)16;
    return vm_copy_out(space, *rsp, words, sizeof(words));
}

bool
exec_load(struct space *space, const char *name, const char *const argv[], uint64_t *rip,
          uint64_t *rsp)
{
    const struct program *p = find(name);
    const struct elf_header *h;
    size_t size;

    if (!p)
        return false;
    size = p->end - p->start;
    h = (const struct elf_header *)p->start;
    if (size < sizeof(*h) || h->type != ELF_EXEC || h->machine != ELF_X86_64 ||
        h->entry >= USER_END || h->phentsize != sizeof(struct elf_segment) || h->phoff > size ||
        h->phnum > (size - h->phoff) / sizeof(struct elf_segment))
        return false;
    for (unsigned i = 0; i < 7; i++)
        if (h->ident[i] != (uint8_t)ELF_MAGIC[i])
            return false;
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf_segment *s = (const struct elf_segment *)(p->start + h->phoff) + i;
        if (s->type == SEGMENT_LOAD && s->memsz && !load_segment(space, s, p->start, size))
            return false;
    }
    *rip = h->entry;
    return make_stack(space, argv, rsp);
}
