// What a policy thinks of a mail, and why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::policies {

// From mild to strict; of two verdicts the stricter one counts. A refusal outranks a discard: what is refused is not
// lost without a word.
enum class Action : std::uint8_t { none, accept, tag, quarantine, discard, tempfail, reject, drop };

std::string_view name(Action action);

struct Verdict {
  Action action = Action::none;
  double score = 0;     // adds to the mail's sum (contract.md, policy.actions)
  std::string check;    // the policy's name
  std::string rule;     // of Lua: the rule's name
  std::string because;  // the fact that decided, in words for the log and for explain
  int code = 0;         // of the reply; 0 = the action's default (550, 451)
  std::string dsn;      // "5.7.1"
  std::string text;     // of the reply, without the id
  bool shadow = false;  // recorded only
  bool close = false;   // end the connection after the reply (421, drop)
  std::vector<std::pair<std::string, std::string>> add_headers;
  std::string subject_prefix;
  std::vector<std::string> skip;  // of accept: the checks that no longer count for this mail; empty = all

  static Verdict none() { return {}; }
  static Verdict reject(std::string_view dsn, std::string_view text, int code = 550);
  static Verdict tempfail(std::string_view dsn, std::string_view text, int code = 451);
};

}  // namespace sallyport::policies
