// Giving up root and all capabilities (threats.md V1): after sockets, keys and log are open, before the first octet is
// read and before the first further thread starts.
#pragma once

#include <optional>
#include <string>

#include "gateway/base/result.h"

namespace sallyport::app {

struct Account {
  std::string name;
  unsigned uid = 0;
  unsigned gid = 0;
};

bool is_root();

// The account that a process started as root takes before it serves: that of `user`. Nothing for a process that was not
// started as root: it stays who it is. The error says in words that there is no such account, or that it is root's,
// which never serves.
Result<std::optional<Account>> account_to_serve_as(const std::string& user);

// Becomes `account` for good, if there is one: groups, gid, uid. Then empties all capability sets, the ambient one too,
// and refuses new privileges. Verified, not assumed.
Result<Done> drop_privileges(const std::optional<Account>& account);

// From now on the kernel kills this process when its parent ends. A change of ids or capabilities undoes that. False:
// the parent is gone already.
bool end_with_parent(int parent);

// For a helper process that reads nothing of strangers: as drop_privileges(), but that one capability which transparent
// sockets take is kept, CAP_NET_RAW or, where only that is had, CAP_NET_ADMIN. A null `account`: without root.
Result<Done> keep_right_of_transparent_sockets(const Account* account);

}  // namespace sallyport::app
