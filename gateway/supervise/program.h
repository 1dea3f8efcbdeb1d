// Program: the file that this process was started from, as it is called. An upgrade starts what lies there by then.
#pragma once

#include <string>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"

namespace sallyport::supervise {

class Program {
 public:
  // Of this process. To be called while its file still lies where it was. The name by which it was called counts where
  // that leads to it: a link that leads to another version by the time of an upgrade is followed then.
  static Program of_this_process();

  const std::string& path() const { return path_; }
  // To execute it by; what is executed is this file, whatever happens to its name.
  Result<Descriptor> open() const;

 private:
  explicit Program(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace sallyport::supervise
