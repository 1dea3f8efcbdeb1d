// A whole message through the ARC policy's validator.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/signature/body_hash.h"
#include "policies/arc/validator.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"
#include "tests/support/whole_mail.h"

namespace sallyport::policies {

struct ArcWorld {
  explicit ArcWorld(support::DnsZone zone = {}, ArcSettings settings = {}, CpuClock cpu_clock = thread_cpu_time)
      : resolver(std::move(zone)), validator(settings, keys, cpu_clock) {}

  ArcFacts validate(std::string_view message) {
    support::WholeMail mail(message);
    signature::ArcChain chain = signature::read_arc_chain(mail.header());
    signature::BodyHasher hasher(ArcValidator::body_forms(chain));
    hasher.feed(mail.body());
    const std::vector<signature::BodyHash> body = hasher.finish();
    const GatherContext context{loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20), body};
    return loop.run_until_done(validator.validate(mail.transaction(), std::move(chain), context));
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  Counters counters;
  support::LinesLog log;
  signature::KeyCache keys{ArcValidator::cached_keys};
  ArcValidator validator;
};

}  // namespace sallyport::policies
