#include "lua/trial/staged.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "gateway/async/background.h"
#include "gateway/async/ending.h"
#include "gateway/async/nursery.h"
#include "gateway/base/ensure.h"
#include "gateway/base/public_suffix.h"
#include "gateway/base/top_level_domains.h"
#include "gateway/mime/analysis.h"
#include "gateway/mime/contents.h"
#include "gateway/url/mail_urls.h"

namespace sallyport::lua {

// What the policies before the rules would have found: about the sender as the test says it, and the parts of the mail.
struct TrialFacts {
  std::vector<std::pair<std::string, std::string>> auth;
  // No fields, as in policy.content; null before stage message.
  std::shared_ptr<const mime::Tree> parts;
  std::shared_ptr<mime::Contents> contents;
  std::shared_ptr<url::MailUrls> urls;

  template <class V>
  void fields(V& visit) {
    visit("auth", auth);
  }
};

namespace {

constexpr Duration time_of_a_mail = std::chrono::seconds(20);
constexpr std::uint64_t most_message_octets = 64u << 20;

void tell_trial(const void* from, policies::Findings& findings) {
  const TrialFacts& facts = *static_cast<const TrialFacts*>(from);
  for (const auto& [method, result] : facts.auth) findings.words.emplace_back(method, result);
  findings.parts = facts.parts.get();
  findings.contents = facts.contents.get();
  findings.urls = facts.urls.get();
}

// Read from the machine's files once for all tests.
const url::Suffixes& suffixes() {
  static const PublicSuffixList registrable;
  static const TopLevelDomains top;
  static const url::Suffixes both{registrable, top};
  return both;
}

const policies::FactsType trial_facts = policies::facts_type<TrialFacts>("trial", tell_trial);

}  // namespace

}  // namespace sallyport::lua

namespace sallyport::policies {

template <>
const FactsType& type_of<lua::TrialFacts>() {
  return lua::trial_facts;
}

}  // namespace sallyport::policies

namespace sallyport::lua {

using policies::Stage;

Staged::Staged(World& world, const TrialMail& trial, Stage stage)
    : mail_(trial.mail),
      message_({most_message_octets, most_message_octets}, spool_),
      scheduler_(Time(std::chrono::hours(1))),
      outcome_(stage == Stage::done ? trial.outcome : std::string()),
      context_{.scheduler = scheduler_,
               .resolver = world.dns,
               .counters = counters_,
               .log = log_,
               .deadline = scheduler_.now() + time_of_a_mail,
               .body_hashes = no_hashes_,
               .score = trial.score,
               .outcome = outcome_} {
  mail_.now = world.now();
  if (stage < Stage::mail) mail_.from.reset();
  if (stage == Stage::connect) mail_.client.helo.clear();
  if (stage == Stage::rcpt && !trial.rcpts.empty()) mail_.rcpt = trial.rcpts.front();
  if (stage >= Stage::headers) {
    mail_.rcpts = trial.rcpts;
    message_.append(trial.content);
    message_.parse_header();
    mail_.message = &message_;
  }
  TrialFacts found;
  for (const auto& result : trial.auth) {
    // What the gateway finds out later is not there yet.
    if (stage >= Stage::message || (stage >= Stage::mail && result.first == "spf")) found.auth.push_back(result);
  }
  if (stage >= Stage::message) {
    found.parts = std::make_shared<const mime::Tree>(mime::read_tree(message_));
    found.contents = std::make_shared<mime::Contents>();
    found.urls = std::make_shared<url::MailUrls>(suffixes());
  }
  facts_.put(std::move(found));
}

bool Staged::LinesOfRules::write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) {
  if (event != "rule") return true;
  for (const LogField& field : fields) {
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (text && field.key == "text") lines.push_back({level, std::string(*text)});
  }
  return true;
}

void Staged::drive(Task<void> task) {
  async::Ending<void> ending;
  async::Nursery nursery(scheduler_);
  nursery.spawn(async::keep(std::move(task), ending));
  while (nursery.size() > 0) {
    scheduler_.run_ready();
    scheduler_.begin_turn();
    if (nursery.size() == 0 || scheduler_.has_ready() || scheduler_.wants_turn()) continue;
    const auto next = scheduler_.timers().next();
    ensure(next.has_value(), "trial: a rule waits for nothing");
    scheduler_.advance(std::max(scheduler_.now(), *next));
  }
  ending.take();
}

Task<void> run_to_its_end(Run& run, const policies::GatherContext& context) {
  run.go_on();
  while (run.state() != Run::State::ended) {
    if (run.state() == Run::State::waits) {
      co_await run.waiting().news(context.deadline);
      run.waiting().check();
    } else {
      co_await async::Background(context.scheduler);
    }
    if (context.scheduler.is_over(context.deadline)) {
      run.give_up();
    } else {
      run.go_on();
    }
  }
}

}  // namespace sallyport::lua
