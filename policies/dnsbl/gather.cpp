// Asks the lists about a client, all at the same time.
#include <algorithm>
#include <utility>

#include "gateway/async/when.h"
#include "gateway/dns/reverse_name.h"
#include "policies/api/exemption.h"
#include "policies/dnsbl/gatherer.h"
#include "policies/dnsbl/listings.h"
#include "policies/lists/ask_list.h"
#include "policies/lists/list_name.h"
#include "policies/lists/self_test.h"

namespace sallyport::policies {

namespace {

using Failed = DnsblFacts::Failed;

ShownList shown(const DnsList& list) { return {list.name, list.zone}; }

// Adds what the list says of the client to `found`.
void take(const DnsList& list, const ListFinding& finding, DnsblFacts& found) {
  if (finding.failure) {
    found.failed.push_back({shown(list), *finding.failure, finding.said.codes});
  } else if (finding.said.status == ListStatus::hit) {
    found.hits.push_back({shown(list), finding.said.codes});
  }
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
    std::vector<const DnsList*> asked;
    std::vector<dns::Question> questions;
    std::vector<Task<ListFinding>> asking;
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
      asked.push_back(&list);
      questions.push_back(question);
      asking.push_back(ask_list(list, {part_of(client), client.to_string()}, std::move(question), context));
    }
    std::vector<ListFinding> findings = co_await async::when_all(context.scheduler, std::move(asking));
    const std::string reversed = dns::reverse_labels(client.octets());
    for (std::size_t i = 0; i < findings.size(); ++i) {
      take(*asked[i], findings[i], found);
      if (!findings[i].answer) continue;
      found.evidence.push_back({{reversed + asked[i]->name, dns::Type::A}, std::move(*findings[i].answer)});
      found.questions.push_back(std::move(questions[i]));
    }
    facts.put(std::move(found));
  }

 private:
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
      take(list, finding_of(list, before.evidence[i].answer), found);
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
  const std::map<std::string, std::string> names = list_names(settings_.zones);
  for (const auto& [zone, of_zone] : settings_.zones) {
    lists_.push_back({zone, names.at(zone), of_zone.hits(), of_zone.self_test, table.of(zone)});
  }
}

std::unique_ptr<Gathering> DnsblGatherer::begin() const { return std::make_unique<DnsblGathering>(settings_, lists_); }

Task<void> DnsblGatherer::self_test(GatherContext context) const {
  // As octets, because IpAddress would turn the mapped addresses into IPv4 ones.
  const auto point = [](std::string_view octets, const char* shown) {
    return TestPoint{dns::reverse_labels(octets), shown};
  };
  using namespace std::string_literals;
  using namespace std::string_view_literals;
  constexpr std::string_view mapped = "\0\0\0\0\0\0\0\0\0\0\xff\xff"sv;
  const std::string listed = "\x7f\0\0\x02"s, unlisted = "\x7f\0\0\x01"s;
  ListTest test{{point(listed, "127.0.0.2"), point(unlisted, "127.0.0.1")}, {}};
  test.ipv6 = {point(std::string(mapped) + listed, "::FFFF:127.0.0.2"),
               point(std::string(mapped) + unlisted, "::FFFF:127.0.0.1")};
  co_await test_lists(lists_, std::move(test), context);
}

}  // namespace sallyport::policies
