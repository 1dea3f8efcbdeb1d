// A whole client session: the octets become a script (tests/unit/session/random_session.h), which a real session over
// memory streams and the model of the unit tests play; they must agree on every reply and every message that the
// upstreams have taken, and no invariant may be broken. What is found is told as a dialogue.
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/unit/session/invariants.h"
#include "tests/unit/session/random_session.h"
#include "tests/unit/session/session_duel.h"

namespace sallyport::session {

void report_broken_invariant(const std::string& what) { throw std::logic_error(what); }

}  // namespace sallyport::session

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport::session;
  const Script script = make_script({reinterpret_cast<const char*>(data), size});
  const std::string quarrel = play_duel(script);
  if (quarrel.empty()) return 0;
  std::cerr << to_dialogue(script) << quarrel << "\n";
  throw std::runtime_error(quarrel);
}
