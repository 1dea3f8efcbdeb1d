// Where rates are counted: embedded tables, or a store that several nodes share.
#pragma once

#include <string>
#include <string_view>

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
  // Gives back one that was taken with the same key and rate, because what it was taken for has not happened. It never
  // makes an allowance larger than it was, and does not wait. A store that counts nothing has nothing to do.
  virtual void give_back(std::string_view /*key*/, const Rate& /*rate*/) noexcept {}
};

}  // namespace sallyport::io
