// Verdict: what a policy decides about a mail, and why. At one stage a policy may give several: one for each rule, list
// or rate, enforced and shadow ones side by side. checks/disposition.h says what follows from them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/milter/changes.h"
#include "policies/api/header_edit.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace mail {
class Message;
}

namespace policies {

// From mild to strict; of two verdicts the stricter one counts. A refusal is stricter than a discard, because with a
// refusal the sender learns that the mail was not delivered.
enum class Action : std::uint8_t { none, accept, tag, quarantine, discard, tempfail, reject, drop };

struct Verdict {
  Action action = Action::none;
  double score = 0;     // added to the mail's sum (contract.md, policy.actions)
  bool shadow = false;  // recorded only, without any effect
  // This could not be found out, and is never recorded as clean (I9); action and score say what follows.
  bool is_unknown = false;

  std::string check;    // the policy's name; set by Verdicts::add()
  std::string rule;     // the Lua rule, list or rate within the policy; empty where the policy has no parts
  std::string because;  // the deciding fact, in words for the log and `explain`; may contain validated text of peers
  Stage stage = Stage::connect;  // the stage it was given at; set by Verdicts::add()

  // The reply of tempfail and reject, without the id. Default: 451 4.7.1 or 550 5.7.1.
  int code = 0;
  std::string dsn;     // "5.7.1"
  std::string text;    // printable ASCII; several lines are separated by LF
  bool close = false;  // the connection ends after the reply (421)

  // Changes of the mail's header, with any action that lets the mail pass. They are made only when the verdict counts.
  std::vector<std::pair<std::string, std::string>> add_headers;
  std::vector<HeaderEdit> header_edits;
  std::string subject_prefix;  // in UTF-8, without controls
  // What a milter changes of the mail, after the milters before it, and what stands in the place of the body, behind an
  // empty line; null: the body stays. As with the edits above, only when the verdict counts, and all or nothing.
  std::optional<milter::Changes> changes = {};
  std::shared_ptr<const mail::Message> body = {};
  std::vector<std::string> skip;  // for accept: the checks that no longer count for this mail; empty = all
  // The name of the upstream that the mail goes to instead of its tenant's; empty: that one.
  std::string redirect;
  // A check whose verdicts act no stricter than `override_to`; empty: none. Scores stay, and nothing becomes stricter.
  std::string override_check;
  Action override_to = Action::none;

  static Verdict reject(std::string_view dsn, std::string_view text, int code = 550);
  static Verdict tempfail(std::string_view dsn, std::string_view text, int code = 451);
  // A verdict that adds `score`; `because` says why.
  static Verdict scored(double score, std::string because);
  // A verdict that says that `rule` could not be found out.
  static Verdict unknown(std::string rule, std::string because);

  // True if the verdict has an effect, or names a rule: a rule or list that has found something is shown as a symbol
  // even when its score is 0.
  bool says_something() const { return action != Action::none || score != 0 || is_unknown || !rule.empty(); }

  template <class V>
  void fields(V& visit) {
    visit("action", action);
    visit("score", score);
    visit("shadow", shadow);
    visit("unknown", is_unknown);
    visit("check", check);
    visit("rule", rule);
    visit("because", because);
    visit("stage", stage);
    visit("code", code);
    visit("dsn", dsn);
    visit("text", text);
    visit("close", close);
    visit("add_headers", add_headers);
    visit("header_edits", header_edits);
    visit("subject_prefix", subject_prefix);
    visit("changes", changes);
    visit("skip", skip);
    visit("redirect", redirect);
    visit("override_check", override_check);
    visit("override_to", override_to);
  }
};

// Collects verdicts, in the order of the judges.
class Verdicts {
 public:
  // Sets the check, stage and mode of the verdicts that are added from now on. With Mode::shadow every verdict becomes
  // a shadow one.
  void speaks(std::string_view check, Stage stage, Mode mode);
  // Adds the verdict, unless says_something() is false.
  void add(Verdict verdict);

  const std::vector<Verdict>& all() const { return all_; }
  std::vector<Verdict> take() { return std::move(all_); }

 private:
  std::vector<Verdict> all_;
  std::string_view check_;
  Stage stage_ = Stage::connect;
  Mode mode_ = Mode::enforce;
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::Action> =
    std::to_array<std::string_view>({"none", "accept", "tag", "quarantine", "discard", "tempfail", "reject", "drop"});

}  // namespace sallyport
