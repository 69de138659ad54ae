/* errno.h - the error numbers of Linux (include/uapi/asm-generic/errno-base.h) that minios gives. */
#ifndef MINIOS_ERRNO_H
#define MINIOS_ERRNO_H

#define ENOENT  2
#define ESRCH   3
#define E2BIG   7
#define ENOEXEC 8
#define EBADF   9
#define ECHILD  10
#define EAGAIN  11
#define ENOMEM  12
#define EFAULT  14
#define EINVAL  22
#define ENFILE  23
#define EMFILE  24
#define ENOSYS  38

#endif
