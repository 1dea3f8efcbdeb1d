// What rules refuse with where they have no words of their own.
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::lua::rules_reply {

inline constexpr policies::ReplyText not_checked{
    451, "4.7.1", "Local policy could not be checked",
    "A rule has failed, and its on_error is \"tempfail\"; the log names the rule, the file and the line.",
    "The sender: nothing, his server comes again. Here: mend the rule; its on_error."};

inline constexpr std::array all{not_checked};

}  // namespace sallyport::lua::rules_reply
