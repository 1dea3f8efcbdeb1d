// Giving up root and all capabilities (threats.md V1): after sockets, keys and log are open, before the first octet is
// read and before the first further thread starts.
#pragma once

#include <string>

#include "gateway/base/result.h"

namespace sallyport::app {

struct Account {
  std::string name;
  unsigned uid = 0;
  unsigned gid = 0;
};

// The account's ids, or an error in words; root itself is one: it never serves.
Result<Account> find_account(const std::string& name);

bool is_root();
// Becomes `account` for good: groups, gid, uid; then as drop_privileges(). Verified, not assumed.
Result<Done> drop_privileges(const Account& account);
// Without root: empties all capability sets, the ambient one too, and refuses new privileges.
Result<Done> drop_privileges();

// From now on the kernel kills this process when its parent ends. A change of ids or capabilities undoes that. False:
// the parent is gone already.
bool end_with_parent(int parent);

// For a helper process that reads nothing of strangers: as drop_privileges(), but that one capability which transparent
// sockets take is kept, CAP_NET_RAW or, where only that is had, CAP_NET_ADMIN. A null `account`: without root.
Result<Done> keep_right_of_transparent_sockets(const Account* account);

}  // namespace sallyport::app
