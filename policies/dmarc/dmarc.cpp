#include "policies/dmarc/dmarc.h"

#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/mail/author_domains.h"
#include "policies/dmarc/evaluate.h"

namespace sallyport::policies {

namespace {

// Why the mail has no author domain, in words; empty when it has one.
std::string problem_of(const mail::AuthorDomains& authors) {
  if (authors.fields == 0) return "no From field";
  if (authors.fields > 1) return "several From fields";
  // Who does not take it for one shows another field instead, such as Sender.
  if (authors.has_malformed_name) return "a malformed From field";
  if (authors.domains.size() > 1) return "several author domains in the From field";
  if (authors.domains.empty()) return "no author domain in the From field";
  return {};
}

// A forwarder that we trust has seen the mail pass before it changed it (RFC 8617, 7.2.1).
void consider_arc(const ArcFacts& arc, DmarcFacts& facts) {
  if (facts.result != AuthResult::fail || facts.policy == DmarcDisposition::none) return;
  if (arc.result == AuthResult::pass && arc.trusted_instance != 0 && arc.trusted_dmarc == AuthResult::pass) {
    facts.effective = DmarcDisposition::none;
    facts.override_reason = "local_policy";
    facts.override_comment = "arc=pass as[" + std::to_string(arc.trusted_instance) + "].d=" + arc.trusted_sealer;
  } else if (facts.effective != facts.policy) {
    facts.override_reason = "policy_test_mode";
  }
}

}  // namespace

Task<void> DmarcPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  facts.dmarc = {};
  facts.dmarc.checked = true;
  ensure(mail.message != nullptr, "DMARC without a message");
  mail::AuthorDomains authors = mail::author_domains(mail.message->header());
  if (std::string problem = problem_of(authors); !problem.empty()) {
    facts.dmarc.result = AuthResult::permerror;
    facts.dmarc.problem = std::move(problem);
    co_return;
  }
  auto identifiers = dmarc_identifiers(facts.spf, facts.dkim);
  DmarcFacts found = co_await evaluate_dmarc(std::move(authors.domains.front()), std::move(identifiers),
                                             settings_.organizational_domain, suffixes_, around);
  found.checked = true;
  consider_arc(facts.arc, found);
  facts.dmarc = std::move(found);
}

Verdict DmarcPolicy::judge(Stage, const Transaction&, const Facts& facts) const {
  return judge_dmarc(facts.dmarc, settings_);
}

}  // namespace sallyport::policies
