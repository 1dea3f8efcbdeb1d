#include "gateway/session/dmarc_observation.h"

#include <algorithm>
#include <string>

#include "gateway/base/text.h"

namespace sallyport::session {

namespace {

using io::DmarcObservation;
using policies::Action;
using policies::AuthResult;
using policies::DmarcDisposition;

constexpr std::size_t most_signatures = 100;  // of one row (RFC 9990, 3.1.1.10)

bool is_over(std::string_view outcome) {
  return outcome == "relay" || outcome == "tag" || outcome == "reject" || outcome == "discard";
}

// RFC 9990, 3.5.2: "Report Domain: example.org Submitter: mx.example.com Report-ID: ...".
bool is_report(const policies::Transaction& mail) {
  if (mail.message == nullptr) return false;
  const mail::HeaderField* subject = mail.message->header().find("Subject");
  return subject != nullptr && text::starts_with_ignoring_case(text::trim(subject->value), "Report Domain:");
}

std::string_view disposition_of(const policies::DmarcFacts& facts, const std::vector<policies::Verdict>& said,
                                std::string_view outcome) {
  if (facts.result == AuthResult::pass) return facts.policy == DmarcDisposition::none ? "none" : "pass";
  const auto verdict = std::find_if(said.begin(), said.end(),
                                    [](const policies::Verdict& one) { return one.check == "dmarc" && !one.shadow; });
  if (verdict == said.end() || outcome == "relay") return "none";  // a rule may have said that it does not count
  if (verdict->action == Action::reject) return outcome == "reject" ? "reject" : "none";
  return verdict->action == Action::tag || verdict->action == Action::quarantine ? "quarantine" : "none";
}

// Aligned passes first, then other signatures of the author's organization, then the rest: what is cut off says least.
void add_signatures(const policies::Facts& facts, DmarcObservation& seen) {
  const auto add = [&](bool passed, bool authors) {
    for (const auto& signature : facts.dkim.signatures) {
      const bool is_authors = signature.domain == facts.dmarc.from_domain ||
                              signature.domain == facts.dmarc.aligned_domain ||
                              signature.domain == facts.dmarc.organizational_domain;
      if ((signature.result == AuthResult::pass) != passed || is_authors != authors) continue;
      // What was too broken to name a domain has no row (the schema asks for one).
      if (signature.domain.empty() || seen.signatures.size() == most_signatures) continue;
      seen.signatures.push_back({signature.domain, signature.selector, std::string(name(signature.result))});
    }
  };
  add(true, true);
  add(false, true);
  add(true, false);
  add(false, false);
}

}  // namespace

std::optional<DmarcObservation> dmarc_observation(const policies::Transaction& mail, const policies::Facts& facts,
                                                  const std::vector<policies::Verdict>& said, std::string_view outcome,
                                                  std::string_view discovery) {
  const policies::DmarcFacts& dmarc = facts.dmarc;
  const bool has_result = dmarc.result == AuthResult::pass || dmarc.result == AuthResult::fail;
  if (!dmarc.checked || !has_result || dmarc.report_to.empty() || !is_over(outcome)) return std::nullopt;
  if (dmarc.result == AuthResult::pass && is_report(mail)) return std::nullopt;

  DmarcObservation seen;
  seen.policy_domain = dmarc.policy_domain;
  seen.record = dmarc.record;
  seen.discovery = discovery;
  seen.source_ip = mail.client.ip;
  seen.header_from = dmarc.from_domain;
  if (mail.from && !mail.from->is_null()) seen.envelope_from = text::to_lower(mail.from->domain);
  seen.disposition = disposition_of(dmarc, said, outcome);
  seen.dkim = dmarc.dkim_aligned;
  seen.spf = dmarc.spf_aligned;
  if (!dmarc.override_reason.empty()) seen.reasons.push_back({dmarc.override_reason, dmarc.override_comment});
  if (dmarc.result == AuthResult::fail && seen.disposition != name(dmarc.effective) &&
      dmarc.override_reason != "local_policy") {
    seen.reasons.push_back({"local_policy", ""});
  }
  add_signatures(facts, seen);
  if (facts.spf.mailfrom)
    seen.spf_check = DmarcObservation::Spf{facts.spf.mailfrom->domain, std::string(name(facts.spf.mailfrom->result))};
  return seen;
}

}  // namespace sallyport::session
