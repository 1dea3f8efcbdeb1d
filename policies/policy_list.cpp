#include "policies/policy_list.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "lua/engine/rules_entry.h"
#include "policies/arc/arc.h"
#include "policies/content/content.h"
#include "policies/dkim/dkim.h"
#include "policies/dmarc/dmarc.h"
#include "policies/dnsbl/dnsbl.h"
#include "policies/helo/helo.h"
#include "policies/milters/milters.h"
#include "policies/rate/rate.h"
#include "policies/rdns/rdns.h"
#include "policies/sender_domain/sender_domain.h"
#include "policies/spf/spf.h"
#include "policies/url_lists/url_lists.h"

namespace sallyport::policies {

namespace {

// Of two equally strict verdicts the first one is the reply, so the cheap and plain come first. One policy a line.
// clang-format off
constexpr const PolicyEntry* list[] = {
    &rate_entry,
    &helo_entry,
    &dnsbl_entry,
    &rdns_entry,
    &sender_domain_entry,
    &spf_entry,
    &dkim_entry,
    &dmarc_entry,
    &arc_entry,
    &content_entry,
    &url_lists_entry,
    &milters_entry,
    &lua::rules_entry,
};
// clang-format on

}  // namespace

std::span<const PolicyEntry* const> policy_list() { return list; }

std::span<const std::string_view> policy_names() {
  static const auto names = [] {
    std::array<std::string_view, std::size(list)> all;
    std::transform(std::begin(list), std::end(list), all.begin(), [](const PolicyEntry* entry) { return entry->name; });
    return all;
  }();
  return names;
}

}  // namespace sallyport::policies
