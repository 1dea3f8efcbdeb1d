// Asks the lists, and updates their health from the answers.
#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "policies/api/ask.h"
#include "policies/api/exemption.h"
#include "policies/dnsbl/gatherer.h"
#include "policies/dnsbl/list_answer.h"
#include "policies/dnsbl/list_name.h"
#include "policies/dnsbl/listings.h"

namespace sallyport::policies {

namespace {

using Failed = DnsblFacts::Failed;

// Interprets the list's answer and adds it to `found`.
ListAnswer take_answer(const DnsList& list, const dns::Answer& answer, DnsblFacts& found) {
  ListAnswer said = read_list_answer(answer, list.reply);
  switch (said.status) {
    case ListStatus::hit:
      found.hits.push_back({list.zone, said.codes});
      break;
    case ListStatus::no_hit:
      break;
    case ListStatus::error:
      found.failed.push_back({list.zone, ListFailure::list_error, said.codes});
      break;
    case ListStatus::failed:
      found.failed.push_back({list.zone, ListFailure::no_answer, {}});
      break;
    case ListStatus::not_asked:
      found.failed.push_back({list.zone, ListFailure::budget, {}});
      break;
  }
  return said;
}

// Updates the list's health from an answer that came from the list itself, not from the cache.
void learn(const DnsList& list, const ListAnswer& said, const GatherContext& context) {
  if (said.status == ListStatus::not_asked) return;
  if (said.status == ListStatus::hit || said.status == ListStatus::no_hit) {
    list.health.answered();
    return;
  }
  const std::string_view kind = name(Fault::dnsbl_error);
  if (said.status == ListStatus::error) {
    context.counters.add(Fault::dnsbl_error);
    const std::string codes = text::join(said.codes, ",");
    context.log.write(LogLevel::warning, "fault", {{"kind", kind}, {"zone", list.public_name}, {"answer", codes}});
  }
  if (list.health.failed(context.scheduler.now())) {
    context.counters.add(Fault::dnsbl_error);
    const std::string reason = std::to_string(ListHealth::failures_to_open) + " failures in a row, not asked for " +
                               to_text(ListHealth::pause);
    context.log.write(LogLevel::error, "fault", {{"kind", kind}, {"zone", list.public_name}, {"reason", reason}});
  }
}

class DnsblGathering final : public Gathering {
 public:
  DnsblGathering(const DnsblSettings& settings, const std::vector<DnsList>& lists)
      : settings_(settings), lists_(lists) {}

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    const IpAddress client = mail.client.ip;
    const DnsblFacts before = facts.get<DnsblFacts>();
    DnsblFacts found = of_other_lists(before);
    if (exemption_of(mail.client, settings_.skip) != Exemption::none) {
      facts.put(before);
      co_return;
    }
    std::vector<const DnsList*> asked;
    std::vector<dns::Question> questions;
    for (const DnsList& list : lists_) {
      // A list without IPv6 entries is not asked about an IPv6 client; that is no failure.
      if (client.is_v6() && !list.health.has_ipv6()) continue;
      found.asked.push_back(list.zone);
      auto query = list_query_name(client.octets(), list.zone);
      if (!query) {
        found.failed.push_back({list.zone, ListFailure::name_too_long, {}});
        continue;
      }
      dns::Question question{std::move(*query), dns::Type::A};
      if (is_known(list, question, before, found)) continue;
      if (!list.health.may_ask(context.scheduler.now())) {
        const bool is_silent = list.health.passes_test();
        found.failed.push_back({list.zone, is_silent ? ListFailure::set_aside : ListFailure::failed_test, {}});
        continue;
      }
      asked.push_back(&list);
      questions.push_back(std::move(question));
    }
    std::vector<dns::Evidence> evidence = co_await ask_all(std::move(questions), context);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const dns::Answer& answer = evidence[i].answer;
      const ListAnswer said = take_answer(*asked[i], answer, found);
      // An answer from the cache was learned, logged and counted when it was first received.
      if (!answer.from_cache) learn(*asked[i], said, context);
    }
    found.evidence.insert(found.evidence.end(), std::make_move_iterator(evidence.begin()),
                          std::make_move_iterator(evidence.end()));
    facts.put(std::move(found));
  }

 private:
  bool has(const std::string& zone) const {
    return std::any_of(lists_.begin(), lists_.end(), [&zone](const DnsList& list) { return list.zone == zone; });
  }

  // Keeps what was found with lists that these settings do not have, and all the evidence.
  DnsblFacts of_other_lists(DnsblFacts facts) const {
    std::erase_if(facts.asked, [this](const std::string& zone) { return has(zone); });
    std::erase_if(facts.hits, [this](const DnsblFacts::Hit& hit) { return has(hit.zone); });
    std::erase_if(facts.failed, [this](const Failed& failed) { return has(failed.zone); });
    return facts;
  }

  // A list that was already asked with other settings is not asked again: its answer is interpreted with the codes of
  // these.
  static bool is_known(const DnsList& list, const dns::Question& question, const DnsblFacts& before,
                       DnsblFacts& found) {
    for (const dns::Evidence& known : before.evidence) {
      if (known.question != question) continue;
      take_answer(list, known.answer, found);
      return true;
    }
    for (const Failed& failed : before.failed) {
      if (failed.zone != list.zone) continue;
      found.failed.push_back(failed);
      return true;
    }
    return false;
  }

  const DnsblSettings& settings_;
  const std::vector<DnsList>& lists_;
};

}  // namespace

DnsblGatherer::DnsblGatherer(const DnsblSettings& settings, Learned& learned) : settings_(settings) {
  for (const auto& [zone, of_zone] : settings_.zones) {
    lists_.push_back({zone, public_zone_name(zone), of_zone.reply, of_zone.self_test, learned.of<ListHealth>(zone)});
  }
}

std::unique_ptr<Gathering> DnsblGatherer::begin() const { return std::make_unique<DnsblGathering>(settings_, lists_); }

}  // namespace sallyport::policies
