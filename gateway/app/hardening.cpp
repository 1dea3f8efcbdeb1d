#include "gateway/app/hardening.h"

#include <pthread.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "gateway/base/sanitizers.h"

namespace sallyport::app {

namespace {

constexpr const char* refused_calls[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "fsconfig",
    "fspick",
    "mount_setattr",
    "unshare",
    "setns",
    "bpf",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "keyctl",
    "add_key",
    "request_key",
    "userfaultfd",
    "perf_event_open",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "swapon",
    "swapoff",
    "reboot",
    "acct",
    "quotactl",
    "syslog",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "iopl",
    "ioperm",
    "personality",
    "open_by_handle_at",
    "name_to_handle_at",
    "lookup_dcookie",
    "nfsservctl",
    "vhangup",
    "sethostname",
    "setdomainname",
};

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

Failure failure(const char* what, int error) { return Failure{std::string(what) + ": " + std::strerror(error)}; }

}  // namespace

Result<Done> hide_memory() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return failure("setrlimit(RLIMIT_CORE)", errno);
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failure("prctl(PR_SET_DUMPABLE)", errno);
  return Done{};
}

Result<Done> refuse_system_calls() {
  if (has_sanitizers) return Done{};
  const std::unique_ptr<void, Release> filter(::seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return failure("seccomp_init", ENOMEM);
  for (const char* name : refused_calls) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;  // this machine's kernels do not have it
    const int error = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), number, 0);
    if (error != 0 && error != -EDOM) return failure(name, -error);
  }
  // A thread is one that shares this process; clone3 hides its flags in memory, and the C library does without it.
  const scmp_arg_cmp is_process{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0};
  int error = ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &is_process);
  if (error == 0) error = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (error != 0) return failure("seccomp_rule_add", -error);
  error = ::seccomp_load(filter.get());
  if (error != 0) return failure("seccomp_load", -error);
  return Done{};
}

}  // namespace sallyport::app
