// The public suffix list (publicsuffix.org): which names are registries, under which others may register. The door to
// libpsl.
//
// Names are taken with A-labels or U-labels in any case; a name that begins with a dot, or is empty, is none. A
// top-level domain that the list does not have counts as a public suffix (the list's implicit rule `*`).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

struct psl_ctx_st;

namespace sallyport {

class PublicSuffixList {
 public:
  // The list's sections: the registries of the DNS, or also those of companies ("github.io").
  enum class Section { icann, any };

  // The newest list this machine has: the system's (package publicsuffix), or the one libpsl was built with.
  PublicSuffixList();
  // A list in the published form (public_suffix_list.dat). Failure: it cannot be read.
  static Result<PublicSuffixList> from_file(const std::string& path);
  PublicSuffixList(PublicSuffixList&&) noexcept;
  PublicSuffixList& operator=(PublicSuffixList&&) noexcept;
  ~PublicSuffixList();

  bool is_public_suffix(std::string_view domain, Section section) const;
  // The longest public suffix of it and one label more, of both sections, in lower case; empty where there is none: the
  // domain is itself a public suffix.
  std::string registrable_domain(std::string_view domain) const;

 private:
  struct Free {
    void operator()(psl_ctx_st* list) const noexcept;
  };
  explicit PublicSuffixList(psl_ctx_st* list);

  std::unique_ptr<psl_ctx_st, Free> list_;
};

}  // namespace sallyport
