// A client of the Rig, which goes through a script and looks at each reply. It always has memory: only the turns it
// gives the gateway lack it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/tls/engine.h"
#include "tests/unit/exhaustion/rig.h"

namespace sallyport::exhaustion {

// Says something, and expects replies with these codes; "STARTTLS" is followed by the handshake.
struct Step {
  std::string say;
  std::vector<std::string> codes;
};

struct Outcome {
  bool as_expected = true;
  // Empty, or what no lack of memory excuses: a refusal for good, a reply that is none, silence.
  std::string fault;
  std::vector<std::string> replies;  // the lines that end a reply
};

// Holds the whole dialogue, up to the first reply that is not the expected one.
Outcome converse(Rig& rig, const std::vector<Step>& script, SocketAddress from);

}  // namespace sallyport::exhaustion
