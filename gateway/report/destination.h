// Destination: where a report may be sent. rua= gives addresses; a host outside the organization must agree (RFC 9990,
// 4), otherwise a record could flood anybody with reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/async/task.h"
#include "gateway/base/units.h"
#include "gateway/io/resolver.h"

namespace sallyport::report {

struct Mailbox {
  std::string address;  // "a@example.org", "\"a,b\"@example.org"
  std::string host;     // A-labels, lower case
  friend bool operator==(const Mailbox&, const Mailbox&) = default;
};

// Parses "mailto:a@example.org", percent-encoding undone (RFC 6068, 2); U-labels become A-labels. The local part is
// quoted where it must be in a mail address. Nothing for other schemes, for what is not an address of printable ASCII
// without spaces, and for several addresses. `?subject=...` and a size limit ("!10m") are ignored.
std::optional<Mailbox> parse_mailto(std::string_view uri);

// The name whose TXT records say whether `host` agrees; nothing if it would be too long.
std::optional<std::string> authorization_name(std::string_view policy_domain, std::string_view host);

struct Destination {
  enum class Answer : std::uint8_t {
    allowed,
    refused,  // the host does not agree, or names an address at another host
    unknown,  // the DNS gave no answer: try again later
  };
  Answer answer = Answer::refused;
  std::string address;  // where to send the report, if allowed; the host may have named another of its addresses
  std::string why;      // if not allowed: the reason, in words
};

// Asks the DNS whether the host of `mailbox` accepts reports about `policy_domain`, a domain of another organization.
// The resolver must outlive the task.
Task<Destination> ask_destination(std::string policy_domain, Mailbox mailbox, io::Resolver& resolver, Time deadline);

// Decides from the TXT records alone; no I/O.
Destination judge_destination(const Mailbox& mailbox, const dns::Answer& answer);

}  // namespace sallyport::report
