// The invariants of the threat model that one process can check, and that must hold after every test. A World checks
// them when it is destroyed; no test has to call this.
//
// broken_invariants() looks at the evidence (octets on the wires, log lines, counters, what a policy saw) and returns a
// sentence for each violation.
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
  acknowledgement,  // I1: a 2xx for a message follows the upstream's own 2xx, and the log agrees
  one_meaning,      // I2: the policies saw the message that was sent on, and the client sent that message
  framing,          // I3: we send no NUL, and no CR or LF outside a CRLF pair
  order,            // I5: one well-formed reply per command
  no_echo,          // I7: replies are printable ASCII in lines of at most 512 octets
  recorded_once,    // I8: counters and log lines agree
  no_mistake,       // I10: no internal error occurred
  time,             // I12: a session with silent peers ends in time, and a message is answered in time
  nothing_left,     // all streams, slots and gauges are released
};

// One event of the log, with its fields as text.
struct LoggedEvent {
  std::uint64_t moment = 0;
  std::string event;
  std::map<std::string, std::string, std::less<>> fields;

  std::string_view field(std::string_view key) const;
};

// A message as the policies saw it.
struct SeenMessage {
  std::string header;  // the header section with the empty line
  std::string body;
};

struct Evidence {
  std::vector<Wire> clients;
  std::vector<Wire> upstreams;  // `sent` are the gateway's commands, decrypted where the test's server has the keys
  bool clients_are_secured = false;  // TLS from the first octet
  std::vector<std::size_t>
      balancer_octets;  // for each client's wire: the length of the PROXY header before the first command
  std::vector<LoggedEvent> log;
  const Counters* counters = nullptr;
  std::map<std::string, SeenMessage, std::less<>> seen;  // by the transaction's id
  Duration final_reply{};
  std::size_t sessions_left = 0;
  std::uint64_t places_left = 0;
};

std::vector<std::string> broken_invariants(const Evidence& evidence, const std::set<Invariant>& excused);

// Called by a World for each violation; each program that uses World defines it (invariants_gtest.cpp: a test failure).
void report_broken_invariant(const std::string& what);

}  // namespace sallyport::session
