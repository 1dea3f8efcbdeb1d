// Asks the lists, and updates their health from the answers.
#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/dns/reverse_name.h"
#include "policies/api/ask.h"
#include "policies/api/exemption.h"
#include "policies/dnsbl/gatherer.h"
#include "policies/dnsbl/list_answer.h"
#include "policies/dnsbl/list_name.h"
#include "policies/dnsbl/listings.h"

namespace sallyport::policies {

namespace {

using Failed = DnsblFacts::Failed;

DnsblFacts::List shown(const DnsList& list) { return {list.name, list.zone}; }

// Interprets the list's answer and adds it to `found`.
ListAnswer take_answer(const DnsList& list, const dns::Answer& answer, DnsblFacts& found) {
  ListAnswer said = read_list_answer(answer, list.hits);
  switch (said.status) {
    case ListStatus::hit:
      found.hits.push_back({shown(list), said.codes});
      break;
    case ListStatus::no_hit:
      break;
    case ListStatus::error:
      found.failed.push_back({shown(list), ListFailure::list_error, said.codes});
      break;
    case ListStatus::failed:
      found.failed.push_back({shown(list), ListFailure::no_answer, {}});
      break;
    case ListStatus::not_asked:
      found.failed.push_back({shown(list), ListFailure::budget, {}});
      break;
  }
  return said;
}

// What went wrong, in words.
std::string reason_of(const ListAnswer& said, const dns::Answer& answer) {
  if (said.status == ListStatus::error) {
    return "answered " + text::join(said.codes, ",") + ", which is an error of the list";
  }
  return answer.status == dns::Status::timeout ? "no answer in time" : "no usable answer";
}

std::string_view words_of_family(AddressFamily family) { return family == AddressFamily::ipv4 ? "IPv4" : "IPv6"; }

void log_fault(const DnsList& list, const IpAddress& client, std::string_view reason, LogLevel level,
               const GatherContext& context) {
  const std::string ip = client.to_string();
  context.counters.add(Fault::dnsbl_error);
  context.log.write(level, "fault",
                    {{"kind", name(Fault::dnsbl_error)}, {"zone", list.name}, {"ip", ip}, {"reason", reason}});
}

// Updates the list's health from an answer that came from the list itself and for this question alone. An answer from
// the cache, or one that another lookup was waiting for already, was learned, logged and counted with the lookup that
// asked; the turn is given up then, so that a probe is left for somebody who does ask.
void learn(const DnsList& list, ListHealth::Turn turn, const IpAddress& client, const ListAnswer& said,
           const dns::Answer& answer, const GatherContext& context) {
  if (answer.from_cache || said.status == ListStatus::not_asked) return;
  const Time now = context.scheduler.now();
  const std::string family(words_of_family(family_of(client)));
  if (said.status == ListStatus::hit || said.status == ListStatus::no_hit) {
    if (turn.answered(now) != ListHealth::Change::closed) return;
    const std::string reason = "answers again for " + family + " clients";
    context.log.write(LogLevel::info, "recovered",
                      {{"kind", name(Fault::dnsbl_error)}, {"zone", list.name}, {"reason", reason}});
    return;
  }
  const std::string reason = reason_of(said, answer);
  log_fault(list, client, reason, LogLevel::warning, context);
  if (turn.failed(now, reason) != ListHealth::Change::opened) return;
  log_fault(list, client,
            std::to_string(ListHealth::failures_to_open) + " failures in a row, not asked about " + family +
                " clients for " + to_text(ListHealth::pause) + "; the last: " + reason,
            LogLevel::error, context);
}

class DnsblGathering final : public Gathering {
 public:
  DnsblGathering(const DnsblSettings& settings, const std::vector<DnsList>& lists)
      : settings_(settings), lists_(lists) {}

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    const IpAddress client = mail.client.ip;
    const DnsblFacts before = facts.get<DnsblFacts>();
    if (exemption_of(mail.client, settings_.skip) != Exemption::none) {
      facts.put(before);
      co_return;
    }
    DnsblFacts found = of_other_lists(before);
    std::vector<Asking> asking;
    std::vector<dns::Question> questions;
    for (const DnsList& list : lists_) {
      // A list without IPv6 entries is not asked about an IPv6 client; that is no failure.
      if (client.is_v6() && !list.health.serves_ipv6()) continue;
      found.asked.push_back(list.name);
      auto query = list_query_name(client.octets(), list.zone);
      if (!query) {
        found.failed.push_back({shown(list), ListFailure::name_too_long, {}});
        continue;
      }
      dns::Question question{std::move(*query), dns::Type::A};
      if (is_known(list, question, before, found)) continue;
      auto turn = list.health.may_ask(family_of(client), context.scheduler.now());
      if (!turn) {
        const bool is_silent = list.health.passes_test();
        found.failed.push_back({shown(list), is_silent ? ListFailure::set_aside : ListFailure::failed_test, {}});
        continue;
      }
      asking.push_back({&list, std::move(*turn)});
      questions.push_back(std::move(question));
    }
    std::vector<dns::Evidence> evidence = co_await ask_all(std::move(questions), context);
    const std::string reversed = dns::reverse_labels(client.octets());
    for (std::size_t i = 0; i < asking.size(); ++i) {
      const DnsList& list = *asking[i].list;
      const ListAnswer said = take_answer(list, evidence[i].answer, found);
      if (said.status == ListStatus::hit) list.health.count_hit();
      learn(list, std::move(asking[i].turn), client, said, evidence[i].answer, context);
      found.questions.push_back(evidence[i].question);
      evidence[i].question.name = reversed + list.name;
      found.evidence.push_back(std::move(evidence[i]));
    }
    facts.put(std::move(found));
  }

 private:
  struct Asking {
    const DnsList* list;
    ListHealth::Turn turn;
  };

  bool has(const std::string& zone) const {
    return std::any_of(lists_.begin(), lists_.end(), [&zone](const DnsList& list) { return list.zone == zone; });
  }

  // Keeps what was found with lists that these settings do not have, and all the evidence.
  DnsblFacts of_other_lists(DnsblFacts facts) const {
    std::erase_if(facts.asked, [this](const std::string& name) {
      return std::any_of(lists_.begin(), lists_.end(), [&name](const DnsList& list) { return list.name == name; });
    });
    std::erase_if(facts.hits, [this](const DnsblFacts::Hit& hit) { return has(hit.list.zone); });
    std::erase_if(facts.failed, [this](const Failed& failed) { return has(failed.list.zone); });
    return facts;
  }

  // A list that was already asked with other settings is not asked again: its answer is interpreted with the codes of
  // these.
  static bool is_known(const DnsList& list, const dns::Question& question, const DnsblFacts& before,
                       DnsblFacts& found) {
    for (std::size_t i = 0; i < before.questions.size(); ++i) {
      if (before.questions[i] != question) continue;
      take_answer(list, before.evidence[i].answer, found);
      return true;
    }
    for (const Failed& failed : before.failed) {
      if (failed.list.zone != list.zone) continue;
      found.failed.push_back({shown(list), failed.why, failed.codes});
      return true;
    }
    return false;
  }

  const DnsblSettings& settings_;
  const std::vector<DnsList>& lists_;
};

}  // namespace

DnsblGatherer::DnsblGatherer(const DnsblSettings& settings, ListTable& table) : settings_(settings) {
  const std::map<std::string, std::string> names = list_names(settings_);
  for (const auto& [zone, of_zone] : settings_.zones) {
    lists_.push_back({zone, names.at(zone), of_zone.hits(), of_zone.self_test, table.of(zone)});
  }
}

std::unique_ptr<Gathering> DnsblGatherer::begin() const { return std::make_unique<DnsblGathering>(settings_, lists_); }

}  // namespace sallyport::policies
