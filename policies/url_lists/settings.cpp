#include "policies/url_lists/settings.h"

#include <algorithm>
#include <utility>

#include "policies/api/policy_defaults.h"
#include "policies/lists/list_answer.h"
#include "policies/lists/setting_types.h"

namespace sallyport::policies {

namespace {

using settings::row;
using settings::scores;

bool read_code(const settings::Member& member, const settings::Reading& reading, std::vector<NameCodeScore>& codes) {
  const auto code = parse_name_code(member.key);
  if (!code) {
    reading.errors.push_back({member.at, settings::quote(member.key) +
                                             R"( is no answer of a list: "127.0.1.2", "127.0.1.2-127.0.1.99" or, of )"
                                             R"(127.0.0.N, a bit of N like "&8")"});
    return false;
  }
  const auto is_same = [&code](const NameCodeScore& known) { return known.code == *code; };
  if (std::any_of(codes.begin(), codes.end(), is_same)) {
    reading.errors.push_back({member.at, settings::quote(member.key) + " is named twice"});
    return false;
  }
  const settings::Node& score = member.value;
  const bool is_number = score.kind == settings::Node::Kind::number || score.kind == settings::Node::Kind::integer;
  if (!is_number || !(score.number >= -1000 && score.number <= 1000)) {
    return reading.fail(score, "expected the score of " + settings::quote(member.key) + ", a number of -1000 to 1000");
  }
  codes.push_back({*code, score.number});
  return true;
}

bool read_codes(const settings::Node& node, const settings::Reading& reading, void* value) {
  if (node.kind != settings::Node::Kind::table) return reading.mismatch(node);
  std::vector<NameCodeScore> codes;
  bool good = true;
  for (const settings::Member& member : node.members) good = read_code(member, reading, codes) && good;
  return good && settings::give(std::move(codes), value);
}

std::string codes_to_toml(const void* value) {
  std::string text;
  for (const NameCodeScore& one : *static_cast<const std::vector<NameCodeScore>*>(value)) {
    text += text.empty() ? "{ " : ", ";
    text += settings::quote(to_text(one.code)) + " = " + settings::type::number.to_toml(&one.score);
  }
  return text.empty() ? "{}" : text + " }";
}

constinit const settings::TypeOf<std::vector<NameCodeScore>> name_codes{
    {"scores by code or bit",
     settings::Form::other,
     R"(a table of scores by reply or bit like { "127.0.1.2-127.0.1.99" = 8.0, "&8" = 3.0 })",
     {},
     R"({"type": "object", "additionalProperties": {"type": "number", "minimum": -1000, "maximum": 1000}})",
     read_codes,
     codes_to_toml}};

constexpr settings::Row rows[] = {
    mode_row<&UrlListsSettings::mode>("How the lists of domains and hashes take part."),
    row<&UrlListsSettings::score>("score", "What a hit on a list adds that has no score of its own.", scores),
    row<&UrlListsSettings::names_per_list>(
        "names_per_list", "How many names or hashes of one mail a list is asked for, the most suspicious first.",
        {.least = "1", .most = "100"}),
    row<&UrlListsSettings::skip>("skip", settings::type::domains,
                                 "Registrable domains that no list is asked for; those served here never are."),
    row<&UrlListsSettings::zones, &UrlList::kind>("zones.*.kind", "Whether the list has domains or hashes."),
    row<&UrlListsSettings::zones, &UrlList::of>(
        "zones.*.of", "What a list of hashes has: mail addresses, registrable domains or whole URLs."),
    row<&UrlListsSettings::zones, &UrlList::hash>("zones.*.hash", "Which digest a list of hashes has of them."),
    row<&UrlListsSettings::zones, &UrlList::ips>(
        "zones.*.ips", "Whether a list of domains is asked for IP addresses in URLs too, with their octets reversed."),
    row<&UrlListsSettings::zones, &UrlList::score>(
        "zones.*.score", "What a hit adds.",
        {.least = "-1000", .most = "1000", .falls_back_to = {"policy.url_lists.score"}}),
    row<&UrlListsSettings::zones, &UrlList::reply>("zones.*.reply", list_types::reply_ranges,
                                                   "The answers that are a hit.", {.least = "1"}),
    row<&UrlListsSettings::zones, &UrlList::codes>(
        "zones.*.codes", name_codes,
        "What a hit adds, by the answer or, of 127.0.0.N, by a bit of N (\"&8\"); stands for score and reply."),
    row<&UrlListsSettings::zones, &UrlList::name>(
        "zones.*.name", list_types::list_name,
        "How the list is called in headers and the log; empty for the zone without what may be a key."),
    row<&UrlListsSettings::zones, &UrlList::self_test>(
        "zones.*.self_test", list_types::self_test,
        "Whether the list is left out while its test points (RFC 5782, 5) are wrong: TEST must be listed and INVALID "
        "not (on), or it is left out only if INVALID is listed or TEST no longer is (auto)."),
};

constexpr settings::Collection collections[] = {
    {"zones.*", settings::NameRule::domain, "A list of domains or hashes in DNS."},
};

}  // namespace

bool UrlList::counts(const IpAddress& code) const {
  if (codes.empty()) return is_listing_code(code, reply);
  return std::any_of(codes.begin(), codes.end(), [&code](const NameCodeScore& one) { return one.code.has(code); });
}

double UrlList::score_of(const std::vector<std::string>& found, double without_score) const {
  if (codes.empty()) return score.value_or(without_score);
  std::vector<bool> has(codes.size());
  for (const std::string& text : found) {
    const auto code = IpAddress::parse(text);
    if (!code) continue;
    std::optional<std::size_t> narrowest;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const NameCode& one = codes[i].code;
      if (!one.has(*code)) continue;
      if (one.bits != 0) {
        has[i] = true;
      } else if (!narrowest || one.range.size() < codes[*narrowest].code.range.size()) {
        narrowest = i;
      }
    }
    if (narrowest) has[*narrowest] = true;
  }
  double sum = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) sum += has[i] ? codes[i].score : 0;
  return sum;
}

constinit const settings::SectionOf<UrlListsSettings> url_lists_section{"policy.url_lists", rows, collections};

}  // namespace sallyport::policies
