#include "policies/dmarc/dmarc.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/mail/author_domains.h"
#include "policies/dmarc/evaluate.h"

namespace sallyport::policies {

namespace {

// Why the mail has no author domain, in words; empty when it has one.
std::string problem_of(const mail::AuthorDomains& authors) {
  if (authors.fields == 0) return "no From field";
  if (authors.fields > 1) return "several From fields";
  // A reader that does not take it for a From field shows another one instead, such as Sender.
  if (authors.has_malformed_name) return "a malformed From field";
  if (authors.domains.size() > 1) return "several author domains in the From field";
  if (authors.domains.empty()) return "no author domain in the From field";
  return {};
}

// A forwarder that we trust has seen the mail pass before it changed it (RFC 8617, 7.2.1).
const AuthIdentifier* find_trusted_pass(const std::vector<AuthIdentifier>& identifiers) {
  for (const AuthIdentifier& one : identifiers) {
    if (one.method == AuthIdentifier::Method::arc && one.result == AuthResult::pass) return &one;
  }
  return nullptr;
}

void consider_overrides(const std::vector<AuthIdentifier>& identifiers, DmarcFacts& facts) {
  if (facts.result != AuthResult::fail || facts.policy == DmarcDisposition::none) return;
  if (const AuthIdentifier* sealer = find_trusted_pass(identifiers)) {
    facts.effective = DmarcDisposition::none;
    facts.override_reason = DmarcOverride::local_policy;
    facts.override_comment = "arc=pass as[" + std::to_string(sealer->instance) + "].d=" + sealer->domain;
  } else if (facts.effective != facts.policy) {
    facts.override_reason = DmarcOverride::policy_test_mode;
  }
}

// "Report Domain: example.org Submitter: mx.example.com Report-ID: ..." (RFC 9990, 3.5.2).
bool is_report(const mail::Message& message) {
  const mail::HeaderField* subject = message.header().find("Subject");
  return subject != nullptr && text::starts_with_ignoring_case(text::trim(subject->value), "Report Domain:");
}

class DmarcGathering final : public Gathering {
 public:
  DmarcGathering(OrganizationalDomainBy method, const PublicSuffixList& suffixes)
      : method_(method), suffixes_(suffixes) {}

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    ensure(mail.message != nullptr, "DMARC without a message");
    mail::AuthorDomains authors = mail::author_domains(mail.message->header());
    DmarcFacts found;
    if (std::string problem = problem_of(authors); !problem.empty()) {
      found.result = AuthResult::permerror;
      found.problem = std::move(problem);
    } else {
      const std::vector<AuthIdentifier> identifiers = facts.tell().identifiers;
      found = co_await evaluate_dmarc(std::move(authors.domains.front()), identifiers, method_, suffixes_, context);
      consider_overrides(identifiers, found);
    }
    found.discovery = method_ == OrganizationalDomainBy::psl ? DmarcDiscovery::psl : DmarcDiscovery::treewalk;
    found.is_report = is_report(*mail.message);
    facts.put(std::move(found));
  }

 private:
  OrganizationalDomainBy method_;
  const PublicSuffixList& suffixes_;
};

class DmarcGatherer final : public Gatherer {
 public:
  DmarcGatherer(const DmarcSettings& settings, const PublicSuffixList& suffixes)
      : method_(settings.organizational_domain), suffixes_(suffixes) {}

  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<DmarcGathering>(method_, suffixes_); }

 private:
  OrganizationalDomainBy method_;
  const PublicSuffixList& suffixes_;
};

Result<std::unique_ptr<Gatherer>> prepare(const void* settings, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(
      std::make_unique<DmarcGatherer>(*static_cast<const DmarcSettings*>(settings), parts.suffixes));
}

}  // namespace

constinit const PolicyEntry dmarc_entry{
    .name = "dmarc",
    .settings = dmarc_section,
    .mode = mode_of<DmarcSettings>,
    .facts = dmarc_facts,
    .prepare = prepare,
    .phase = GatherPhase::on_identifiers,
    .judge = judge_with<DmarcSettings, judge_dmarc>,
    .explain = explain_with<DmarcSettings, explain_dmarc>,
    .auth_results = dmarc_auth_results,
};

}  // namespace sallyport::policies
