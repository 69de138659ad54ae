/* attacks.h - what the attacks in the guest are told by the host (host.c), as words KEY=VALUE. */
#ifndef TESTS_SKI_ATTACKS_H
#define TESTS_SKI_ATTACKS_H

#include <errno.h>

#define VICTIM_NAME "ski-victim" /* a process of the host's is called that */
#define LEAKED_FD   50           /* a folder of the host's, left open in the supervisor */
#define SHM_KEY     0x736b6901

/* Words: secret=PATH port=N abstract=NAME victim=PID boottime=SECONDS i386=0|1 x32=0|1
 * jail=FOLDER forks=N megabytes=N */

/* An attack returns 0 if it got through, -errno if it was refused, SKIP if it cannot be tried. */
#define SKIP (-100000)

struct told {
    const char *secret, *abstract, *jail;
    long port, victim, boottime, i386, x32, forks, megabytes;
};

/* The result of a system call, as an attack returns it. */
static inline int
result(long value)
{
    return value < 0 ? -errno : 0;
}

/* attacks_reach.c: out of the root, to processes, mounts, namespaces, devices, files. */
int chroot_and_up(const struct told *told);
int chroot_and_fchdir(const struct told *told);
int host_file(const struct told *told);
int host_file_by_proc(const struct told *told);
int see_pids(const struct told *told);
int kill_host(const struct told *told);
int mount_tmpfs(const struct told *told);
int remount_writable(const struct told *told);
int uncover(const struct told *told);
int new_mount_api(const struct told *told);
int unshare_user(const struct told *told);
int clone_user(const struct told *told);
int clone3_user(const struct told *told);
int enter_pid1(const struct told *told);
int make_device(const struct told *told);
int open_devices(const struct told *told);
int trace_pid1(const struct told *told);
int read_pid1(const struct told *told);
int name_pid1(const struct told *told);
int open_by_number(const struct told *told);
int core_pattern(const struct told *told);
int write_root(const struct told *told);
int read_covered(const struct told *told);

/* attacks_kernel.c: the kernel that all share, the filter, the network, too much of everything. */
int use_keyctl(const struct told *told);
int use_bpf(const struct told *told);
int use_perf(const struct told *told);
int use_userfaultfd(const struct told *told);
int use_io_uring(const struct told *told);
int use_init_module(const struct told *told);
int use_syslog(const struct told *told);
int use_reboot(const struct told *told);
int use_settime(const struct told *told);
int by_int80(const struct told *told);
int by_x32(const struct told *told);
int leaked_fd(const struct told *told);
int fake_input_plain(const struct told *told);
int fake_input_high(const struct told *told);
int host_port(const struct told *told);
int host_abstract(const struct told *told);
int use_vsock(const struct told *told);
int use_packet(const struct told *told);
int fork_bomb(const struct told *told);
int memory_hog(const struct told *told);
int reopen_input(const struct told *told);
int host_memory(const struct told *told);
int host_uptime(const struct told *told);
int host_cgroup(const struct told *told);

#endif
