// Where a report may be sent: rua= names addresses, and those elsewhere must have agreed (RFC 9990, 4), or a record
// could have anybody flooded with reports.
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
  std::string address;  // "a@example.org"
  std::string host;     // lower case
  friend bool operator==(const Mailbox&, const Mailbox&) = default;
};

// Of "mailto:a@example.org". Nothing for other schemes, for what is no plain address (letters, digits and the other
// characters of a dot-atom), and for several addresses; `?subject=...` and a size limit ("!10m") are left out.
std::optional<Mailbox> parse_mailto(std::string_view uri);

// The name that is asked for its TXT records; nothing when it would be too long.
std::optional<std::string> authorization_name(std::string_view policy_domain, std::string_view host);

struct Destination {
  enum class Answer : std::uint8_t {
    allowed,
    refused,  // the host has not agreed, or names an address elsewhere
    unknown,  // the DNS could not be asked: to be tried again
  };
  Answer answer = Answer::refused;
  std::string address;  // where to send it, when allowed: the host may have named another one of its own
  std::string why;      // when not, in words
};

// Whether the host of `mailbox` agrees to get reports about `policy_domain`, when that is of another organization. The
// resolver outlives the task.
Task<Destination> ask_destination(std::string policy_domain, Mailbox mailbox, io::Resolver& resolver, Time deadline);

// The same from the TXT records alone.
Destination judge_destination(const Mailbox& mailbox, const dns::Answer& answer);

}  // namespace sallyport::report
