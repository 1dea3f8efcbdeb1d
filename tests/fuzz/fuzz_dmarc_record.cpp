// A DMARC record, as a sender's zone has it, and the author domains of a From field: what is understood is bounded, and
// says the same read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/domain_name.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/mail/author_domains.h"
#include "policies/dmarc/record.h"
#include "policies/dmarc/tree_walk.h"

namespace {

using namespace sallyport;

void check_record(std::string_view text) {
  const auto record = policies::parse_dmarc_record(text);
  if (!record) return;
  ensure(record->report_to.size() <= policies::max_dmarc_record_octets / 11, "too many report addresses");
  for (const std::string& uri : record->report_to) {
    ensure(text::starts_with_ignoring_case(uri, "mailto:"), "an address of another scheme");
    for (char c : uri) ensure(text::is_printable(c) && c != ' ', "an address that cannot be written");
  }
  ensure(record->is_usable() || record->report_to.empty(), "unusable though somebody gets reports");
  ensure(!record->has_bad_policy || record->policy_below() == policies::DmarcDisposition::none, "a bad policy counts");
}

void check_author(std::string_view value) {
  const std::string header = "From:" + std::string(value) + "\r\n\r\n";
  const mail::AuthorDomains authors = mail::author_domains(mail::HeaderSection(header));
  ensure(authors.domains.size() <= mail::max_author_domains, "too many domains");
  for (const std::string& domain : authors.domains) {
    ensure(is_domain_name(domain) && domain == text::to_lower(domain), "no domain in canonical form");
    const auto names = policies::tree_walk_names(domain);
    ensure(!names.empty() && names.size() <= policies::max_tree_walk_names, "a walk out of bounds");
    ensure(names.front() == domain, "a walk that begins elsewhere");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  check_record(octets);
  check_author(octets);
  return 0;
}
