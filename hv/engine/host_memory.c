/*
 * host_memory.c - memory of a traced process, by its linear addresses.
 *
 * process_vm_readv(2) is one system call for any size; it stops at the first page that the process
 * itself could not read or write. What the tracer wants to change beyond that (a program's text)
 * goes through /proc/PID/mem, which breaks copy-on-write as PTRACE_POKEDATA does.
 *
 * Next: host_stops.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/host.h"

static int
unreachable(uint64_t address, size_t done, struct error *err)
{
    return error_set(err, EFAULT,
                     "cannot reach linear address 0x%" PRIx64
                     ": the process has nothing mapped there",
                     address + done);
}

/* The slow way, for what is left. */
static int
by_file(pid_t pid, uint64_t address, char *bytes, size_t size, bool write, struct error *err)
{
    char name[64];
    size_t done = 0;
    int fd;

    snprintf(name, sizeof(name), "/proc/%d/mem", (int)pid);
    fd = open(name, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    while (fd >= 0 && done < size) {
        off_t at = (off_t)(address + done);
        ssize_t n = write ? pwrite(fd, bytes + done, size - done, at)
                          : pread(fd, bytes + done, size - done, at);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    return done == size ? 0 : unreachable(address, done, err);
}

static int
move(struct vcpu *vcpu, uint64_t address, char *bytes, size_t size, bool write, struct error *err)
{
    const struct host_task *task = vcpu->engine->current;
    struct iovec local = {bytes, size}, remote = {(void *)(uintptr_t)address, size};
    ssize_t n;

    if (!task)
        return error_set(err, ESRCH, "the process is gone: there are no registers and no memory");
    if (address + size < address)
        return unreachable(address, 0, err);
    n = write ? process_vm_writev(task->pid, &local, 1, &remote, 1, 0)
              : process_vm_readv(task->pid, &local, 1, &remote, 1, 0);
    if (n == (ssize_t)size)
        return 0;
    if (n < 0)
        n = 0;
    return by_file(task->pid, address + (size_t)n, bytes + n, size - (size_t)n, write, err);
}

int
host_read(struct vcpu *vcpu, uint64_t address, void *to, size_t size, struct error *err)
{
    return size ? move(vcpu, address, to, size, false, err) : 0;
}

int
host_write(struct vcpu *vcpu, uint64_t address, const void *from, size_t size, struct error *err)
{
    return size ? move(vcpu, address, (char *)(uintptr_t)from, size, true, err) : 0;
}
