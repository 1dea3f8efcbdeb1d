// Finds the URLs of a mail and asks the lists about them, all at the same time.
#include <algorithm>
#include <memory>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/async/when.h"
#include "gateway/base/domain_name.h"
#include "gateway/mime/contents.h"
#include "gateway/mime/tree.h"
#include "gateway/url/mail_urls.h"
#include "policies/api/exemption.h"
#include "policies/lists/ask_list.h"
#include "policies/lists/list_name.h"
#include "policies/lists/list_table.h"
#include "policies/lists/self_test.h"
#include "policies/url_lists/questions.h"
#include "policies/url_lists/url_lists.h"

namespace sallyport::policies {

namespace {

// So much is read before other sessions of the loop have their turn: a few milliseconds' work.
constexpr std::uint64_t octets_at_a_time = std::uint64_t{128} * 1024;

// A list, and what the settings say of it.
struct KnownList {
  DnsList list;
  const UrlList& settings;
};

// One question to one list.
struct Pending {
  const KnownList* list;
  std::string what;
  dns::Question question;
  dns::Question shown;  // the same under the list's public name
};

class UrlListsGathering final : public Gathering {
 public:
  UrlListsGathering(const UrlListsSettings& settings, const std::vector<KnownList>& lists,
                    const url::Suffixes& suffixes, const OwnNames& own)
      : settings_(settings), lists_(lists), suffixes_(suffixes), own_(own) {}

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    if (mail.message == nullptr) co_return;
    const UrlListsFacts before = facts.get<UrlListsFacts>();
    if (exemption_of(mail.client, {}) != Exemption::none) {
      facts.put(before);
      co_return;
    }
    const Findings others = facts.tell();
    // Without its parts, a mail has the URLs of its header section.
    const mime::Tree no_parts;
    mime::Contents no_contents;
    url::MailUrls own_urls(suffixes_);
    const bool has_parts = others.parts != nullptr;
    const mime::Tree& tree = has_parts ? *others.parts : no_parts;
    mime::Contents& contents = has_parts ? *others.contents : no_contents;
    url::MailUrls& urls = others.urls != nullptr ? *others.urls : own_urls;
    bool has_all_parts = tree.unscannable == mime::Unscannable::no;
    while (urls.read(*mail.message, tree, contents, octets_at_a_time)) {
      if (context.scheduler.is_over(context.deadline)) {
        has_all_parts = false;
        break;
      }
      co_await async::sleep_for(context.scheduler, std::chrono::milliseconds(1));
    }
    const url::UrlSet& set = urls.set();
    UrlListsFacts found;
    found.urls = set.urls().size();
    found.is_whole = set.is_whole() && has_all_parts;
    found.has_content = has_parts;
    const std::vector<Candidate> about =
        candidates(urls.by_suspicion(), [this](std::string_view domain) { return is_skipped(domain); });
    std::vector<Pending> pending;
    for (const KnownList& list : lists_) add_questions(list, about, found, pending);

    std::vector<Pending> asked;
    std::vector<Task<ListFinding>> asking;
    for (Pending& one : pending) {
      if (is_known(one, before, found)) continue;
      asking.push_back(ask_list(one.list->list, {ListPart::names, one.what}, one.question, context));
      asked.push_back(std::move(one));
    }
    std::vector<ListFinding> findings = co_await async::when_all(context.scheduler, std::move(asking));
    for (std::size_t i = 0; i < findings.size(); ++i) {
      take(asked[i], findings[i], found);
      if (!findings[i].answer) continue;
      found.evidence.push_back({std::move(asked[i].shown), std::move(*findings[i].answer)});
      found.questions.push_back(std::move(asked[i].question));
    }
    facts.put(std::move(found));
  }

 private:
  bool is_skipped(std::string_view domain) const {
    if (own_.serves && own_.serves(domain)) return true;
    return std::any_of(settings_.skip.begin(), settings_.skip.end(),
                       [domain](const std::string& pattern) { return domain_matches(domain, pattern); });
  }

  void add_questions(const KnownList& list, const std::vector<Candidate>& about, UrlListsFacts& found,
                     std::vector<Pending>& pending) const {
    found.asked.push_back(list.list.name);
    AskedOfList asked = askable(about, list.settings, static_cast<std::size_t>(settings_.names_per_list));
    found.left_out = std::max<std::uint64_t>(found.left_out, asked.left_out);
    for (Asked& one : asked.all) {
      std::string name = one.labels + "." + list.list.zone;
      if (name.size() > max_question_octets) {
        found.failed.push_back({shown(list), std::move(one.what), ListFailure::name_too_long, {}});
        continue;
      }
      dns::Question in_public{one.labels + "." + list.list.name, dns::Type::A};
      pending.push_back({&list, std::move(one.what), {std::move(name), dns::Type::A}, std::move(in_public)});
    }
  }

  // What was asked with other settings is not asked again: its answer is read with these.
  static bool is_known(const Pending& one, const UrlListsFacts& before, UrlListsFacts& found) {
    for (std::size_t i = 0; i < before.questions.size(); ++i) {
      if (before.questions[i] != one.question) continue;
      take(one, finding_of(one.list->list, before.evidence[i].answer), found);
      found.evidence.push_back({one.shown, before.evidence[i].answer});
      found.questions.push_back(one.question);
      return true;
    }
    return false;
  }

  static ShownList shown(const KnownList& list) { return {list.list.name, list.list.zone}; }

  static void take(const Pending& asked, const ListFinding& finding, UrlListsFacts& found) {
    if (finding.failure) {
      found.failed.push_back({shown(*asked.list), asked.what, *finding.failure, finding.said.codes});
    } else if (finding.said.status == ListStatus::hit) {
      found.hits.push_back({shown(*asked.list), asked.what, finding.said.codes});
    }
  }

  const UrlListsSettings& settings_;
  const std::vector<KnownList>& lists_;
  url::Suffixes suffixes_;
  const OwnNames& own_;
};

// The answers that may be hits; which of them count, the judge decides.
std::vector<ReplyRange> hits_of(const UrlList& list) {
  if (list.codes.empty()) return list.reply;
  std::vector<ReplyRange> ranges;
  for (const NameCodeScore& one : list.codes) ranges.push_back(one.code.range);
  return ranges;
}

class UrlListsGatherer final : public Gatherer {
 public:
  UrlListsGatherer(const UrlListsSettings& settings, ListTable& table, const PublicSuffixList& registrable,
                   const TopLevelDomains& top, const OwnNames& own)
      : settings_(settings), suffixes_{registrable, top}, own_(own) {
    const std::map<std::string, std::string> names = list_names(settings_.zones);
    for (const auto& [zone, list] : settings_.zones) {
      lists_.push_back({{zone, names.at(zone), hits_of(list), list.self_test, table.of(zone)}, list});
      tested_.push_back(lists_.back().list);
    }
  }

  bool gathers_at(Stage stage) const override { return stage == Stage::message && !lists_.empty(); }
  std::unique_ptr<Gathering> begin() const override {
    return std::make_unique<UrlListsGathering>(settings_, lists_, suffixes_, own_);
  }

  // RFC 5782, 5: a list of names has TEST and has not INVALID; both are no domains (RFC 2606).
  Task<void> self_test(GatherContext context) const override {
    ListTest test{{{"test.", "TEST"}, {"invalid.", "INVALID"}}, {}};
    co_await test_lists(tested_, std::move(test), context);
  }

 private:
  UrlListsSettings settings_;
  std::vector<KnownList> lists_;
  std::vector<DnsList> tested_;
  url::Suffixes suffixes_;
  const OwnNames& own_;
};

}  // namespace

Result<std::unique_ptr<Gatherer>> prepare_url_lists(const void* settings, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(std::make_unique<UrlListsGatherer>(*static_cast<const UrlListsSettings*>(settings),
                                                                      parts.learned.of<ListTable>(), parts.suffixes,
                                                                      parts.learned.of<TopLevelDomains>(), parts.own));
}

}  // namespace sallyport::policies
