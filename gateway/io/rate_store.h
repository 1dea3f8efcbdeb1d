// Where rates are counted: embedded tables, or a store that several nodes share.
#pragma once

#include <string>

#include "gateway/async/task.h"
#include "gateway/base/units.h"

namespace sallyport::io {

struct RateAnswer {
  bool allowed = true;
  Duration retry_after{};  // when not allowed: how long until it would be
  bool counted = true;     // false: of a dry run, which grants everything and takes nothing
};

class RateStore {
 public:
  virtual ~RateStore() = default;
  // Takes one from the allowance of `key` (GCRA). What is not allowed takes nothing.
  virtual Task<RateAnswer> take(std::string key, Rate rate) = 0;
};

}  // namespace sallyport::io
