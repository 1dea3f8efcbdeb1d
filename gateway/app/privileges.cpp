#include "gateway/app/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace sallyport::app {

namespace {

Failure system_failure(const char* what) { return Failure{std::string(what) + ": " + std::strerror(errno)}; }

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

Result<Done> refuse_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_failure("prctl(PR_SET_NO_NEW_PRIVS)");
  return Done{};
}

Result<Done> drop_privileges(const Account& account) {
  if (::initgroups(account.name.c_str(), account.gid) != 0) return system_failure("initgroups");
  if (::setresgid(account.gid, account.gid, account.gid) != 0) return system_failure("setresgid");
  // Leaving uid 0 empties the capability sets, as long as nobody has asked to keep them.
  if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return system_failure("prctl(PR_SET_KEEPCAPS)");
  if (::setresuid(account.uid, account.uid, account.uid) != 0) return system_failure("setresuid");
  if (::setuid(0) == 0) return Failure{"the way back to root is still open"};
  return refuse_new_privileges();
}

}  // namespace sallyport::app
