// Giving up root (threats.md V1): after sockets, keys, log and state are open, before the first octet is read.
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
// Becomes `account` for good: groups, gid, uid, no capabilities, no new privileges. Verified, not assumed.
Result<Done> drop_privileges(const Account& account);
// Without root there is nothing to drop, but new privileges are refused all the same.
Result<Done> refuse_new_privileges();

}  // namespace sallyport::app
