#include "gateway/app/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <vector>

namespace sallyport::app {

namespace {

Failure system_failure(const char* what) { return Failure{std::string(what) + ": " + std::strerror(errno)}; }

using CapabilitySets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Result<CapabilitySets> capability_sets() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapabilitySets sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return system_failure("capget");
  return sets;
}

// Of the calling thread, which is the only one yet. A unit with AmbientCapabilities= gives us some without root, and
// the inheritable set stays when root becomes somebody else. `kept`: bits of the first 32 capabilities.
Result<Done> reduce_capability_sets(std::uint32_t kept) {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
    return system_failure("prctl(PR_CAP_AMBIENT)");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapabilitySets wanted{};
  wanted[0].effective = wanted[0].permitted = kept;
  if (::syscall(SYS_capset, &header, wanted.data()) != 0) return system_failure("capset");
  const auto sets = capability_sets();
  if (!sets) return sets.error();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const __user_cap_data_struct& is = (*sets)[i];
    const bool is_more = is.effective != wanted[i].effective || is.permitted != wanted[i].permitted;
    if (is_more || is.inheritable != 0) return Failure{"capabilities cannot be given up"};
  }
  return Done{};
}

Result<Done> refuse_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_failure("prctl(PR_SET_NO_NEW_PRIVS)");
  return Done{};
}

}  // namespace

bool is_root() { return ::geteuid() == 0; }

bool end_with_parent(int parent) { return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent; }

namespace {

// For good. `keep_capabilities`: the permitted ones stay.
Result<Done> become(const Account& account, bool keep_capabilities) {
  if (::initgroups(account.name.c_str(), account.gid) != 0) return system_failure("initgroups");
  if (::setresgid(account.gid, account.gid, account.gid) != 0) return system_failure("setresgid");
  // Leaving uid 0 empties the capability sets, unless this asks to keep the permitted one.
  if (::prctl(PR_SET_KEEPCAPS, keep_capabilities ? 1 : 0, 0, 0, 0) != 0)
    return system_failure("prctl(PR_SET_KEEPCAPS)");
  if (::setresuid(account.uid, account.uid, account.uid) != 0) return system_failure("setresuid");
  if (!keep_capabilities && ::setuid(0) == 0) return Failure{"the way back to root is still open"};
  return Done{};
}

}  // namespace

Result<std::optional<Account>> account_to_serve_as(const std::string& user) {
  if (!is_root()) return std::optional<Account>();
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  const int problem = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  const auto unfit = [](const std::string& what) {
    return Failure{what + "; name one with `user = \"...\"` (root itself never serves)"};
  };
  if (problem != 0 || !found) return unfit("there is no user \"" + user + "\" on this system");
  if (found->pw_uid == 0) return unfit("user \"" + user + "\" is root");
  return std::optional<Account>(Account{user, found->pw_uid, found->pw_gid});
}

Result<Done> drop_privileges(const std::optional<Account>& account) {
  if (account) {
    auto became = become(*account, false);
    if (!became) return became;
  }
  auto emptied = reduce_capability_sets(0);
  if (!emptied) return emptied;
  return refuse_new_privileges();
}

Result<Done> keep_right_of_transparent_sockets(const Account* account) {
  const auto had = capability_sets();
  if (!had) return had.error();
  std::uint32_t kept = 0;
  for (const unsigned capability : {unsigned{CAP_NET_RAW}, unsigned{CAP_NET_ADMIN}}) {
    if (kept == 0) kept = (*had)[0].permitted & (1U << capability);
  }
  if (kept == 0) return Failure{"CAP_NET_RAW is missing"};
  if (account != nullptr) {
    auto became = become(*account, true);
    if (!became) return became;
  }
  auto reduced = reduce_capability_sets(kept);
  if (!reduced) return reduced;
  if (account != nullptr && ::setuid(0) == 0) return Failure{"the way back to root is still open"};
  if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return system_failure("prctl(PR_SET_KEEPCAPS)");
  return refuse_new_privileges();
}

}  // namespace sallyport::app
