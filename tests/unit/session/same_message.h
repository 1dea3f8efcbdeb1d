// Compares the message that a client sent with the message that was sent on, apart from our own fields (threats.md I2).
#pragma once

#include <string_view>

namespace sallyport::session {

// The message without the fields that the gateway has put on top, which end with the first Received field.
std::string_view below_our_fields(std::string_view stored);
// The transaction's id, from the first of our fields; empty when there is none.
std::string_view id_of(std::string_view stored);
// True if both are the same message. `sent_on` is below_our_fields() of the stored message. The gateway removes inbound
// X-Sallyport-* fields and a mailbox `From ` line, and a rule may put a prefix before the subject; nothing else
// changes.
bool is_same_message(std::string_view came_in, std::string_view sent_on);

}  // namespace sallyport::session
