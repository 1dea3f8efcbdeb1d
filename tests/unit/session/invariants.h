// What must hold after every test, whatever it was about: the invariants of the threat model as far as one process can
// see them. A World checks them when it ends; no test has to ask for it.
//
// Each function looks at the evidence (octets on the wires, log lines, counters, what a policy saw) and adds a sentence
// to `broken` for each thing that is not as it must be.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/units.h"
#include "tests/unit/session/conversation.h"
#include "tests/unit/session/tap.h"

namespace sallyport::session {

enum class Invariant : std::uint8_t {
  acknowledgement,  // I1: a 2xx for a message follows the upstream's own, and the log agrees
  one_meaning,      // I2: what the policies saw is what was sent on, and is what the client said
  framing,          // I3: no NUL, no CR or LF outside a CRLF pair leaves us
  order,            // I5: one well-formed reply per command
  no_echo,          // I7: replies are printable ASCII in lines of at most 512 octets
  recorded_once,    // I8: counters and log lines say the same
  no_mistake,       // I10: nothing of ours was broken on the way
  time,             // I12: a session with silent peers ends, and a message is answered, in time
  nothing_left,     // streams, places and counts are given back
};

// One event of the log.
struct LoggedEvent {
  std::uint64_t moment = 0;
  std::string event;
  std::map<std::string, std::string, std::less<>> fields;

  std::string_view field(std::string_view key) const;
};

// A message as the policies saw it.
struct SeenMessage {
  std::string header;  // the header section with its empty line
  std::string body;
};

struct Evidence {
  std::vector<Wire> clients;
  std::vector<Wire> upstreams;       // `sent` are the gateway's commands, decrypted where the test's server could
  bool clients_are_secured = false;  // from the first octet
  std::vector<std::size_t> balancer_octets;  // of each client's wire: what stands before the first command
  std::vector<LoggedEvent> log;
  const Counters* counters = nullptr;
  std::map<std::string, SeenMessage, std::less<>> seen;  // by the message's id
  Duration final_reply{};
  std::size_t sessions_left = 0;
  std::uint64_t places_left = 0;
};

std::vector<std::string> broken_invariants(const Evidence& evidence, const std::set<Invariant>& excused);

// Where a World tells what was broken: each program that uses one says what becomes of it (invariants_gtest.cpp).
void report_broken_invariant(const std::string& what);

}  // namespace sallyport::session
