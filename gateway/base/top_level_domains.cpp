#include "gateway/base/top_level_domains.h"

#include <libpsl.h>

#include <string>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

namespace sallyport {

namespace {

constexpr std::size_t max_label_octets = 63;

// The DNS has no top-level domain of one letter, and none with a digit but for A-labels (RFC 3696, 2).
bool may_be_one(std::string_view label) {
  if (label.size() < 2 || label.size() > max_label_octets) return false;
  if (text::starts_with_ignoring_case(label, "xn--")) return true;
  for (const char c : label) {
    if (!text::is_alpha(c) && text::is_ascii(c)) return false;
  }
  return true;
}

}  // namespace

TopLevelDomains::TopLevelDomains() : list_(psl_latest(nullptr)) {
  ensure(list_ != nullptr, "libpsl has no list of its own");
}

TopLevelDomains::TopLevelDomains(TopLevelDomains&&) noexcept = default;
TopLevelDomains& TopLevelDomains::operator=(TopLevelDomains&&) noexcept = default;
TopLevelDomains::~TopLevelDomains() = default;

void TopLevelDomains::Free::operator()(psl_ctx_st* list) const noexcept { psl_free(list); }

bool TopLevelDomains::has(std::string_view label) const {
  if (!may_be_one(label) || !text::is_utf8(label)) return false;
  constexpr int known_ones = PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE;
  const std::string name = text::to_lower(label);
  if (psl_is_public_suffix2(list_.get(), name.c_str(), known_ones) == 1) return true;
  // Below some ("ck") every name is a public suffix, and they themselves have no rule.
  return psl_is_public_suffix2(list_.get(), ("a." + name).c_str(), known_ones) == 1;
}

}  // namespace sallyport
