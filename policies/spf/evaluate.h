// check_host() of RFC 7208, 4: may this client send for this domain?
//
// A coroutine over the resolver, without recursion: records that include others wait on a stack. What the owner of a
// domain can make us do is bounded (RFC 7208, 4.6.4; threats.md D12): 10 terms that ask the DNS in all records
// together, 10 MX names or PTR names for a term, 2 terms all of whose look-ups were void, and the caller's deadline.
#pragma once

#include <string>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/io/resolver.h"
#include "policies/spf/facts.h"

namespace sallyport::policies::spf {

// One identity of one client.
struct Identity {
  IpAddress ip;
  std::string local;     // of the sender, as given; "postmaster" where there is none (RFC 7208, 4.3)
  std::string domain;    // of the sender, and the one to be checked: A-labels, lower case; anything else has no record
  std::string helo;      // as given; for macros only
  std::string receiver;  // our host name; for macros of explanations only
  WallTime now{};        // for macros of explanations only
};

// What could not be found out is the result temperror, also when the deadline comes first. The deadline should be no
// less than 20 seconds away (RFC 7208, 4.6.4). `resolver` outlives the task.
Task<SpfFacts::Check> evaluate(Identity identity, io::Resolver& resolver, Time deadline);

}  // namespace sallyport::policies::spf
