// Two policies that find out what they are told to, and a session's services to run them with.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/checks/checks.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace sallyport::checks {

// The names it has asked for so far.
struct ToyFacts {
  std::vector<std::string> asked;

  template <class V>
  void fields(V& visit) {
    visit("asked", asked);
  }
};

struct ToySettings {
  policies::Mode mode = policies::Mode::enforce;
  std::vector<std::string> ask;  // at connect, beside the dialogue; each once
  bool asks_at_mail = false;     // "mail" is asked then
  bool rejects_at_mail = false;
  std::string refuses_user;  // at RCPT
  double score = 0;          // at the end
};

struct OtherFacts : ToyFacts {};
struct OtherSettings : ToySettings {};

extern const settings::SectionOf<ToySettings> toy_section;
extern const settings::SectionOf<OtherSettings> other_section;
extern const policies::PolicyEntry toy_entry;
extern const policies::PolicyEntry other_entry;

// Plans of tenants made of a common set and overrides.
class Tenants {
 public:
  Tenants();
  ToySettings& common_toy() { return common_.edit(toy_section); }
  OtherSettings& common_other() { return common_.edit(other_section); }
  // A tenant that serves `domain`; to be called when the common settings are complete.
  settings::Set& add(const std::string& name, const std::string& domain);
  std::shared_ptr<const WorkerPlans> prepare();

 private:
  settings::Set common_;
  std::map<std::string, settings::Set> sets_;
  std::vector<TenantPolicy> tenants_;
  policies::Learned learned_;
  class Unlimited;
  std::shared_ptr<io::RateStore> rates_;
  PublicSuffixList suffixes_;
  policies::OwnNames own_;
};

struct ChecksWorld {
  CheckServices services() { return {loop.scheduler(), resolver, counters, log, {}, std::chrono::seconds(20)}; }
  Disposition run(Task<Disposition> task) { return loop.run_until_done(std::move(task)); }

  support::ManualLoop loop;
  support::TableResolver resolver;
  Counters counters;
  support::LinesLog log;
};

policies::Transaction mail_to(const std::string& user, const std::string& domain);

}  // namespace sallyport::checks

namespace sallyport::policies {

extern const FactsType toy_facts;
extern const FactsType other_facts;
template <>
inline const FactsType& type_of<checks::ToyFacts>() {
  return toy_facts;
}
template <>
inline const FactsType& type_of<checks::OtherFacts>() {
  return other_facts;
}

}  // namespace sallyport::policies
