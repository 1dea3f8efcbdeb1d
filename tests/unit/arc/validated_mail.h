// A whole message through the ARC policy's validator.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "gateway/signature/body_hash.h"
#include "policies/arc/validator.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"
#include "tests/support/whole_mail.h"

namespace sallyport::policies {

struct ArcWorld {
  explicit ArcWorld(support::DnsZone zone = {}, ArcSettings settings = {}, CpuClock cpu_clock = thread_cpu_time)
      : resolver(std::move(zone)), validator(settings, cpu_clock) {}

  ArcFacts validate(std::string_view message) {
    support::WholeMail mail(message);
    ArcFacts facts;
    signature::BodyHasher hasher(ArcValidator::body_forms(mail.header()));
    hasher.feed(mail.body());
    facts.body_hashes = hasher.finish();
    const Surroundings around{loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20)};
    loop.run_until_done(validator.validate(mail.transaction(), facts, around));
    return facts;
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  Counters counters;
  support::LinesLog log;
  ArcValidator validator;
};

}  // namespace sallyport::policies
