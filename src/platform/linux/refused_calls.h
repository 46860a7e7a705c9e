// System calls that no driver needs once it serves, and that who has taken a worker over would. Data, for sandbox_calls.cc: calls
// that are right with some arguments and wrong with others are there.
#pragma once

#include <sys/syscall.h>

namespace pvgpu::platform {

// Other programs and processes, beside the threads that `clone` is left for.
inline constexpr unsigned kCallsForProcesses[] = {
    SYS_execve, SYS_execveat, SYS_ptrace,
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
};

inline constexpr unsigned kRefusedCalls[] = {
    // Other processes' memory and descriptors, and signals to them.
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise, SYS_process_mrelease, SYS_pidfd_open, SYS_pidfd_getfd,
    SYS_pidfd_send_signal, SYS_tkill, SYS_move_pages, SYS_migrate_pages,
    // Connections are refused by sandbox_calls.cc. What exists can be read and written, and descriptors can be passed.
    SYS_socketpair,
    // What processes share by name beside files: System V's and POSIX's objects, keys.
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semctl, SYS_semop, SYS_semtimedop, SYS_msgget, SYS_msgctl, SYS_msgsnd, SYS_msgrcv,
    SYS_mq_open, SYS_mq_unlink, SYS_add_key, SYS_request_key, SYS_keyctl,
    // Rights.
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capset,
    SYS_personality, SYS_unshare, SYS_setns,
    // What is mounted where, and what a path means.
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_move_mount, SYS_open_tree,
    SYS_mount_setattr, SYS_swapon, SYS_swapoff, SYS_quotactl, SYS_quotactl_fd, SYS_acct,
    // Files by a way around their folders, and whose they are.
    SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_mknodat, SYS_symlinkat, SYS_linkat,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_fanotify_init, SYS_fanotify_mark,
#ifdef SYS_chmod
    SYS_chmod, SYS_chown, SYS_lchown, SYS_mknod, SYS_symlink, SYS_link,
#endif
#ifdef SYS_fchmodat2
    SYS_fchmodat2,
#endif
    // Large parts of the kernel that nothing here uses, and that break-outs like.
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_setup, SYS_io_submit,
    SYS_vmsplice,
    // The system as a whole.
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime,
    SYS_adjtimex, SYS_sethostname, SYS_setdomainname, SYS_syslog, SYS_vhangup, SYS_lookup_dcookie, SYS_nfsservctl,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS__sysctl, SYS_ustat,
#endif
};

}  // namespace pvgpu::platform
