#include "gateway/base/trusted_place.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>

#include <cerrno>
#include <deque>
#include <string_view>
#include <system_error>

namespace sallyport {

namespace {

constexpr int most_links = 40;  // as the kernel has it

std::string words_for(int error) { return std::generic_category().message(error); }

// A name in this directory was put there by root.
bool is_roots(const struct ::stat& directory, const struct ::stat& entry) {
  if (directory.st_uid != 0) return false;
  const bool others_write =
      (directory.st_mode & S_IWOTH) != 0 || ((directory.st_mode & S_IWGRP) && directory.st_gid != 0);
  if (!others_write) return true;
  return (directory.st_mode & S_ISVTX) != 0 && entry.st_uid == 0;
}

class Walk {
 public:
  Walk(const std::string& path, LastLink last) : path_(path), last_(last), trusts_everybody_(::geteuid() != 0) {}

  Result<TrustedPlace> run() {
    if (auto begun = begin(path_); !begun) return std::move(begun).error();
    while (!left_.empty()) {
      const std::string name = std::move(left_.front());
      left_.pop_front();
      struct ::stat entry {};
      const bool exists = ::fstatat(at_.get(), name.c_str(), &entry, AT_SYMLINK_NOFOLLOW) == 0;
      const bool is_end = left_.empty();
      const bool is_link = exists && S_ISLNK(entry.st_mode);
      if (is_end && (!is_link || last_ == LastLink::keep)) return TrustedPlace{std::move(at_), name};
      auto done = is_link ? follow(name, entry) : enter(name);
      if (!done) return std::move(done).error();
    }
    return TrustedPlace{std::move(at_), "."};  // the path is "/" or the like
  }

 private:
  // Starts at the root or the working directory; what the path has is left to walk.
  Result<Done> begin(std::string_view path) {
    const char* start = path.starts_with('/') ? "/" : at_ ? nullptr : ".";
    if (start != nullptr) at_.reset(::open(start, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!at_) return Failure{words_for(errno)};
    std::size_t where = 0;
    std::deque<std::string> names;
    while (where <= path.size()) {
      const std::size_t end = std::min(path.find('/', where), path.size());
      const std::string_view name = path.substr(where, end - where);
      if (!name.empty() && name != ".") names.emplace_back(name);
      where = end + 1;
    }
    left_.insert(left_.begin(), names.begin(), names.end());
    return Done{};
  }

  Result<Done> enter(const std::string& name) {
    Descriptor next(::openat(at_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return Failure{words_for(errno) + ", at \"" + name + "\""};
    at_ = std::move(next);
    return Done{};
  }

  Result<Done> follow(const std::string& name, const struct ::stat& link) {
    struct ::stat directory {};
    if (::fstat(at_.get(), &directory) != 0) return Failure{words_for(errno)};
    if (!trusts_everybody_ && !is_roots(directory, link)) {
      return Failure{"\"" + name + "\" is a symbolic link in a directory that others than root may write to"};
    }
    if (++links_ > most_links) return Failure{words_for(ELOOP)};
    char target[PATH_MAX];
    const ssize_t length = ::readlinkat(at_.get(), name.c_str(), target, sizeof target);
    if (length < 0) return Failure{words_for(errno)};
    return begin(std::string_view(target, static_cast<std::size_t>(length)));
  }

  const std::string& path_;
  const LastLink last_;
  const bool trusts_everybody_;
  Descriptor at_;
  std::deque<std::string> left_;
  int links_ = 0;
};

}  // namespace

Result<TrustedPlace> find_trusted_place(const std::string& path, LastLink last) { return Walk(path, last).run(); }

}  // namespace sallyport
