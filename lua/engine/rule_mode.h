// RuleMode: how a rule takes part, as a rule file and the settings write it: "enforce", "shadow", "off" or a
// percentage.
//
// "10%" enforces the rule for ten of a hundred mails and runs it in shadow for the others, so that what it would have
// done there is still counted. Which mails these are follows from a hash of the mail's id: the same ones at every stage
// and for every rule with that percentage, and a larger percentage has all of a smaller one's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/settings/value_types.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace lua {

struct RuleMode {
  // Implicit: whoever has only a Mode means all mails.
  constexpr RuleMode(policies::Mode of_all = policies::Mode::enforce, int of_hundred = 100)
      : mode(of_all), percent(of_hundred) {}

  policies::Mode mode;
  int percent;  // of mails for which it is enforced; 1 to 99 only with Mode::enforce

  friend bool operator==(const RuleMode&, const RuleMode&) = default;
};

// Nothing: the text is no mode.
std::optional<RuleMode> parse_rule_mode(std::string_view text);
std::string to_text(const RuleMode& mode);

// How a rule takes part where all rules together take part as `all`.
RuleMode within(const RuleMode& rule, const RuleMode& all);

// True if the rule's verdict on the mail with this id changes nothing.
bool is_shadow_for(const RuleMode& mode, std::string_view mail_id);

extern const settings::TypeOf<RuleMode> rule_mode_type;

}  // namespace lua

template <>
inline constexpr const settings::TypeOf<lua::RuleMode>* settings::value_type<lua::RuleMode> = &lua::rule_mode_type;

}  // namespace sallyport
