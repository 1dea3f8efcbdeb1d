#include "policies/content/facts.h"

namespace sallyport::policies {

namespace {

void tell(const void* from, Findings& findings) {
  const ContentFacts& facts = *static_cast<const ContentFacts*>(from);
  findings.parts = facts.contents ? &facts.tree : nullptr;
  findings.contents = facts.contents.get();
  findings.urls = facts.urls.get();
}

}  // namespace

constinit const FactsType content_facts = facts_type<ContentFacts>("content", tell);

}  // namespace sallyport::policies
