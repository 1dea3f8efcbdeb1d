#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/score_text.h"
#include "gateway/base/text.h"
#include "policies/api/exemption.h"
#include "policies/url_lists/url_lists.h"

namespace sallyport::policies {

namespace {

constexpr std::size_t most_named = 3;  // of what a list has, in one line

// All that one list has.
struct Listing {
  std::string name;
  std::vector<std::string> codes;  // that count, of all hits together
  std::vector<std::string> what;
  double score = 0;

  std::string because() const {
    const std::vector<std::string> first(what.begin(),
                                         what.begin() + static_cast<std::ptrdiff_t>(std::min(what.size(), most_named)));
    std::string text = name + "=" + text::join(codes, ",") + " " + text::join(first, " ");
    if (what.size() > most_named) text += " and " + std::to_string(what.size() - most_named) + " more";
    return text;
  }
};

std::vector<Listing> listings(const UrlListsFacts& facts, const UrlListsSettings& settings) {
  std::map<std::string, Listing> by_zone;
  for (const UrlListsFacts::Hit& hit : facts.hits) {
    const auto found = find_list(hit.list, settings.zones);
    if (found == settings.zones.end()) continue;
    const auto& [zone, list] = *found;
    std::vector<std::string> counted;
    for (const std::string& code : hit.codes) {
      const auto address = IpAddress::parse(code);
      if (address && list.counts(*address)) counted.push_back(code);
    }
    if (counted.empty()) continue;
    Listing& listing = by_zone[zone];
    listing.name = hit.list.name;
    listing.what.push_back(hit.what);
    for (std::string& code : counted) {
      if (std::find(listing.codes.begin(), listing.codes.end(), code) == listing.codes.end()) {
        listing.codes.push_back(std::move(code));
      }
    }
  }
  std::vector<Listing> all;
  for (auto& [zone, listing] : by_zone) {
    listing.score = settings.zones.at(zone).score_of(listing.codes, settings.score);
    all.push_back(std::move(listing));
  }
  return all;
}

struct Unanswered {
  std::string list;
  std::string why;
};

// Each list once, with the first thing that it could not be asked for.
std::vector<Unanswered> unanswered(const UrlListsFacts& facts, const UrlListsSettings& settings) {
  std::vector<Unanswered> all;
  for (const UrlListsFacts::Failed& failed : facts.failed) {
    if (find_list(failed.list, settings.zones) == settings.zones.end()) continue;
    const bool is_known =
        std::any_of(all.begin(), all.end(), [&failed](const Unanswered& one) { return one.list == failed.list.name; });
    if (!is_known) all.push_back({failed.list.name, describe(failed.why, failed.codes) + " (" + failed.what + ")"});
  }
  return all;
}

}  // namespace

void judge_url_lists(Stage stage, const Transaction& mail, const Facts& facts, const UrlListsSettings& settings,
                     Verdicts& out) {
  const UrlListsFacts* found = facts.find<UrlListsFacts>();
  if (!found || stage != Stage::message) return;
  const Exemption exemption = exemption_of(mail.client, {});
  if (exemption != Exemption::none) return out.add(verdict_of(exemption, "url_lists"));
  for (const Listing& listing : listings(*found, settings)) {
    Verdict verdict = Verdict::scored(listing.score, listing.because());
    verdict.rule = listing.name;
    out.add(std::move(verdict));
  }
  for (Unanswered& list : unanswered(*found, settings)) {
    out.add(Verdict::unknown(std::move(list.list), std::move(list.why)));
  }
}

Explained explain_url_lists(const Transaction& mail, const Facts& facts, const UrlListsSettings& settings) {
  const UrlListsFacts* found = facts.find<UrlListsFacts>();
  const Exemption exemption = exemption_of(mail.client, {});
  if (exemption != Exemption::none) return {"not asked", describe(exemption, "url_lists"), {}};
  if (!found) return {"not run", settings.zones.empty() ? "no list is named in policy.url_lists.zones" : "", {}};
  Explained explained;
  for (const Listing& listing : listings(*found, settings)) {
    explained.result = "listed";
    if (!explained.fact.empty()) explained.fact += ", ";
    explained.fact += listing.because() + " (score " + score_text(listing.score) + ")";
  }
  const std::vector<Unanswered> silent = unanswered(*found, settings);
  if (explained.result.empty()) explained.result = silent.empty() ? "clean" : "unknown";
  if (explained.fact.empty()) {
    explained.fact = "URLs and addresses found: " + std::to_string(found->urls) +
                     ", questions: " + std::to_string(found->evidence.size());
  }
  for (const Unanswered& list : silent) explained.details.push_back(list.list + ": " + list.why);
  if (!found->has_content) explained.details.emplace_back("only the header section was read: policy.content is off");
  if (!found->is_whole) explained.details.emplace_back("not all of the mail was looked into");
  if (found->left_out > 0) {
    explained.details.push_back("not asked, beyond names_per_list: " + std::to_string(found->left_out));
  }
  return explained;
}

}  // namespace sallyport::policies
