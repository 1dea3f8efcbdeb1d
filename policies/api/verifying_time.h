// VerifyingTime: how long the signatures of one mail may keep the processor busy (threats.md D20). Their number, the
// header they cover and the size of their keys are in strangers' hands.
#pragma once

#include "gateway/async/task.h"
#include "gateway/base/cpu_time.h"
#include "gateway/base/units.h"
#include "policies/api/gathering.h"

namespace sallyport::policies {

// Of one mail, for all policies that verify signatures together.
inline constexpr Duration max_verifying_time = std::chrono::milliseconds(200);
// After so long the other sessions of the loop have their turn. One signature more may follow it, which takes a few
// milliseconds at most: 256 KiB of header, and three RSA keys of 8192 bits.
inline constexpr Duration verifying_at_a_time = std::chrono::milliseconds(2);

// One policy's part of it. What the policies of a mail spend is counted in context.verifying, where there is one.
class VerifyingTime {
 public:
  // The context outlives it. `clock` measures the processor time of the thread.
  VerifyingTime(const GatherContext& context, CpuClock clock);

  // To be asked before each signature. False: the time is over. The loop may have turned meanwhile.
  Task<bool> goes_on();

 private:
  const GatherContext& context_;
  CpuClock clock_;
  Duration began_;        // the reading of the clock when this policy had the loop to itself again
  Duration counted_{};    // so much since then has been counted
  Duration own_spent_{};  // where the context has no count
};

}  // namespace sallyport::policies
