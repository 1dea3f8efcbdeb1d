// Who a scripted session meets: an upstream and a policy that do what the words in the addresses say
// (session_script.h).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/io/stream.h"
#include "policies/api/policy.h"
#include "tests/unit/session/session_model.h"
#include "tests/unit/session/session_script.h"

namespace sallyport::session {

// Both of the upstream servers. What it has taken stands in `committed`, our fields on top left out.
class ObedientUpstream {
 public:
  explicit ObedientUpstream(const Setting& setting) : setting_(setting) {}

  Task<void> serve(std::unique_ptr<io::Stream> stream);
  // Ends every connection.
  void hang_up();

  std::vector<Committed> committed;

 private:
  class Connection;

  const Setting& setting_;
  std::set<io::Stream*> connections_;
};

class PlannedPolicy final : public policies::Policy {
 public:
  explicit PlannedPolicy(Plan at_connect) : at_connect_(at_connect) {}

  std::string_view name() const override { return "plan"; }
  policies::Mode mode() const override { return policies::Mode::enforce; }
  bool gathers_at(policies::Stage) const override { return false; }
  bool judges_at(policies::Stage stage) const override {
    return stage != policies::Stage::headers && stage != policies::Stage::done;
  }
  Task<void> gather(policies::Stage, const policies::Transaction&, policies::Facts&,
                    const policies::Surroundings&) const override;
  policies::Verdict judge(policies::Stage stage, const policies::Transaction& mail,
                          const policies::Facts& facts) const override;

 private:
  Plan at_connect_;
};

}  // namespace sallyport::session
