#include "gateway/record/dmarc_rows.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/checks/disposition.h"
#include "policies/dkim/facts.h"
#include "policies/dmarc/facts.h"
#include "policies/spf/facts.h"

namespace sallyport::record {

namespace {

using io::DmarcObservation;
using policies::Action;
using policies::AuthResult;
using policies::DkimFacts;
using policies::DmarcDisposition;
using policies::DmarcFacts;
using policies::DmarcOverride;
using policies::SpfFacts;

constexpr std::size_t most_signatures = 100;  // of one row (RFC 9990, 3.1.1.10)

bool is_over(Outcome outcome) {
  switch (outcome) {
    case Outcome::relay:
    case Outcome::tag:
    case Outcome::reject:
    case Outcome::quarantine:
    case Outcome::discard:
      return true;
    case Outcome::tempfail:
    case Outcome::drop:
      break;
  }
  return false;
}

// The strictest action of DMARC's verdicts that counts; a rule's accept may have taken the check out of the count.
Action action_of_dmarc(const MailRecord& record) {
  Action strictest = Action::none;
  const std::string_view name = policies::dmarc_facts.name;
  if (checks::is_skipped(name, record.verdicts)) return strictest;
  for (const policies::Verdict& verdict : record.verdicts) {
    if (verdict.check == name && !verdict.shadow) {
      strictest = std::max(strictest, checks::effective_action(verdict, record.verdicts));
    }
  }
  return strictest;
}

std::string_view disposition_of(const DmarcFacts& facts, const MailRecord& record) {
  if (facts.result == AuthResult::pass) return facts.policy == DmarcDisposition::none ? "none" : "pass";
  if (record.outcome == Outcome::relay) return "none";
  switch (action_of_dmarc(record)) {
    case Action::reject:
      return record.outcome == Outcome::reject ? "reject" : "none";
    case Action::tag:
    case Action::quarantine:
      return "quarantine";
    default:
      return "none";
  }
}

// Aligned signatures that passed come first, then other signatures of the author's organization, then the rest, so that
// the least important ones are cut off.
void add_signatures(const DkimFacts& dkim, const DmarcFacts& dmarc, DmarcObservation& seen) {
  const auto add = [&](bool passed, bool authors) {
    for (const DkimFacts::Signature& signature : dkim.signatures) {
      const bool is_authors = signature.domain == dmarc.from_domain || signature.domain == dmarc.aligned_domain ||
                              signature.domain == dmarc.organizational_domain;
      if ((signature.result == AuthResult::pass) != passed || is_authors != authors) continue;
      // A signature without a valid domain gets no row, because the schema requires one.
      if (signature.domain.empty() || seen.signatures.size() == most_signatures) continue;
      seen.signatures.push_back({signature.domain, signature.selector, std::string(word(signature.result))});
    }
  };
  add(true, true);
  add(false, true);
  add(true, false);
  add(false, false);
}

}  // namespace

std::optional<DmarcObservation> dmarc_observation(const MailRecord& record) {
  const DmarcFacts* dmarc = record.facts.find<DmarcFacts>();
  if (record.subject != Subject::transaction || dmarc == nullptr) return std::nullopt;
  const bool has_result = dmarc->result == AuthResult::pass || dmarc->result == AuthResult::fail;
  if (!has_result || dmarc->report_to.empty() || !is_over(record.outcome)) return std::nullopt;
  if (dmarc->result == AuthResult::pass && dmarc->is_report) return std::nullopt;

  const policies::Transaction& mail = record.transaction;
  DmarcObservation seen;
  seen.policy_domain = dmarc->policy_domain;
  seen.record = dmarc->record;
  seen.discovery = word(dmarc->discovery);
  seen.source_ip = mail.client.ip;
  seen.header_from = dmarc->from_domain;
  if (mail.from && !mail.from->is_null()) seen.envelope_from = text::to_lower(mail.from->domain);
  seen.disposition = disposition_of(*dmarc, record);
  seen.dkim = dmarc->dkim_aligned;
  seen.spf = dmarc->spf_aligned;
  if (dmarc->override_reason != DmarcOverride::none) {
    seen.reasons.push_back({std::string(word(dmarc->override_reason)), dmarc->override_comment});
  }
  const bool was_softened = dmarc->result == AuthResult::fail && seen.disposition != word(dmarc->effective);
  if (was_softened && dmarc->override_reason != DmarcOverride::local_policy) {
    seen.reasons.push_back({std::string(word(DmarcOverride::local_policy)), ""});
  }
  if (const DkimFacts* dkim = record.facts.find<DkimFacts>()) add_signatures(*dkim, *dmarc, seen);
  if (const SpfFacts* spf = record.facts.find<SpfFacts>(); spf != nullptr && spf->mailfrom) {
    seen.spf_check = DmarcObservation::Spf{spf->mailfrom->domain, std::string(word(spf->mailfrom->result))};
  }
  return seen;
}

bool DmarcRows::take(const MailRecord& record) noexcept {
  try {
    auto seen = dmarc_observation(record);
    if (seen && is_reported_(record.transaction.tenant.name))
      reports_.observed(std::move(*seen), record.transaction.now);
    return true;
  } catch (const std::exception&) {
    counters_.add(Fault::state);
    return false;
  }
}

}  // namespace sallyport::record
