// Directory: the names in a directory, one after the other.
//
// Instead of std::filesystem's iterators, which end the process where they find no memory for a name (libstdc++ has
// them allocate in functions that must not throw).
#pragma once

#include <dirent.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

class Directory {
 public:
  explicit Directory(const std::string& path) noexcept : open_(::opendir(path.c_str())), error_(open_ ? 0 : errno) {}

  // The next name, in no order, without "." and ".."; valid until the next call. Nothing at the end, and after an
  // error.
  std::optional<std::string_view> next() noexcept {
    while (open_) {
      errno = 0;
      const dirent* const entry = ::readdir(open_.get());
      if (entry == nullptr) {
        error_ = errno;
        open_.reset();
        break;
      }
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") return name;
    }
    return std::nullopt;
  }

  // An errno: that it could not be opened, or not read to its end. 0 without one.
  int error() const noexcept { return error_; }

 private:
  struct Close {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
  };
  std::unique_ptr<DIR, Close> open_;
  int error_;
};

}  // namespace sallyport
