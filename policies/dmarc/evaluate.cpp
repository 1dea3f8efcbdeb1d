#include "policies/dmarc/evaluate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "policies/dmarc/lookup.h"

namespace sallyport::policies {

namespace {

bool is_at_or_below(std::string_view domain, std::string_view top) {
  if (domain == top) return true;
  return domain.size() > top.size() && domain.ends_with(top) && domain[domain.size() - top.size() - 1] == '.';
}

bool is_of_spf(const AuthIdentifier& identifier) { return identifier.method == AuthIdentifier::Method::spf_mailfrom; }
bool is_aligned_by(const AuthIdentifier& identifier) {
  return is_of_spf(identifier) || identifier.method == AuthIdentifier::Method::dkim;
}

// One level milder (RFC 9989, 4.7, t=).
DmarcDisposition milder(DmarcDisposition policy) {
  return policy == DmarcDisposition::reject ? DmarcDisposition::quarantine : DmarcDisposition::none;
}

class Evaluation {
 public:
  Evaluation(OrganizationalDomainBy method, const PublicSuffixList& suffixes, const GatherContext& context)
      : method_(method), suffixes_(suffixes), lookup_(context, facts_.evidence) {}

  Task<DmarcFacts> run(std::string author_domain, std::vector<AuthIdentifier> identifiers);

 private:
  enum class Alignment : std::uint8_t { aligned, other, unknown };

  Task<bool> find_policy();
  Task<bool> find_policy_above();
  Task<std::optional<std::string>> place_above();
  Task<std::optional<std::string>> organization_of(std::string domain);
  std::string note_organization(std::string domain, std::string organization);
  std::string organization_in(std::string_view domain, const std::vector<FoundRecord>& found) const;
  Task<Alignment> align(std::string domain, bool is_strict);
  Task<void> consider_sealers(const std::vector<AuthIdentifier>& identifiers);
  bool use(const std::string& domain, const std::string& text, const DmarcRecord& record);
  bool cannot_conclude(std::string_view why);

  OrganizationalDomainBy method_;
  const PublicSuffixList& suffixes_;
  DmarcFacts facts_;
  DmarcLookup lookup_;
};

bool Evaluation::cannot_conclude(std::string_view why) {
  facts_.result = AuthResult::temperror;
  facts_.problem = why;
  return false;
}

// Takes the record that applies. False, with a result of none, where it is as good as no record.
bool Evaluation::use(const std::string& domain, const std::string& text, const DmarcRecord& record) {
  facts_.policy_domain = domain;
  facts_.record = text;
  if (!record.is_usable()) {
    facts_.problem = "the record has no policy that is one, and no address to report to";
    return false;
  }
  facts_.strict_spf = record.strict_spf;
  facts_.strict_dkim = record.strict_dkim;
  facts_.testing = record.testing;
  facts_.report_to = record.report_to;
  return true;
}

// Policy discovery (RFC 9989, 4.10.1). False when there is no policy to apply; the facts say why.
Task<bool> Evaluation::find_policy() {
  const DmarcLookup::AtName at = co_await lookup_.record_at(facts_.from_domain);
  if (at.status == DmarcLookup::AtName::Status::failed)
    co_return cannot_conclude("the author domain's record could not be asked for");
  if (at.status == DmarcLookup::AtName::Status::absent) co_return co_await find_policy_above();
  if (!use(facts_.from_domain, at.text, at.record)) co_return false;
  facts_.published = DmarcTag::p;
  facts_.policy = at.record.own_policy();
  co_return true;
}

// Where a record may stand that also speaks for the author domain: at the organizational domain, else at the public
// suffix that the walk ended with. Empty where there is none; nothing where it could not be found out.
Task<std::optional<std::string>> Evaluation::place_above() {
  if (method_ == OrganizationalDomainBy::psl) co_return co_await organization_of(facts_.from_domain);
  const DmarcLookup::Walk walk = co_await lookup_.walk(facts_.from_domain);
  if (walk.failed) co_return std::nullopt;
  const std::string organization =
      note_organization(facts_.from_domain, organization_in(facts_.from_domain, walk.found));
  if (walk.found.empty()) co_return std::string();
  for (const FoundRecord& at : walk.found) {
    if (at.domain == organization) co_return at.domain;
  }
  co_return walk.found.back().domain;
}

Task<bool> Evaluation::find_policy_above() {
  const std::optional<std::string> place = co_await place_above();
  if (!place) co_return cannot_conclude("a record above the author domain could not be asked for");
  if (place->empty()) co_return false;
  const DmarcLookup::AtName at = co_await lookup_.record_at(*place);
  if (at.status == DmarcLookup::AtName::Status::failed)
    co_return cannot_conclude("the organization's record could not be asked for");
  if (at.status == DmarcLookup::AtName::Status::absent || !use(*place, at.text, at.record)) co_return false;

  facts_.published = at.record.subdomain_policy ? DmarcTag::sp : DmarcTag::p;
  facts_.policy = at.record.policy_below();
  if (at.record.policy_of_nonexistent() == facts_.policy) co_return true;
  const auto existence = co_await lookup_.existence(facts_.from_domain);
  if (existence == DmarcLookup::Existence::unknown)
    co_return cannot_conclude("whether the author domain exists could not be found out");
  if (existence == DmarcLookup::Existence::nonexistent) {
    facts_.published = DmarcTag::np;
    facts_.policy = at.record.policy_of_nonexistent();
  }
  co_return true;
}

// So that it is found out once. Gives the organization back.
std::string Evaluation::note_organization(std::string domain, std::string organization) {
  return facts_.organizational_domains.emplace_back(std::move(domain), std::move(organization)).second;
}

// Nothing when it could not be found out.
Task<std::optional<std::string>> Evaluation::organization_of(std::string domain) {
  for (const auto& [name, organization] : facts_.organizational_domains) {
    if (name == domain) co_return organization;
  }
  std::string organization;
  if (method_ == OrganizationalDomainBy::psl) {
    organization = suffixes_.registrable_domain(domain);
    if (organization.empty()) organization = domain;  // itself a public suffix
  } else {
    const DmarcLookup::Walk walk = co_await lookup_.walk(domain);
    if (walk.failed) co_return std::nullopt;
    organization = organization_in(domain, walk.found);
  }
  co_return note_organization(std::move(domain), std::move(organization));
}

// A public suffix that says nothing of psd= is no organization of names below it either (threats.md D21).
std::string Evaluation::organization_in(std::string_view domain, const std::vector<FoundRecord>& found) const {
  std::string organization = organizational_domain(domain, found);
  const bool is_suffix_above =
      organization != domain && suffixes_.is_public_suffix(organization, PublicSuffixList::Section::icann);
  if (is_suffix_above && std::none_of(found.begin(), found.end(), [](const FoundRecord& at) {
        return at.record.public_suffix == DmarcRecord::PublicSuffix::no;
      }))
    return one_label_below(domain, organization);
  return organization;
}

Task<Evaluation::Alignment> Evaluation::align(std::string domain, bool is_strict) {
  const std::string& author = facts_.from_domain;
  if (domain == author) co_return Alignment::aligned;
  if (is_strict) co_return Alignment::other;
  // Names without a common end have no common organization, whatever the DNS says.
  if (domain.substr(domain.rfind('.') + 1) != author.substr(author.rfind('.') + 1)) co_return Alignment::other;
  const std::optional<std::string> organization = co_await organization_of(author);
  if (!organization) co_return Alignment::unknown;
  if (!is_at_or_below(domain, *organization)) co_return Alignment::other;
  const std::optional<std::string> others = co_await organization_of(std::move(domain));
  if (!others) co_return Alignment::unknown;
  co_return *others == *organization ? Alignment::aligned : Alignment::other;
}

// The newest sealer whose word is of use counts.
Task<void> Evaluation::consider_sealers(const std::vector<AuthIdentifier>& identifiers) {
  using Method = AuthIdentifier::Method;
  for (const AuthIdentifier& one : identifiers) {
    bool is_pass = one.method == Method::arc && one.result == AuthResult::pass && one.about == facts_.from_domain;
    if ((one.method == Method::arc_dkim || one.method == Method::arc_spf) && one.result == AuthResult::pass) {
      const bool is_strict = one.method == Method::arc_spf ? facts_.strict_spf : facts_.strict_dkim;
      is_pass = co_await align(one.about, is_strict) == Alignment::aligned;
    }
    if (!is_pass) continue;
    facts_.effective = DmarcDisposition::none;
    facts_.override_reason = DmarcOverride::local_policy;
    facts_.override_comment = "arc=pass as[" + std::to_string(one.instance) + "].d=" + one.domain;
    co_return;
  }
}

Task<DmarcFacts> Evaluation::run(std::string author_domain, std::vector<AuthIdentifier> identifiers) {
  facts_.from_domain = std::move(author_domain);
  const bool applies = co_await find_policy();
  if (applies) {
    facts_.asked_for = facts_.effective = facts_.testing ? milder(facts_.policy) : facts_.policy;
    bool is_open = false;
    for (const AuthIdentifier& identifier : identifiers) {
      if (!is_aligned_by(identifier)) continue;
      bool& is_aligned = is_of_spf(identifier) ? facts_.spf_aligned : facts_.dkim_aligned;
      if (is_aligned) continue;
      if (identifier.result != AuthResult::pass && identifier.result != AuthResult::temperror) continue;
      const bool is_strict = is_of_spf(identifier) ? facts_.strict_spf : facts_.strict_dkim;
      const Alignment alignment = co_await align(identifier.domain, is_strict);
      if (alignment == Alignment::other) continue;
      if (alignment == Alignment::unknown || identifier.result == AuthResult::temperror) {
        is_open = true;
        continue;
      }
      is_aligned = true;
      if (facts_.aligned_domain.empty()) facts_.aligned_domain = identifier.domain;
    }
    if (facts_.spf_aligned || facts_.dkim_aligned) {
      facts_.result = AuthResult::pass;
    } else if (is_open) {
      cannot_conclude("an identifier that may be aligned could not be checked");
    } else {
      facts_.result = AuthResult::fail;
      if (facts_.policy != DmarcDisposition::none) co_await consider_sealers(identifiers);
    }
  }
  for (const auto& [name, organization] : facts_.organizational_domains) {
    if (name == facts_.from_domain) facts_.organizational_domain = organization;
  }
  co_return std::move(facts_);
}

}  // namespace

Task<DmarcFacts> evaluate_dmarc(std::string author_domain, std::vector<AuthIdentifier> identifiers,
                                OrganizationalDomainBy method, const PublicSuffixList& suffixes,
                                const GatherContext& context) {
  Evaluation evaluation(method, suffixes, context);
  co_return co_await evaluation.run(std::move(author_domain), std::move(identifiers));
}

}  // namespace sallyport::policies
