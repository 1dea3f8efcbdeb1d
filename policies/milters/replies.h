// What milters refuse with, where they have no words of their own, and what follows where they fail.
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::policies::milters_reply {

inline constexpr ReplyText refused{
    550, "5.7.1", "Refused by a mail filter",
    "A milter refuses. Where it has a code and words of its own, the client hears these.",
    "What the milter's own log says; the log here names the milter."};
inline constexpr ReplyText refused_for_now{
    451, "4.7.1", "Try again later",
    "A milter refuses for now. Where it has a code and words of its own, the client hears these.",
    "What the milter's own log says; the log here names the milter."};
inline constexpr ReplyText closing{421, "4.7.0", "A mail filter closes the connection",
                                   "A milter wants the connection to end.",
                                   "What the milter's own log says; the log here names the milter."};
inline constexpr ReplyText silent{451, "4.7.1", "A mail filter does not answer, try again later",
                                  "A milter is gone, silent or breaks the protocol, and its on_error is \"tempfail\".",
                                  "The sender: nothing, his server comes again. Here: the milter, or its on_error."};
inline constexpr ReplyText silent_for_good{550, "5.7.1", "A mail filter does not answer",
                                           "The same, and its on_error is \"reject\".",
                                           "Here: the milter, or its on_error."};

inline constexpr std::array all{refused, refused_for_now, closing, silent, silent_for_good};

}  // namespace sallyport::policies::milters_reply
