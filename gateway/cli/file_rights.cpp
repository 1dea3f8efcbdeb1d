#include "gateway/cli/file_rights.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace sallyport::cli {

namespace fs = std::filesystem;

std::optional<SystemUser> find_system_user(const std::string& name) {
  const ::passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  SystemUser user;
  user.uid = entry->pw_uid;
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &count) < 0) count = 0;
  user.groups.resize(static_cast<std::size_t>(count));
  user.groups.push_back(entry->pw_gid);
  return user;
}

bool may(const struct ::stat& file, const SystemUser& user, unsigned rights) {
  const bool is_in_group = std::find(user.groups.begin(), user.groups.end(), file.st_gid) != user.groups.end();
  const unsigned shift = file.st_uid == user.uid ? 6 : is_in_group ? 3 : 0;
  return ((file.st_mode >> shift) & rights) == rights;
}

std::optional<std::string> obstacle_to_reading(const std::string& path, const SystemUser& user) {
  std::error_code error;
  const fs::path file = fs::canonical(path, error);
  if (error) return std::nullopt;
  // The way as it is written has to be passable, too: it may lead through other directories than the file's own.
  for (const fs::path& way : {fs::absolute(path, error), file}) {
    for (fs::path folder = way.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      struct ::stat about {};
      if (::stat(folder.c_str(), &about) == 0 && !may(about, user, 1)) return folder.string();
      if (folder == folder.root_path()) break;
    }
  }
  struct ::stat about {};
  if (::stat(file.c_str(), &about) == 0 && !may(about, user, 4)) return file.string();
  return std::nullopt;
}

}  // namespace sallyport::cli
