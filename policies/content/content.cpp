#include "policies/content/content.h"

#include <memory>
#include <optional>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/mime/analysis.h"
#include "gateway/mime/contents.h"
#include "policies/content/problems.h"

namespace sallyport::policies {

namespace {

// So much is read again before other sessions of the loop have their turn: a millisecond's work or two.
constexpr std::uint64_t octets_at_a_time = std::uint64_t{256} * 1024;

// RFC 5322, 3.6: at most once. From is judged by the DMARC policy.
constexpr std::string_view singletons[] = {"Date", "Sender",     "Reply-To",    "To",         "Cc",
                                           "Bcc",  "Message-ID", "In-Reply-To", "References", "Subject"};

mime::Limits limits_of(const ContentSettings& settings) {
  mime::Limits limits;
  limits.depth = settings.depth;
  limits.parts = settings.parts;
  return limits;
}

// I8: each kind once for a mail.
void note(const ContentFacts& facts, const Transaction& mail, const GatherContext& context) {
  problems_of(facts).for_each([&](ContentProblem problem) {
    const auto kind = violation_of(problem);
    if (!kind) return;
    context.counters.add(*kind);
    const std::string ip = mail.client.ip.to_string();
    context.log.write(LogLevel::info, "violation", {{"kind", name(*kind)}, {"id", mail.id}, {"ip", ip}});
  });
}

class ContentGathering final : public Gathering {
 public:
  ContentGathering(const mime::Limits& limits, const url::Suffixes& suffixes) : limits_(limits), suffixes_(suffixes) {}

  bool wants_body(const Transaction& mail) override {
    analysis_.emplace(mail.message->header_octets(), limits_);
    return true;
  }
  void body(std::string_view octets) override { analysis_->feed(octets); }

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    if (!analysis_) co_return;  // there is no message
    analysis_->end();
    while (analysis_->has_more() && context.scheduler.now() < context.deadline) {
      analysis_->step(*mail.message, octets_at_a_time);
      // A sleep, because a coroutine that only queues up again is resumed before the loop looks at its sockets.
      if (analysis_->has_more()) co_await async::sleep_for(context.scheduler, std::chrono::milliseconds(1));
    }
    ContentFacts found;
    found.tree = analysis_->take();
    analysis_.reset();
    const mail::HeaderSection& header = mail.message->header();
    found.has_malformed_header = header.faults().malformed_line;
    for (std::string_view name : singletons) {
      if (header.count(name) > 1) found.duplicated_fields.emplace_back(name);
    }
    found.contents = contents_ = std::make_shared<mime::Contents>();
    found.urls = urls_ = std::make_shared<url::MailUrls>(suffixes_);
    note(found, mail, context);
    facts.put(std::move(found));
  }

  void content_judged() override {
    if (contents_) contents_->forget();
    if (urls_) urls_->forget();
  }

 private:
  const mime::Limits& limits_;
  const url::Suffixes& suffixes_;
  std::optional<mime::Analysis> analysis_;
  // Those of the facts that were put.
  std::shared_ptr<mime::Contents> contents_;
  std::shared_ptr<url::MailUrls> urls_;
};

class ContentGatherer final : public Gatherer {
 public:
  ContentGatherer(const ContentSettings& settings, const url::Suffixes& suffixes)
      : limits_(limits_of(settings)), suffixes_(suffixes) {}

  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<ContentGathering>(limits_, suffixes_); }

 private:
  mime::Limits limits_;
  url::Suffixes suffixes_;
};

Result<std::unique_ptr<Gatherer>> prepare(const void* settings, const GathererParts& parts) {
  const url::Suffixes suffixes{parts.suffixes, parts.learned.of<TopLevelDomains>()};
  return std::unique_ptr<Gatherer>(
      std::make_unique<ContentGatherer>(*static_cast<const ContentSettings*>(settings), suffixes));
}

}  // namespace

constinit const PolicyEntry content_entry{
    .name = "content",
    .settings = content_section,
    .mode = mode_of<ContentSettings>,
    .facts = content_facts,
    .prepare = prepare,
    .judge = judge_with<ContentSettings, judge_content>,
    .explain = explain_with<ContentSettings, explain_content>,
};

}  // namespace sallyport::policies
