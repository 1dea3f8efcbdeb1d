#include "lua/engine/settings.h"

#include "gateway/base/text.h"
#include "gateway/http/url.h"
#include "policies/api/policy_defaults.h"

namespace sallyport::lua {

namespace {
using settings::row;
namespace type = settings::type;

Result<std::string> parse_entry(std::string_view text, const settings::Reading& reading) {
  if (!settings::is_plain_text(text)) return reading.wrong(text);
  return std::string(text);
}
std::string same(const std::string& text) { return text; }

constinit const settings::TypeOf<std::vector<std::string>> entries =
    settings::list_type<std::string, parse_entry, same>(
        "list of texts", R"(a list of texts like ["Ann Boss", "Bob Chief"])",
        R"({"type": "array", "items": {"type": "string", "minLength": 1}})");

Result<std::string> parse_host(std::string_view text, const settings::Reading& reading) {
  if (!http::is_allowed_host(text)) return reading.wrong(text);
  return text::to_lower(text);
}

constinit const settings::TypeOf<std::vector<std::string>> web_hosts =
    settings::list_type<std::string, parse_host, same>("list of hosts",
                                                       R"(a list of hosts like ["api.example.com", "10.0.0.8:8443"])",
                                                       R"({"type": "array", "items": {"type": "string"}})");

constexpr settings::Row rows[] = {
    row<&RuleSettings::path>("path", type::path, "A directory of rules in Lua; empty for none."),
    row<&RuleSettings::shipped>("shipped", entries, "Rules that come with the program and are switched on, by name."),
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
    row<&RuleSettings::http>("http", web_hosts,
                             "The hosts that sp.http and sp.list may ask, at any port or at the one named; none unless said so."),
    row<&RuleSettings::http_ca>("http_ca", type::path,
                                "A file of authorities that certificates of these hosts are verified by; empty: the "
                                "system's."),
    row<&RuleSettings::run_tests>("run_tests", "Whether rules are loaded only if their *_test.lua succeed."),
    row<&RuleSettings::rules, &RuleOverride::mode>("rules.*.mode", "How this rule takes part, whatever its file says."),
    row<&RuleSettings::groups, &RuleOverride::mode>("groups.*.mode",
                                                    "How the rules of this group take part, whatever their files say."),
    row<&RuleSettings::lists, &RuleEntries::entries>("lists.*.entries", entries,
                                                     "Texts for rules, which read them by sp.setting(NAME)."),
};

constexpr settings::Collection collections[] = {
    {"rules.*", settings::NameRule::identifier, "A rule, by its name."},
    {"groups.*", settings::NameRule::identifier, "The rules whose `group` this is."},
    {"lists.*", settings::NameRule::identifier, "A list for rules; the shipped ones read that of their own name."},
};
}  // namespace

constinit const settings::SectionOf<RuleSettings> rules_section{"policy.rules", rows, collections};

}  // namespace sallyport::lua
