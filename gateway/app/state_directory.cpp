#include "gateway/app/state_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "gateway/base/trusted_place.h"

namespace sallyport::app {

namespace {

constexpr mode_t state_mode = 0750;
constexpr mode_t spool_mode = 0700;

Failure failed(const std::string& what, const std::string& path) {
  return Failure{"cannot " + what + " " + path + ": " + std::strerror(errno)};
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// False also when it cannot be read.
bool is_empty(const Descriptor& directory) {
  const int copy = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return false;
  const std::unique_ptr<DIR, CloseDirectory> entries(::fdopendir(copy));
  if (!entries) {
    ::close(copy);
    return false;
  }
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return true;
}

std::string name_of_user(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry ? std::string(entry->pw_name) : "user " + std::to_string(uid);
}

// Why the user who serves cannot work there, and what helps. To be called as soon as access() has failed.
Failure no_right(const std::string& path, const std::string& what_failed) {
  if (errno == EROFS) return Failure{"state.path: " + what_failed + ": " + path + " is on a read-only file system"};
  const std::string user = name_of_user(::geteuid());
  struct ::stat status {};
  const std::string owner = ::stat(path.c_str(), &status) == 0 ? name_of_user(status.st_uid) : "somebody else";
  return Failure{"state.path: " + what_failed + ": " + path + " belongs to " + owner + ", and " + user +
                 " may not work there. Name a directory that is for this gateway alone; if this one is, give it to " +
                 user + ": chown " + user + " " + path};
}

}  // namespace

Result<Done> prepare_state_directory(const std::string& path, const Account& owner) {
  const auto place = find_trusted_place(path, LastLink::follow);
  if (!place) return Failure{"state.path " + path + ": " + place.error().message};
  const int parent = place->directory.get();
  const char* const name = place->name.c_str();
  // Root's alone until it is given away.
  const bool is_new = ::mkdirat(parent, name, 0700) == 0;
  if (!is_new && errno != EEXIST) return failed("make", path);
  const Descriptor directory(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return failed("open", path);
  struct ::stat status {};
  if (::fstat(directory.get(), &status) != 0) return failed("look at", path);
  // One in which everybody may write is a place for all, such as an empty /var/tmp.
  const bool is_for_all = (status.st_mode & S_IWOTH) != 0;
  if (status.st_uid != 0 || is_for_all || !is_empty(directory)) return Done{};
  if (::fchown(directory.get(), owner.uid, owner.gid) != 0) return failed("give to " + owner.name, path);
  if (is_new && ::fchmod(directory.get(), state_mode) != 0) return failed("set the mode of", path);
  return Done{};
}

Result<std::string> open_state_directory(const std::string& path) {
  if (::mkdir(path.c_str(), state_mode) != 0 && errno != EEXIST) return failed("make", path);
  std::string spool = path + "/spool";
  if (::mkdir(spool.c_str(), spool_mode) != 0 && errno != EEXIST) {
    if (errno == EACCES || errno == EPERM) return no_right(path, "cannot make the directory spool");
    return failed("make", spool);
  }
  struct ::stat status {};
  if (::stat(spool.c_str(), &status) != 0) return failed("look at", spool);
  if (!S_ISDIR(status.st_mode)) return Failure{"cannot use " + spool + ": it is not a directory"};
  if (::access(spool.c_str(), R_OK | W_OK | X_OK) != 0) return no_right(spool, "cannot use the directory spool");
  if (::access(path.c_str(), W_OK | X_OK) != 0) return no_right(path, "cannot use the directory");
  return spool;
}

std::string describe_room(const std::string& path) {
  struct ::statvfs room {};
  if (::statvfs(path.c_str(), &room) != 0) return {};
  if ((room.f_flag & ST_RDONLY) != 0) return "; the file system of " + path + " is read-only";
  constexpr std::uint64_t enough = std::uint64_t{1} << 20;  // for a small database and what SQLite puts beside it
  const std::uint64_t octets = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (octets >= enough && room.f_favail > 0) return {};
  return "; the file system of " + path + " has room for " + std::to_string(octets / 1024) + " KiB and " +
         std::to_string(room.f_favail) + " files more";
}

}  // namespace sallyport::app
