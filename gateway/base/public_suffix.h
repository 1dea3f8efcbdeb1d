// PublicSuffixList: the public suffix list (publicsuffix.org): under which names others may register domains. The only
// place that uses libpsl.
//
// Names may have A-labels or U-labels in any case. A name that is empty or begins with a dot is not in the list. A
// top-level domain that the list does not contain counts as a public suffix (the list's implicit rule `*`).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

struct psl_ctx_st;

namespace sallyport {

class PublicSuffixList {
 public:
  // The list's sections: only the DNS registries, or also those of companies ("github.io").
  enum class Section { icann, any };

  // Loads the newest list on this machine: the system's (package publicsuffix) or the one built into libpsl.
  PublicSuffixList();
  // Loads a list in the published format (public_suffix_list.dat). Failure if the file cannot be read.
  static Result<PublicSuffixList> from_file(const std::string& path);
  PublicSuffixList(PublicSuffixList&&) noexcept;
  PublicSuffixList& operator=(PublicSuffixList&&) noexcept;
  ~PublicSuffixList();

  bool is_public_suffix(std::string_view domain, Section section) const;
  // The longest public suffix of the domain (any section) plus one label, in lower case. Empty if the domain is itself
  // a public suffix.
  std::string registrable_domain(std::string_view domain) const;

 private:
  struct Free {
    void operator()(psl_ctx_st* list) const noexcept;
  };
  explicit PublicSuffixList(psl_ctx_st* list);

  std::unique_ptr<psl_ctx_st, Free> list_;
};

}  // namespace sallyport
