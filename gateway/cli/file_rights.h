// Whether a user could read a file, as far as owners, groups and modes tell: `check` asks as root for the user who
// serves.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace sallyport::cli {

struct SystemUser {
  uid_t uid = 0;
  std::vector<gid_t> groups;
};

// Nothing when there is no such user.
std::optional<SystemUser> find_system_user(const std::string& name);

// `rights` is of the octal digits 4 (read), 2 (write), 1 (search). What else a file system has (access lists) is not
// seen.
bool may(const struct ::stat& file, const SystemUser& user, unsigned rights);

// What keeps the user from reading the file: a directory on the way to it, links followed, or the file itself. Nothing
// when there is nothing, or the file is not there.
std::optional<std::string> obstacle_to_reading(const std::string& path, const SystemUser& user);

}  // namespace sallyport::cli
