// The peers of a scripted session: an upstream and a policy that do what words in the addresses say (session_script.h).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/io/stream.h"
#include "tests/unit/session/session_model.h"
#include "tests/unit/session/session_script.h"
#include "tests/unit/session/test_policy.h"

namespace sallyport::session {

// Plays both upstream servers. `committed` has the messages it has taken, without the fields that the gateway adds.
class ObedientUpstream {
 public:
  explicit ObedientUpstream(const Setting& setting) : setting_(setting) {}

  Task<void> serve(std::unique_ptr<io::Stream> stream);
  // Closes every connection.
  void hang_up();

  std::vector<Committed> committed;

 private:
  class Connection;

  const Setting& setting_;
  std::set<io::Stream*> connections_;
};

class PlannedPolicy final : public TestPolicy {
 public:
  explicit PlannedPolicy(Plan at_connect) : at_connect_(at_connect) {}

  std::string_view name() const override { return "plan"; }
  void judge(policies::Stage stage, const policies::Transaction& mail, const policies::Facts& facts,
             policies::Verdicts& out) const override;

 private:
  Plan at_connect_;
};

}  // namespace sallyport::session
