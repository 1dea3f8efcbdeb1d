// What the look at a mail's content refuses with.
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::policies::content_reply {

inline constexpr ReplyText conflict{
    550, "5.6.0", "Fields of the message contradict each other",
    "Two fields of one kind, or two readings of one, say different things: a filter and a reader could see other "
    "mails.",
    "The sender: mend the program that writes the mail. Here: policy.content.on_conflict."};
inline constexpr ReplyText partial{
    550, "5.6.0", "Pieces of a message are not accepted",
    "The mail is one piece of a larger one (message/partial), which nobody can check before it is put together.",
    "The sender: send it in one piece, or a link. Here: policy.content.on_partial."};
inline constexpr ReplyText malformed{
    550, "5.6.0", "The header section is malformed", "The header section has lines that are no fields.",
    "The sender: mend the program that writes the mail. Here: policy.content.on_malformed."};
inline constexpr ReplyText encrypted{550, "5.6.0", "Encrypted content is not accepted",
                                     "A part is encrypted, where policy.content.on_encrypted is \"reject\".",
                                     "The sender: send it in the clear. Here: policy.content.on_encrypted."};
inline constexpr ReplyText unscannable{
    550, "5.6.0", "The content of the message cannot be checked",
    "The mail has more parts, or deeper ones, than are looked at, or a container that cannot be opened.",
    "The sender: send it with fewer parts, or by another program. Here: policy.content.on_unscannable and the limits "
    "of "
    "policy.content."};

inline constexpr std::array all{conflict, partial, malformed, encrypted, unscannable};

}  // namespace sallyport::policies::content_reply
