// The file system as the loader uses it, behind an interface so that tests need no files.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::config {

class Files {
 public:
  virtual ~Files() = default;
  // The content, or the system's reason why it cannot be read ("No such file or directory").
  virtual Result<std::string> read(const std::string& path) const = 0;
  // The files that a shell pattern matches, sorted. No match is not an error; a directory that may not be read is one.
  virtual Result<std::vector<std::string>> matching(const std::string& pattern) const = 0;
};

class Disk : public Files {
 public:
  Result<std::string> read(const std::string& path) const override;
  Result<std::vector<std::string>> matching(const std::string& pattern) const override;
};

}  // namespace sallyport::config
