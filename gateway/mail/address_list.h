// Address lists of header fields: who they name, with the display names that readers see (RFC 5322, 3.4).
//
// The text is a stranger's, so it is read as readers of mail do who show what they can: a comma inside a name that
// should have been quoted does not end it, what stands in brackets is the address whatever stands before them, quotes
// and comments that are left open go to the end. Members of groups are taken, groups are not told. Linear in the length
// of the text, without recursion.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mail {

struct Mailbox {
  // Without comments, source route and quotes; never empty. It need not be a valid address.
  std::string address;
  // Decoded as encoded_words.h says, on one line; of "ann@example.org (Ann)" the comment. Empty if there is none.
  std::string name;
};

// The mailboxes of a field's value, folded or not; at most `most`. `raw_charset` is as of decode_text().
std::vector<Mailbox> mailboxes(std::string_view value, std::size_t most, std::string_view raw_charset = {});

}  // namespace sallyport::mail
