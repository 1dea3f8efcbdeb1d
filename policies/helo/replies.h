// What the look at the HELO name refuses with.
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::policies::helo_reply {

inline constexpr ReplyText own_name{
    550, "5.7.1", "HELO with the name of this server",
    "The client calls itself by our own name, or by an address of ours.",
    "The sender: give his server its own name. Here: the mode of policy.helo; trusted networks are not asked."};

inline constexpr std::array all{own_name};

}  // namespace sallyport::policies::helo_reply
