/*
 * syscall.c - see syscall.h. The calls themselves are in syscalls.def.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tracer/syscall.h"

#define NUMBERS 512u /* one more than the greatest, rounded up */

static const struct {
    const char *name, *arguments;
} calls[NUMBERS] = {
#define SYSCALL(number, name, arguments) [number] = {name, arguments},
#include "tracer/syscalls.def"
#undef SYSCALL
};

const char *
syscall_name(uint64_t number)
{
    return number < NUMBERS ? calls[number].name : NULL;
}

int
syscall_number(const char *name, size_t length)
{
    for (unsigned i = 0; i < NUMBERS; i++)
        if (calls[i].name && strlen(calls[i].name) == length &&
            !memcmp(calls[i].name, name, length))
            return (int)i;
    return -1;
}

/* --- the list of arguments ---------------------------------------------------------------------- */

struct argument {
    const char *name;
    int length;
    char type;
};

/* Takes the next "NAME:TYPE" from *list. */
static bool
next_argument(const char **list, struct argument *a)
{
    const char *at = *list;

    if (!at || !*at)
        return false;
    a->name = at;
    a->length = (int)strcspn(at, ":");
    at += a->length;
    a->type = *at ? at[1] : 'x';
    at += strcspn(at, " ");
    *list = at + strspn(at, " ");
    return true;
}

char
syscall_argument_text(uint64_t number, unsigned i)
{
    const char *list = number < NUMBERS ? calls[number].arguments : NULL;
    struct argument a;

    while (next_argument(&list, &a))
        if (i-- == 0)
            return a.type == 's' || a.type == 'b' ? a.type : 0;
    return 0;
}

unsigned
syscall_argument_count(uint64_t number)
{
    const char *list = number < NUMBERS ? calls[number].arguments : NULL;
    struct argument a;
    unsigned count = 0;

    if (!list)
        return SYSCALL_ARGUMENTS;
    while (next_argument(&list, &a))
        count++;
    return count;
}

/* --- values ------------------------------------------------------------------------------------- */

/* Text that grows to its limit and no further. */
struct line {
    char *text;
    size_t size, used;
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *format, ...)
{
    va_list list;

    if (line->used + 1 >= line->size)
        return;
    va_start(list, format);
    int n = vsnprintf(line->text + line->used, line->size - line->used, format, list);
    va_end(list);
    if (n > 0)
        line->used += (size_t)n;
    if (line->used >= line->size)
        line->used = line->size - 1;
}

struct word {
    uint64_t value;
    const char *name;
};

/* The kernel's numbers (include/uapi), written out: a recording is read on any host. */
/* clang-format off */
static const struct word open_words[] = {
    {0x40, "O_CREAT"}, {0x80, "O_EXCL"}, {0x100, "O_NOCTTY"}, {0x200, "O_TRUNC"},
    {0x400, "O_APPEND"}, {0x800, "O_NONBLOCK"}, {0x1000, "O_DSYNC"}, {0x4000, "O_DIRECT"},
    {0x8000, "O_LARGEFILE"}, {0x410000, "O_TMPFILE"}, {0x10000, "O_DIRECTORY"},
    {0x20000, "O_NOFOLLOW"}, {0x40000, "O_NOATIME"}, {0x80000, "O_CLOEXEC"}, {0x200000, "O_PATH"},
};
static const struct word prot_words[] = {
    {1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"},
};
static const struct word map_words[] = {
    {1, "MAP_SHARED"}, {2, "MAP_PRIVATE"}, {0x10, "MAP_FIXED"}, {0x20, "MAP_ANONYMOUS"},
    {0x100, "MAP_GROWSDOWN"}, {0x800, "MAP_DENYWRITE"}, {0x2000, "MAP_LOCKED"},
    {0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"}, {0x20000, "MAP_STACK"},
    {0x40000, "MAP_HUGETLB"}, {0x100000, "MAP_FIXED_NOREPLACE"},
};
static const struct word clone_words[] = {
    {0x80, "CLONE_NEWTIME"}, {0x100, "CLONE_VM"}, {0x200, "CLONE_FS"}, {0x400, "CLONE_FILES"},
    {0x800, "CLONE_SIGHAND"}, {0x1000, "CLONE_PIDFD"}, {0x2000, "CLONE_PTRACE"},
    {0x4000, "CLONE_VFORK"}, {0x8000, "CLONE_PARENT"}, {0x10000, "CLONE_THREAD"},
    {0x20000, "CLONE_NEWNS"}, {0x40000, "CLONE_SYSVSEM"}, {0x80000, "CLONE_SETTLS"},
    {0x100000, "CLONE_PARENT_SETTID"}, {0x200000, "CLONE_CHILD_CLEARTID"},
    {0x1000000, "CLONE_CHILD_SETTID"}, {0x2000000, "CLONE_NEWCGROUP"},
    {0x4000000, "CLONE_NEWUTS"}, {0x8000000, "CLONE_NEWIPC"}, {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"}, {0x40000000, "CLONE_NEWNET"}, {0x80000000, "CLONE_IO"},
};
static const struct word family_words[] = {
    {1, "AF_UNIX"}, {2, "AF_INET"}, {10, "AF_INET6"}, {16, "AF_NETLINK"}, {17, "AF_PACKET"},
    {38, "AF_ALG"}, {40, "AF_VSOCK"},
};
static const struct word socket_words[] = {
    {1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"}, {5, "SOCK_SEQPACKET"},
};
static const struct word whence_words[] = {{0, "SEEK_SET"}, {1, "SEEK_CUR"}, {2, "SEEK_END"}};
static const struct word mask_words[] = {{0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"}};
static const struct word arch_words[] = {
    {0x1001, "ARCH_SET_GS"}, {0x1002, "ARCH_SET_FS"}, {0x1003, "ARCH_GET_FS"},
    {0x1004, "ARCH_GET_GS"}, {0x3001, "ARCH_CET_STATUS"},
};
/* clang-format on */

#define WORDS(w) w, sizeof(w) / sizeof((w)[0])

static void
put_word(struct line *line, const struct word *words, size_t count, uint64_t value)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].value == value) {
            put(line, "%s", words[i].name);
            return;
        }
    put(line, "%" PRIu64, value);
}

/* `any`: a bit was printed already. What has no name is printed as a number. */
static void
put_bits(struct line *line, const struct word *words, size_t count, uint64_t value, bool any)
{
    for (size_t i = 0; i < count; i++) {
        if ((value & words[i].value) != words[i].value)
            continue;
        put(line, "%s%s", any ? "|" : "", words[i].name);
        value &= ~words[i].value;
        any = true;
    }
    if (value || !any)
        put(line, "%s0x%" PRIx64, any ? "|" : "", value);
}

static void
put_open_flags(struct line *line, uint64_t flags)
{
    static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

    put(line, "%s", modes[flags & 3]);
    if ((uint32_t)flags & ~3u)
        put_bits(line, WORDS(open_words), (uint32_t)flags & ~3u, true);
}

static void
put_clone_flags(struct line *line, uint64_t flags)
{
    char name[32];

    if (flags & ~UINT64_C(0xff))
        put_bits(line, WORDS(clone_words), flags & ~UINT64_C(0x7f), false);
    if (flags & 0x7f)
        put(line, "%s%s", flags & ~UINT64_C(0xff) ? "|" : "",
            syscall_signal(flags & 0x7f, name, sizeof(name)));
    else if (!(flags & ~UINT64_C(0xff)))
        put(line, "0x%" PRIx64, flags);
}

static void
put_quoted(struct line *line, const char *bytes, unsigned count, bool cut)
{
    put(line, "\"");
    for (unsigned n = 0; n < count; n++) {
        unsigned char c = (unsigned char)bytes[n];
        if (c == '\n')
            put(line, "\\n");
        else if (c == '"' || c == '\\')
            put(line, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            put(line, "%c", c);
        else
            put(line, "\\x%02x", c);
    }
    put(line, "\"%s", cut ? "..." : "");
}

char *
syscall_quote(const char *bytes, unsigned count, bool cut, char *text, size_t size)
{
    struct line line = {text, size, 0};

    put_quoted(&line, bytes, count, cut);
    return text;
}

/*
 *   s text   b bytes   p address   x hexadecimal   u size   i signed   m mode   g signal
 *   d file descriptor   D a folder's   o open's flags   P protection   M map's flags   c clone's
 *   f address family   T socket's type   w whence   k what to do with a mask   a arch_prctl's code
 */
static void
put_value(struct line *line, const struct syscall_values *v, unsigned i, char type)
{
    uint64_t value = v->argument[i];
    char name[32];

    if (v->text[i].there) {
        put_quoted(line, v->text[i].bytes, v->text[i].size, v->text[i].cut);
        return;
    }
    switch (type) {
    case 'u': put(line, "%" PRIu64, value); break;
    case 'i':
        put(line, "%" PRId64, value == (uint32_t)value ? (int32_t)value : (int64_t)value);
        break;
    case 'd': put(line, "%" PRId32, (int32_t)value); break;
    case 'D':
        if ((int32_t)value == -100) /* AT_FDCWD */
            put(line, "AT_FDCWD");
        else
            put(line, "%" PRId32, (int32_t)value);
        break;
    case 'm': put(line, "0%" PRIo64, value & 07777777); break;
    case 'g': put(line, "%s", syscall_signal((uint32_t)value, name, sizeof(name))); break;
    case 'o': put_open_flags(line, value); break;
    case 'P':
        if (value)
            put_bits(line, WORDS(prot_words), value, false);
        else
            put(line, "PROT_NONE");
        break;
    case 'M': put_bits(line, WORDS(map_words), value, false); break;
    case 'c': put_clone_flags(line, value); break;
    case 'f': put_word(line, WORDS(family_words), value); break;
    case 'T':
        put_word(line, WORDS(socket_words), value & 0xf);
        if (value & 0x80000)
            put(line, "|SOCK_CLOEXEC");
        if (value & 0x800)
            put(line, "|SOCK_NONBLOCK");
        break;
    case 'w': put_word(line, WORDS(whence_words), value); break;
    case 'k': put_word(line, WORDS(mask_words), value); break;
    case 'a': put_word(line, WORDS(arch_words), value); break;
    case 's':
    case 'b':
    case 'p':
        if (!value) {
            put(line, "NULL");
            break;
        }
        /* fall through */
    default: put(line, "0x%" PRIx64, value);
    }
}

/* The mode of open() means something only if a file may be made. */
static bool
is_left_out(const struct syscall_values *v, unsigned i, char before, char type)
{
    return type == 'm' && before == 'o' && !(v->argument[i - 1] & 0x400040);
}

char *
syscall_format(const struct syscall_values *v, bool names, char *text, size_t size)
{
    const char *name = v->foreign ? NULL : syscall_name(v->number);
    const char *list = name ? calls[v->number].arguments : NULL;
    struct line line = {text, size, 0};
    struct argument a = {.type = 0};
    bool named = list != NULL;

    text[0] = 0;
    if (name)
        put(&line, "%s(", name);
    else
        put(&line, "%s %" PRIu64 "(", v->foreign ? "32-bit call" : "call", v->number);
    for (unsigned i = 0; i < SYSCALL_ARGUMENTS; i++) {
        char before = a.type;
        if (named && !next_argument(&list, &a))
            break;
        if (i >= v->known) {
            put(&line, "%s...", i ? ", " : "");
            break;
        }
        if (named && i && is_left_out(v, i, before, a.type))
            continue;
        put(&line, "%s", i ? ", " : "");
        if (names && named)
            put(&line, "%.*s=", a.length, a.name);
        put_value(&line, v, i, named ? a.type : 'x');
    }
    put(&line, ")");
    return text;
}

/* What comes back by these is an address. */
static bool
gives_address(uint64_t number)
{
    const char *name = syscall_name(number);

    return name && (!strcmp(name, "mmap") || !strcmp(name, "brk") || !strcmp(name, "mremap") ||
                    !strcmp(name, "shmat"));
}

/* What the kernel has for itself, between the call and its restart (include/linux/errno.h); a tracer
 * sees it. */
static const char *
restart_name(int64_t error)
{
    switch (error) {
    case 512: return "ERESTARTSYS";
    case 513: return "ERESTARTNOINTR";
    case 514: return "ERESTARTNOHAND";
    case 516: return "ERESTART_RESTARTBLOCK";
    default: return NULL;
    }
}

char *
syscall_result(uint64_t number, bool foreign, int64_t result, char *text, size_t size)
{
    const char *name = NULL;

    if (result < 0 && result >= -4095) {
        name = strerrorname_np((int)-result);
        if (!name)
            name = restart_name(-result);
    }
    if (name)
        snprintf(text, size, "-%s", name);
    else if ((!foreign && gives_address(number)) || result > UINT32_MAX)
        snprintf(text, size, "0x%" PRIx64, (uint64_t)result);
    else
        snprintf(text, size, "%" PRId64, result);
    return text;
}

char *
syscall_signal(uint64_t number, char *text, size_t size)
{
    const char *name = number < 65 ? sigabbrev_np((int)number) : NULL;

    if (name)
        snprintf(text, size, "SIG%s", name);
    else
        snprintf(text, size, "signal %" PRIu64, number);
    return text;
}
