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
  if (authors.domains.empty() && authors.has_malformed_domain) return "the author's domain is no domain";
  return {};
}

// What the administrator excepts counts before a sealer's word.
void consider_overrides(const IpAddress& client, const std::vector<DmarcException>& exceptions, DmarcFacts& facts) {
  const bool has_failed = facts.result == AuthResult::fail && facts.policy != DmarcDisposition::none;
  if (has_failed || facts.result == AuthResult::temperror) {
    for (const DmarcException& one : exceptions) {
      if (!one.covers(facts.from_domain, client)) continue;
      facts.effective = DmarcDisposition::none;
      facts.override_reason = DmarcOverride::local_policy;
      facts.override_comment = one.reason;
      return;
    }
  }
  if (has_failed && facts.override_reason == DmarcOverride::none && facts.effective != facts.policy)
    facts.override_reason = DmarcOverride::policy_test_mode;
}

// Of what the phrase of From shows, the first that reads as a domain of another organization than the author's.
std::string deceptive_domain(const mail::AuthorDomains& authors, const PublicSuffixList& suffixes) {
  if (authors.domains.size() != 1) return {};
  const auto organization = [&suffixes](const std::string& domain) {
    std::string found = suffixes.registrable_domain(domain);
    return found.empty() ? domain : found;
  };
  for (const std::string& shown : authors.shown) {
    const bool reads_as_domain = shown.find('.') != std::string::npos;
    if (reads_as_domain && organization(shown) != organization(authors.domains.front())) return shown;
  }
  return {};
}

// "Report Domain: example.org Submitter: mx.example.com Report-ID: ..." (RFC 9990, 3.5.2).
bool is_report(const mail::Message& message) {
  const mail::HeaderField* subject = message.header().find("Subject");
  return subject != nullptr && text::starts_with_ignoring_case(text::trim(subject->value), "Report Domain:");
}

class DmarcGathering final : public Gathering {
 public:
  DmarcGathering(const DmarcSettings& settings, const PublicSuffixList& suffixes)
      : settings_(settings), suffixes_(suffixes) {}

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    ensure(mail.message != nullptr, "DMARC without a message");
    mail::AuthorDomains authors = mail::author_domains(mail.message->header());
    DmarcFacts found;
    if (std::string problem = problem_of(authors); !problem.empty()) {
      found.result = AuthResult::permerror;
      found.problem = std::move(problem);
    } else if (authors.domains.empty()) {
      found.problem = "the author has no domain";  // DMARC does not apply (RFC 9989, 5.3.1)
    } else {
      std::vector<AuthIdentifier> identifiers = facts.tell().identifiers;
      found = co_await evaluate_dmarc(authors.domains.front(), std::move(identifiers), settings_.organizational_domain,
                                      suffixes_, context);
      consider_overrides(mail.client.ip, settings_.exceptions, found);
    }
    const bool by_list = settings_.organizational_domain == OrganizationalDomainBy::psl;
    found.discovery = by_list ? DmarcDiscovery::psl : DmarcDiscovery::treewalk;
    found.deceptive = deceptive_domain(authors, suffixes_);
    found.is_report = is_report(*mail.message);
    facts.put(std::move(found));
  }

 private:
  const DmarcSettings& settings_;
  const PublicSuffixList& suffixes_;
};

class DmarcGatherer final : public Gatherer {
 public:
  DmarcGatherer(const DmarcSettings& settings, const PublicSuffixList& suffixes)
      : settings_(settings), suffixes_(suffixes) {}

  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<DmarcGathering>(settings_, suffixes_); }

 private:
  const DmarcSettings settings_;
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
