// A DMARC policy record (RFC 9989, 4.7): the TXT record at _dmarc.<domain>.
//
// The text comes from the sender's DNS zone: reading it is bounded and linear, and never throws. Tags that are not
// known are passed over. A tag whose value is none of its values has its default; for the policies themselves see
// is_usable().
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/dmarc/facts.h"

namespace sallyport::policies {

inline constexpr std::size_t max_dmarc_record_octets = 4096;  // bounds the lists of addresses, too

struct DmarcRecord {
  enum class PublicSuffix { unknown, yes, no };  // psd=

  std::optional<DmarcDisposition> policy;              // p=
  std::optional<DmarcDisposition> subdomain_policy;    // sp=
  std::optional<DmarcDisposition> nonexistent_policy;  // np=
  // One of the three is there and its value is no policy. Such a record, and one without p=, counts as p=none where it
  // names an address to report to; otherwise it is as if there were no record (RFC 9989, 4.10.1).
  bool has_bad_policy = false;
  bool strict_dkim = false;  // adkim=s
  bool strict_spf = false;   // aspf=s
  bool testing = false;      // t=y
  PublicSuffix public_suffix = PublicSuffix::unknown;
  std::string failure_options = "0";           // fo=
  std::vector<std::string> report_to;          // rua=: "mailto:a@example.org", without the old size suffix
  std::vector<std::string> failure_report_to;  // ruf=

  bool is_usable() const { return (policy && !has_bad_policy) || !report_to.empty(); }
  // p=, or none where the record counts only because of its reporting address.
  DmarcDisposition own_policy() const { return has_bad_policy || !policy ? DmarcDisposition::none : *policy; }
  // For subdomains that exist, and for names that do not.
  DmarcDisposition policy_below() const;
  DmarcDisposition policy_of_nonexistent() const;
};

// Nothing when the text does not begin with the version, "v=DMARC1", or is longer than max_dmarc_record_octets.
std::optional<DmarcRecord> parse_dmarc_record(std::string_view text);

}  // namespace sallyport::policies
