// TableResolver: an io::Resolver that answers from a DnsZone.
//
// It answers at once, or after a delay on the scheduler's clock. With a scheduler, TIMEOUT comes at the caller's
// deadline; without one, at once. Every question is recorded; a question whose deadline has passed is not asked.
#pragma once

#include <utility>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/io/resolver.h"
#include "tests/support/dns_zone.h"

namespace sallyport::support {

class TableResolver final : public io::Resolver {
 public:
  TableResolver() = default;
  explicit TableResolver(DnsZone zone) : zone_(std::move(zone)) {}
  TableResolver(DnsZone zone, async::Scheduler& scheduler, Duration delay)
      : zone_(std::move(zone)), scheduler_(&scheduler), delay_(delay) {}

  Task<dns::Answer> lookup(dns::Question question, Time deadline) override;

  // May be changed between questions.
  DnsZone& zone() { return zone_; }
  // Marks answers as coming from the cache, so that they cost no budget.
  void set_from_cache(bool from_cache) { from_cache_ = from_cache; }

  // Every question asked, in order, repeated ones too.
  const std::vector<dns::Question>& asked() const { return asked_; }
  std::size_t count(const dns::Question& question) const;
  void forget_asked() { asked_.clear(); }

 private:
  DnsZone zone_;
  async::Scheduler* scheduler_ = nullptr;
  Duration delay_{};
  bool from_cache_ = false;
  std::vector<dns::Question> asked_;
};

}  // namespace sallyport::support
