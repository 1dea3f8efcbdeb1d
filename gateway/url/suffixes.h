// Suffixes: what tells which part of a name somebody has registered. Both must outlive who holds this.
#pragma once

#include "gateway/base/public_suffix.h"
#include "gateway/base/top_level_domains.h"

namespace sallyport::url {

struct Suffixes {
  const PublicSuffixList& registrable;
  const TopLevelDomains& top;
};

}  // namespace sallyport::url
