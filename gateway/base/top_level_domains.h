// TopLevelDomains: which last labels of names exist in the DNS, by the public suffix list of this machine. Tells a
// domain that stands in a text without a scheme ("example.com") from the end of one sentence and the beginning of the
// next ("done.Then").
#pragma once

#include <memory>
#include <string_view>

struct psl_ctx_st;

namespace sallyport {

class TopLevelDomains {
 public:
  // Loads the newest list on this machine, as PublicSuffixList does.
  TopLevelDomains();
  TopLevelDomains(TopLevelDomains&&) noexcept;
  TopLevelDomains& operator=(TopLevelDomains&&) noexcept;
  ~TopLevelDomains();

  // In any case, as A-label or U-label ("com", "xn--p1ai", "рф"). False for what is no label.
  bool has(std::string_view label) const;

 private:
  struct Free {
    void operator()(psl_ctx_st* list) const noexcept;
  };
  std::unique_ptr<psl_ctx_st, Free> list_;
};

}  // namespace sallyport
