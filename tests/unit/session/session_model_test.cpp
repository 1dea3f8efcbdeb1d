// Random sessions, each played by a real session and by the model (session_model.h): they agree on every reply and on
// what the upstreams have taken.
//
//   SALLYPORT_SESSIONS=100000   so many instead of the usual number
//   SALLYPORT_SESSION=4711      only the one of this seed, told in full
#include <gtest/gtest.h>

#include <cstdlib>

#include "gateway/base/text.h"
#include "tests/unit/session/random_session.h"
#include "tests/unit/session/session_duel.h"

namespace sallyport::session {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SALLYPORT_SLOW_BUILD 1
#endif
#endif
#if defined(SALLYPORT_SLOW_BUILD) || !defined(__OPTIMIZE__)
constexpr std::uint64_t usual_sessions = 2000;
#else
constexpr std::uint64_t usual_sessions = 20000;
#endif

std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? text::to_number(value) : std::nullopt;
}

void expect_agreement(std::uint64_t seed) {
  Script script = make_script(random_octets(seed));
  std::string quarrel = play_duel(script);
  if (quarrel.empty()) return;
  Script smallest = shrink(script, [](const Script& smaller) { return !play_duel(smaller).empty(); });
  ADD_FAILURE() << "SALLYPORT_SESSION=" << seed << " plays it again\n"
                << to_dialogue(smallest) << play_duel(smallest) << "\nat first: " << quarrel;
}

TEST(SessionModel, AgreesWithTheSessionOnEveryReplyAndEveryMessage) {
  if (auto seed = number_from_environment("SALLYPORT_SESSION")) {
    std::cout << to_dialogue(make_script(random_octets(*seed)));
    return expect_agreement(*seed);
  }
  std::uint64_t sessions = number_from_environment("SALLYPORT_SESSIONS").value_or(usual_sessions);
  // A few quarrels tell more than a thousand.
  for (std::uint64_t seed = 1; seed <= sessions && !HasFailure(); ++seed) expect_agreement(seed);
}

}  // namespace
}  // namespace sallyport::session
