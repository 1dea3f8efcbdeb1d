#include "policies/url_lists/url_lists.h"

#include <string>

namespace sallyport::policies {

namespace {

void tell_url_lists(const void* facts, Findings& findings) {
  findings.add(static_cast<const UrlListsFacts*>(facts)->evidence);
}

}  // namespace

constinit const FactsType url_lists_facts = facts_type<UrlListsFacts>("url_lists", tell_url_lists);

// In a later phase, as it reads the parts that policy.content has found.
constinit const PolicyEntry url_lists_entry{
    .name = "url_lists",
    .settings = url_lists_section,
    .mode = mode_of<UrlListsSettings>,
    .facts = url_lists_facts,
    .prepare = prepare_url_lists,
    .phase = GatherPhase::on_identifiers,
    .judge = judge_with<UrlListsSettings, judge_url_lists>,
    .explain = explain_with<UrlListsSettings, explain_url_lists>,
};

}  // namespace sallyport::policies
