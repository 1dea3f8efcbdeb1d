// Whether a message that was sent on is the one that came in, our own fields aside (threats.md I2).
#pragma once

#include <string_view>

namespace sallyport::session {

// The message without the fields that the gateway puts on top: all up to and with the first Received field.
std::string_view below_our_fields(std::string_view stored);
// The transaction's id in the first of our fields; empty when there is none.
std::string_view id_of(std::string_view stored);
// `sent_on` is below_our_fields() of what was stored. Inbound X-Sallyport-* fields and a mailbox `From ` line are left
// out on the way, and a rule may put words before the subject; nothing else changes.
bool is_same_message(std::string_view came_in, std::string_view sent_on);

}  // namespace sallyport::session
