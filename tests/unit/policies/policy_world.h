// What a policy's gather() finds around it in these tests.
#pragma once

#include <string>

#include "gateway/base/counters.h"
#include "policies/api/policy.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace sallyport::policies {

struct PolicyWorld {
  Surroundings around() { return {loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20)}; }
  void gather(const Policy& policy, Stage stage, const Transaction& mail, Facts& facts) {
    const Surroundings surroundings = around();
    loop.run_until_done(policy.gather(stage, mail, facts, surroundings));
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  Counters counters;
  support::LinesLog log;
};

inline Transaction mail_of(const char* ip) {
  Transaction mail;
  mail.client.ip = *IpAddress::parse(ip);
  return mail;
}

inline EnvelopeAddress address(const std::string& local, const std::string& domain) {
  return {local, domain, domain.empty() ? local : local + '@' + domain};
}

}  // namespace sallyport::policies
