#include "gateway/app/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace sallyport::app {

namespace {

Failure system_failure(const char* what) { return Failure{std::string(what) + ": " + std::strerror(errno)}; }

// Of the calling thread, which is the only one yet. A unit with AmbientCapabilities= gives us some without root, and
// the inheritable set stays when root becomes somebody else.
Result<Done> empty_capability_sets() {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
    return system_failure("prctl(PR_CAP_AMBIENT)");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capset, &header, sets) != 0) return system_failure("capset");
  if (::syscall(SYS_capget, &header, sets) != 0) return system_failure("capget");
  for (const __user_cap_data_struct& set : sets) {
    if ((set.effective | set.permitted | set.inheritable) != 0) return Failure{"capabilities cannot be given up"};
  }
  return Done{};
}

Result<Done> refuse_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_failure("prctl(PR_SET_NO_NEW_PRIVS)");
  return Done{};
}

}  // namespace

bool is_root() { return ::geteuid() == 0; }

Result<Account> find_account(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  int problem = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (problem != 0 || !found) return Failure{"there is no user \"" + name + "\" on this system"};
  if (found->pw_uid == 0) return Failure{"user \"" + name + "\" is root, and root never serves"};
  return Account{name, found->pw_uid, found->pw_gid};
}

Result<Done> drop_privileges() {
  auto emptied = empty_capability_sets();
  if (!emptied) return emptied;
  return refuse_new_privileges();
}

Result<Done> drop_privileges(const Account& account) {
  if (::initgroups(account.name.c_str(), account.gid) != 0) return system_failure("initgroups");
  if (::setresgid(account.gid, account.gid, account.gid) != 0) return system_failure("setresgid");
  // Leaving uid 0 empties the capability sets, as long as nobody has asked to keep them.
  if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return system_failure("prctl(PR_SET_KEEPCAPS)");
  if (::setresuid(account.uid, account.uid, account.uid) != 0) return system_failure("setresuid");
  if (::setuid(0) == 0) return Failure{"the way back to root is still open"};
  return drop_privileges();
}

}  // namespace sallyport::app
