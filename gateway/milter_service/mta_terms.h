// What is agreed on with an MTA that asks about its mail, and what is told of an MTA that cannot do all we would like.
//
// We see every step but UNKNOWN, and answer no more of them than must be. An MTA that speaks an old version of the
// protocol, or lacks an action, is served all the same: what it cannot do is left out.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/log.h"
#include "gateway/milter/command.h"

namespace sallyport::milter_service {

// What holds, given the MTA's offer. Nothing: it speaks a version that we do not.
std::optional<milter::Terms> agree(const milter::Terms& offered);

// Adds our answer to the offer to `out`: the terms, and which macros we want at each stage.
void encode_agreement(std::string& out, const milter::Terms& terms);

// Tells what MTAs cannot do, each thing once. One object for all workers.
class MissingActions {
 public:
  void tell(Log& log, const milter::Terms& terms, std::string_view mta);

 private:
  std::atomic<std::uint32_t> told_ = 0;
};

}  // namespace sallyport::milter_service
