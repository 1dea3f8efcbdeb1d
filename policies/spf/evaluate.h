// check_host() of RFC 7208, 4: may this client send for this domain?
//
// A coroutine over the resolver, without recursion: records that include others wait on a stack. What a domain's owner
// can make us do is bounded (RFC 7208, 4.6.4; threats.md D12): 10 terms that ask the DNS in all records together, 10 MX
// or PTR names each, 2 void look-ups, and the caller's deadline.
#pragma once

#include <string>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/io/resolver.h"
#include "policies/api/auth_facts.h"

namespace sallyport::policies::spf {

// One identity of one client.
struct Identity {
  IpAddress ip;
  std::string local;     // of the sender, as given; "postmaster" where there is none (RFC 7208, 4.3)
  std::string domain;    // to be checked, and of the sender: A-labels, lower case; anything else has no record
  std::string helo;      // as given; for macros only
  std::string receiver;  // our host name, for the explanation's macros
  WallTime now{};        // the same
};

// Never an error beside the result: what could not be found out is temperror. At the deadline, too; it should be no
// less than 20 seconds away (RFC 7208, 4.6.4). `resolver` outlives the task.
Task<SpfFacts::Check> evaluate(Identity identity, io::Resolver& resolver, Time deadline);

}  // namespace sallyport::policies::spf
