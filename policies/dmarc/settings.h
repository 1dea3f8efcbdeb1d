// Settings of the DMARC policy (contract.md, policy.dmarc).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/fields.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace policies {

// How the organizational domain is found: by asking the DNS (RFC 9989, 4.10), or from the public suffix list (RFC
// 7489).
enum class OrganizationalDomainBy : std::uint8_t { tree_walk, psl };

// What an author domain's policy leads to.
enum class DmarcAction : std::uint8_t { tag, quarantine, reject };

// What it leads to that the DNS could not be asked.
enum class DmarcErrorAction : std::uint8_t { none, tempfail };

// The key that reports are signed with by DKIM.
struct DmarcSignSettings {
  std::string domain;    // A-labels; empty: they are not signed
  std::string selector;  // likewise
  std::string key_file;  // PEM

  friend bool operator==(const DmarcSignSettings&, const DmarcSignSettings&) = default;
};

// Aggregate reports to the domains that ask for them (RFC 9990).
struct DmarcReportSettings {
  bool enabled = false;
  std::string organization;  // who reports; empty: the host name
  std::string from;          // the reports' sender
  std::string contact;       // for people with questions; empty: nothing is said
  std::string upstream = "default";
  DmarcSignSettings sign;
};

// Mail of an author's domain that comes from these networks is let pass although it fails.
struct DmarcException {
  std::string domain;  // A-labels, lower case; "*.example" is what lies below example
  std::vector<IpNetwork> networks;
  std::string reason;  // for the log and the reports

  bool covers(std::string_view author_domain, const IpAddress& client) const;
};

struct DmarcSettings {
  Mode mode = Mode::enforce;
  OrganizationalDomainBy organizational_domain = OrganizationalDomainBy::tree_walk;
  DmarcAction on_reject = DmarcAction::reject;
  DmarcAction on_quarantine = DmarcAction::tag;
  DmarcErrorAction on_temperror = DmarcErrorAction::none;
  double score = 0;         // added by every fail that is not overridden, also under p=none
  double phrase_score = 1;  // added where the phrase of From shows a domain of somebody else
  std::vector<DmarcException> exceptions;
  DmarcReportSettings report;
};

extern const settings::SectionOf<DmarcSettings> dmarc_section;

}  // namespace policies

template <>
inline constexpr auto words_of<policies::OrganizationalDomainBy> =
    std::to_array<std::string_view>({"tree-walk", "psl"});
template <>
inline constexpr auto words_of<policies::DmarcAction> =
    std::to_array<std::string_view>({"tag", "quarantine", "reject"});
template <>
inline constexpr auto words_of<policies::DmarcErrorAction> = std::to_array<std::string_view>({"none", "tempfail"});

}  // namespace sallyport
