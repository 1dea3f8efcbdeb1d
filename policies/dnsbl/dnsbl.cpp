#include "policies/dnsbl/dnsbl.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "policies/api/ask.h"
#include "policies/dnsbl/list_name.h"

namespace sallyport::policies {

DnsblPolicy::DnsblPolicy(DnsblSettings settings) : settings_(std::move(settings)) {
  for (const auto& [zone, of_zone] : settings_.zones) {
    const double score = of_zone.score.value_or(settings_.score);
    lists_.push_back(
        {zone, public_zone_name(zone), score, of_zone.reply, of_zone.self_test, std::make_unique<ListHealth>()});
  }
}

bool DnsblPolicy::judges_at(Stage stage) const {
  return !lists_.empty() && (stage == Stage::rcpt || stage == Stage::message);
}

bool DnsblPolicy::is_skipped(const IpAddress& client) const {
  return std::any_of(settings_.skip.begin(), settings_.skip.end(),
                     [&client](const IpNetwork& network) { return network.contains(client); });
}

Task<void> DnsblPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  const IpAddress client = mail.client.ip;
  facts.dnsbl = {};
  if (is_skipped(client)) co_return;

  DnsblFacts found;
  std::vector<const List*> asked;
  std::vector<dns::Question> questions;
  for (const List& list : lists_) {
    // A list without IPv6 entries has nothing to say about this client; that is no failure.
    if (client.is_v6() && !list.health->has_ipv6()) continue;
    auto name = list_query_name(client.octets(), list.zone);
    if (!name || !list.health->may_ask(around.scheduler.now())) {
      found.failed_zones.push_back(list.public_name);
      continue;
    }
    asked.push_back(&list);
    questions.push_back({std::move(*name), dns::Type::A});
  }
  found.evidence = co_await ask_all(std::move(questions), around);
  for (std::size_t i = 0; i < asked.size(); ++i) record(*asked[i], found.evidence[i].answer, found, around);
  facts.dnsbl = std::move(found);
}

void DnsblPolicy::record(const List& list, const dns::Answer& answer, DnsblFacts& found, const Surroundings& around) {
  ListAnswer said = read_list_answer(answer, list.reply);
  if (said.status == ListStatus::hit) {
    found.hits.push_back({list.public_name, said.codes, list.score});
  } else if (said.status != ListStatus::no_hit) {
    found.failed_zones.push_back(list.public_name);
  }
  // What the cache says was learned, told and counted when it was asked for.
  if (answer.from_cache || said.status == ListStatus::not_asked) return;
  if (said.status == ListStatus::hit || said.status == ListStatus::no_hit) {
    list.health->answered();
    return;
  }
  const std::string_view kind = sallyport::name(Fault::dnsbl_error);
  if (said.status == ListStatus::error) {
    around.counters.add(Fault::dnsbl_error);
    const std::string codes = text::join(said.codes, ",");
    around.log.write(LogLevel::warning, "fault", {{"kind", kind}, {"zone", list.public_name}, {"answer", codes}});
  }
  if (list.health->failed(around.scheduler.now())) {
    around.counters.add(Fault::dnsbl_error);
    const std::string reason = std::to_string(ListHealth::failures_to_open) + " failures in a row, not asked for " +
                               to_text(ListHealth::pause);
    around.log.write(LogLevel::error, "fault", {{"kind", kind}, {"zone", list.public_name}, {"reason", reason}});
  }
}

Verdict DnsblPolicy::judge(Stage stage, const Transaction& mail, const Facts& facts) const {
  return judge_dnsbl(stage, mail, facts.dnsbl, settings_);
}

}  // namespace sallyport::policies
