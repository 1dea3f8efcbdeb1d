// All replies with which policies refuse, for the documentation.
#pragma once

#include <span>
#include <string_view>

#include "policies/api/reply_text.h"

namespace sallyport::policies {

struct RepliesOfPolicy {
  std::string_view policy;  // as in `check` of the log
  std::span<const ReplyText> replies;
};

// In the order of the policies; without those that never refuse by themselves.
std::span<const RepliesOfPolicy> reply_list();

}  // namespace sallyport::policies
