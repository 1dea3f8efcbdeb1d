#include "lua/engine/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::lua {

namespace {
using settings::row;
namespace type = settings::type;

constexpr settings::Row rows[] = {
    row<&RuleSettings::path>("path", type::path, "A directory of rules in Lua; empty for none."),
    policies::mode_row<&RuleSettings::mode>("How the rules take part."),
    row<&RuleSettings::on_error>("on_error", "What becomes of a mail when a rule fails or breaks its budget."),
    row<&RuleSettings::cpu>("cpu", "CPU time of one run of a rule.", {.least = "1ms", .most = "10s"}),
    row<&RuleSettings::cpu_per_mail>("cpu_per_mail",
                                     "CPU time of all runs of rules for one mail; after it the rest time out.",
                                     {.least = "1ms", .most = "60s"}),
    row<&RuleSettings::memory>("memory", type::size, "Memory of one run of a rule.",
                               {.least = "64KiB", .most = "1GiB"}),
};
}  // namespace

constinit const settings::SectionOf<RuleSettings> rules_section{"policy.rules", rows};

}  // namespace sallyport::lua
