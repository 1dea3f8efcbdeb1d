#include "gateway/supervise/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace sallyport::supervise {

namespace {

constexpr const char* own_file = "/proc/self/exe";

bool is_same_file(const char* one, const char* other) {
  struct ::stat of_one {};
  struct ::stat of_other {};
  return ::stat(one, &of_one) == 0 && ::stat(other, &of_other) == 0 && of_one.st_dev == of_other.st_dev &&
         of_one.st_ino == of_other.st_ino;
}

}  // namespace

Program Program::of_this_process() {
  std::error_code error;
  const std::string_view called = program_invocation_name;
  if (called.find('/') != called.npos) {
    const std::string path = std::filesystem::absolute(called, error).string();
    if (!error && is_same_file(path.c_str(), own_file)) return Program(path);
  }
  // What is said behind the name of a file when another one has taken its place, such as by two installations during
  // one upgrade. The name counts.
  constexpr std::string_view replaced = " (deleted)";
  std::string path = std::filesystem::read_symlink(own_file, error).string();
  if (path.ends_with(replaced) && ::access(path.c_str(), F_OK) != 0) path.resize(path.size() - replaced.size());
  return Program(std::move(path));
}

Result<Descriptor> Program::open() const {
  Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Failure{"cannot open " + path_ + ": " + std::strerror(errno)};
  struct ::stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return Failure{path_ + " is no file"};
  return file;
}

}  // namespace sallyport::supervise
