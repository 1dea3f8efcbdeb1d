#include "gateway/base/public_suffix.h"

#include <libpsl.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "gateway/base/domain_name.h"
#include "gateway/base/ensure.h"
#include "gateway/base/per_thread.h"
#include "gateway/base/text.h"

namespace sallyport {

namespace {

// The form libpsl needs: it compares octets, so the name must be in lower case, including U-labels. Empty if it is not
// a name.
std::string canonical(std::string_view domain) {
  if (!is_domain_name(domain, /*underscores=*/true, /*utf8=*/true)) return {};
  if (text::is_ascii(domain)) return text::to_lower(domain);
  char* lower = nullptr;
  if (psl_str_to_utf8lower(std::string(domain).c_str(), "utf-8", nullptr, &lower) != PSL_SUCCESS) return {};
  std::string result = lower;
  psl_free_string(lower);
  return result;
}

// What a thread has asked last. The hosts of mails are few, and the same for many mails; a search among ten thousand
// rules costs as much as all else that is done for one.
struct Asked {
  const psl_ctx_st* list = nullptr;
  std::uint64_t lists_freed = 0;
  std::string domain;
  std::string registrable;
};
constexpr std::size_t most_asked = 256;
using LastAsked = std::array<Asked, most_asked>;

// Another list may stand where one was that is freed, so its answers count no longer.
std::atomic<std::uint64_t> lists_freed{0};

}  // namespace

PublicSuffixList::PublicSuffixList() : PublicSuffixList(psl_latest(nullptr)) {
  ensure(list_ != nullptr, "libpsl has no list of its own");
}

PublicSuffixList::PublicSuffixList(psl_ctx_st* list) : list_(list) {}

Result<PublicSuffixList> PublicSuffixList::from_file(const std::string& path) {
  psl_ctx_t* list = psl_load_file(path.c_str());
  if (list == nullptr) return Failure{path + ": cannot be read as a public suffix list"};
  return PublicSuffixList(list);
}

PublicSuffixList::PublicSuffixList(PublicSuffixList&&) noexcept = default;
PublicSuffixList& PublicSuffixList::operator=(PublicSuffixList&&) noexcept = default;
PublicSuffixList::~PublicSuffixList() = default;

void PublicSuffixList::Free::operator()(psl_ctx_st* list) const noexcept {
  ++lists_freed;
  psl_free(list);
}

bool PublicSuffixList::is_public_suffix(std::string_view domain, Section section) const {
  const std::string name = canonical(domain);
  const int type = section == Section::icann ? PSL_TYPE_ICANN : PSL_TYPE_ANY;
  return !name.empty() && psl_is_public_suffix2(list_.get(), name.c_str(), type) == 1;
}

std::string PublicSuffixList::registrable_domain(std::string_view domain) const {
  LastAsked* const asked = PerThread<LastAsked>::find();
  Asked* const last = asked != nullptr ? &(*asked)[std::hash<std::string_view>()(domain) % most_asked] : nullptr;
  const std::uint64_t freed = lists_freed;
  const bool is_known = last != nullptr && last->list == list_.get() && last->lists_freed == freed;
  if (is_known && last->domain == domain) return last->registrable;
  const std::string name = canonical(domain);
  // What is no name may be of any length, and is not kept.
  if (name.empty()) return {};
  const char* found = psl_registrable_domain(list_.get(), name.c_str());
  std::string registrable = found == nullptr ? std::string() : std::string(found);
  if (last != nullptr) *last = {list_.get(), freed, std::string(domain), registrable};
  return registrable;
}

}  // namespace sallyport
