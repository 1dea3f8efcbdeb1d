// RecordCounters: a sink that counts the outcomes of mails, refused recipients and refused connections, in all and for
// each tenant. One thread.
#pragma once

#include <map>
#include <string>

#include "gateway/base/counters.h"
#include "gateway/base/timings.h"
#include "gateway/record/record_sink.h"
#include "gateway/record/tenant_figures.h"

namespace sallyport::record {

class RecordCounters final : public RecordSink {
 public:
  // All must outlive this object. `timings` gets how long mails took.
  explicit RecordCounters(Counters& counters, Timings* timings = nullptr, TenantTable* tenants = nullptr)
      : counters_(counters), timings_(timings), tenants_(tenants) {}

  bool take(const MailRecord& record) noexcept override;

 private:
  TenantFigures* figures_of(const std::string& tenant) noexcept;

  Counters& counters_;
  Timings* const timings_;
  TenantTable* const tenants_;
  std::map<std::string, TenantFigures*, std::less<>> known_tenants_;  // so that a mail takes no lock
};

}  // namespace sallyport::record
