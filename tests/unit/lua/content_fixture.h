// A mail whose parts have been found, as policy.content finds them.
#pragma once

#include "gateway/base/top_level_domains.h"
#include "gateway/mime/analysis.h"
#include "policies/content/facts.h"
#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {

class ContentTest : public RulesTest {
 protected:
  void set_mail(const std::string& octets) {
    set_message(octets);
    policies::ContentFacts found;
    found.tree = mime::read_tree(*message);
    found.contents = std::make_shared<mime::Contents>();
    found.urls = std::make_shared<url::MailUrls>(suffixes);
    facts.put(std::move(found));
  }
  void load() {
    RulesTest::load();
    if (rules) rules->use_suffixes(suffixes.registrable);
  }
  RunResult run_body(const std::string& body) {
    write("r.lua", rule_text(body));
    load();
    if (HasFatalFailure()) return {};
    return run();
  }

  PublicSuffixList registrable;
  TopLevelDomains top;
  url::Suffixes suffixes{registrable, top};
};

}  // namespace sallyport::lua
