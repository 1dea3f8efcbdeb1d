#include "lua/engine/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::lua {

namespace {
using settings::row;
namespace type = settings::type;

constexpr settings::Row rows[] = {
    row<&RuleSettings::path>("path", type::path, "A directory of rules in Lua; empty for none."),
    policies::mode_row<&RuleSettings::mode>("How the rules take part; a percentage is of mails, as for one rule."),
    row<&RuleSettings::on_error>("on_error",
                                 "What becomes of a mail when a rule fails or breaks its budget; auto: 451 if its "
                                 "file can refuse mail, else the rule is left out."),
    row<&RuleSettings::cpu>("cpu", "CPU time of one run of a rule.", {.least = "1ms", .most = "10s"}),
    row<&RuleSettings::cpu_per_mail>("cpu_per_mail",
                                     "CPU time of all runs of rules for one mail; after it the rest time out.",
                                     {.least = "1ms", .most = "60s"}),
    row<&RuleSettings::memory>("memory", type::size, "Memory of one run of a rule.",
                               {.least = "64KiB", .most = "1GiB"}),
    row<&RuleSettings::run_tests>("run_tests", "Whether rules are loaded only if their *_test.lua succeed."),
    row<&RuleSettings::rules, &RuleOverride::mode>("rules.*.mode", "How this rule takes part, whatever its file says."),
    row<&RuleSettings::groups, &RuleOverride::mode>("groups.*.mode",
                                                    "How the rules of this group take part, whatever their files say."),
};

constexpr settings::Collection collections[] = {
    {"rules.*", settings::NameRule::identifier, "A rule, by its name."},
    {"groups.*", settings::NameRule::identifier, "The rules whose `group` this is."},
};
}  // namespace

constinit const settings::SectionOf<RuleSettings> rules_section{"policy.rules", rows, collections};

}  // namespace sallyport::lua
