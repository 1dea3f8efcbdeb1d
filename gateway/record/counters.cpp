#include "gateway/record/counters.h"

#include <new>

namespace sallyport::record {

namespace {

Total total_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::relay:
      return Total::relayed;
    case Outcome::tag:
    case Outcome::quarantine:  // relayed with a mark, as long as there is no quarantine
      return Total::tagged;
    case Outcome::discard:
      return Total::discarded;
    case Outcome::tempfail:
      return Total::tempfailed;
    case Outcome::drop:
      return Total::dropped;
    case Outcome::reject:
      break;
  }
  return Total::rejected;
}

}  // namespace

// Null: it is nobody's, or there is no memory for its figures.
TenantFigures* RecordCounters::figures_of(const std::string& tenant) noexcept {
  if (tenants_ == nullptr || tenant.empty()) return nullptr;
  const auto known = known_tenants_.find(tenant);
  if (known != known_tenants_.end()) return known->second;
  try {
    return known_tenants_.emplace(tenant, &tenants_->of(tenant)).first->second;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

bool RecordCounters::take(const MailRecord& record) noexcept {
  TenantFigures* const tenant = figures_of(record.transaction.tenant.name);
  switch (record.subject) {
    case Subject::transaction:
      counters_.add(total_of(record.outcome));
      if (timings_) timings_->add(Timing::mail, record.took);
      if (tenant == nullptr) break;
      tenant->mails[static_cast<std::size_t>(record.outcome)].fetch_add(1, std::memory_order_relaxed);
      tenant->octets.fetch_add(record.size, std::memory_order_relaxed);
      break;
    case Subject::recipient:
      counters_.add(Total::recipients_refused);
      if (tenant != nullptr) tenant->refused_recipients.fetch_add(1, std::memory_order_relaxed);
      break;
    case Subject::connection:
      counters_.add(Total::connections_refused);
      break;
  }
  return true;
}

}  // namespace sallyport::record
