// The names of a client that are true: its PTR records, confirmed by an address that leads back (RFC 7208, 5.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "policies/spf/questions.h"

namespace sallyport::policies::spf {

// Asks for the PTR records once in an evaluation, and for the addresses of each name at most once, as late as it can.
class ClientNames {
 public:
  // Both outlive it.
  ClientNames(const IpAddress& client, Questions& questions) : client_(client), questions_(questions) {}

  // Whether the PTR records have been asked for.
  bool are_known() const { return are_known_; }
  // Asks for them: the first 10 that are host names (threats.md D11). False when there are none in the DNS: a void
  // look-up. What cannot be found out leaves the client without a name.
  Task<bool> find();

  // Whether a confirmed name is `domain` or lies below it.
  Task<bool> any_within(std::string domain);
  // For %{p}: a confirmed name, `domain` itself before those below it before any other; else "unknown".
  Task<std::string> best_for(std::string domain);

 private:
  struct Name {
    std::string name;
    std::optional<bool> is_confirmed;  // nothing: not asked yet
  };

  Task<bool> confirm(Name& name);

  const IpAddress& client_;
  Questions& questions_;
  std::vector<Name> names_;
  bool are_known_ = false;
};

}  // namespace sallyport::policies::spf
