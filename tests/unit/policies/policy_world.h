// What a policy's gather() finds around it in these tests, and a log that can be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "policies/api/policy.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace sallyport::policies {

class LinesLog final : public Log {
 public:
  void write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override {
    lines.push_back(format_line(LogFormat::text, level, event, fields));
  }
  // How many lines have all of these words.
  std::size_t count(const std::vector<std::string>& words) const {
    std::size_t found = 0;
    for (const std::string& line : lines) {
      bool all = true;
      for (const std::string& word : words) all = all && line.find(word) != std::string::npos;
      if (all) ++found;
    }
    return found;
  }

  std::vector<std::string> lines;
};

struct PolicyWorld {
  Surroundings around() { return {loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20)}; }
  void gather(const Policy& policy, Stage stage, const Transaction& mail, Facts& facts) {
    const Surroundings surroundings = around();
    loop.run_until_done(policy.gather(stage, mail, facts, surroundings));
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  Counters counters;
  LinesLog log;
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
