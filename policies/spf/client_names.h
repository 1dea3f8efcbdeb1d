// The confirmed names of a client: those of its PTR records that have the client's address (RFC 7208, 5.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "policies/spf/questions.h"

namespace sallyport::policies::spf {

// The PTR records are asked for once in an evaluation, and the addresses of a name at most once, when a term first
// needs them.
class ClientNames {
 public:
  // `client` and `questions` outlive it.
  ClientNames(const IpAddress& client, Questions& questions) : client_(client), questions_(questions) {}

  // Whether the PTR records have been asked for.
  bool are_known() const { return are_known_; }
  // Asks for the PTR records, and keeps those of the first 10 that are host names (threats.md D11). False when there
  // are no PTR records in the DNS, which the caller counts as a void look-up. When the question fails, the client has
  // no name.
  Task<bool> find();

  // Whether a confirmed name is `domain` or lies below it.
  Task<bool> any_within(std::string domain);
  // The value of the macro %{p}: `domain` itself if that is a confirmed name, else a confirmed name below it, else any
  // confirmed name, else "unknown".
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
