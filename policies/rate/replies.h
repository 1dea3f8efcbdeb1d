// What the rates refuse with.
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::policies::rate_reply {

inline constexpr ReplyText too_many_connections{
    421, "4.7.1", "Too many connections, try again later",
    "The client has connected more often than policy.rate.connect_per_ip allows. The connection ends.",
    "The sender: nothing, his server comes again. Here: that rate, policy.rate.skip."};
inline constexpr ReplyText used_up{
    451, "4.7.1", "Rate limit exceeded, try again later",
    "The client, the sender's domain or the recipient has had as many mails or recipients as a rate allows; `rule` in "
    "the "
    "log names it.",
    "The sender: nothing, his server comes again. Here: the rate of policy.rate that the log names, policy.rate.skip."};

inline constexpr std::array all{too_many_connections, used_up};

}  // namespace sallyport::policies::rate_reply
