#include "gateway/app/common_parts.h"

#include "gateway/base/id.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

namespace {

state::RateTable::Options rate_options() {
  state::RateTable::Options options;
  for (std::uint64_t& word : options.hash_key) word = random_seed();
  return options;
}

state::MailMemory::Options memory_options() {
  state::MailMemory::Options options;
  for (std::uint64_t& word : options.hash_key) word = random_seed();
  return options;
}

}  // namespace

CommonParts::CommonParts(std::shared_ptr<const config::Settings> settings)
    : at_start(std::move(settings)),
      list_files(counters),
      memory(memory_options(), state::steady_now),
      dns_cache(at_start->dns.cache_entries),
      rates(rate_options(), state::steady_now),
      slots({at_start->limits.sessions, at_start->limits.sessions_per_ip}),
      started(uv::Loop::now()) {}

void note_internal_fault(CommonParts& common, std::string_view detail) noexcept {
  common.counters.add(Fault::internal);
  try {
    common.log->write(LogLevel::error, "fault", {{"kind", name(Fault::internal)}, {"detail", detail}});
  } catch (const std::exception&) {
    common.counters.add(Fault::log);  // there is no memory for the line
  }
}

Result<std::unique_ptr<CommonParts>> make_common_parts(std::shared_ptr<const config::Settings> settings) {
  auto parts = std::make_unique<CommonParts>(std::move(settings));
  auto log = open_log(parts->at_start->log, parts->counters);
  if (!log) return std::move(log).error();
  parts->log = std::move(*log);
  parts->clock_watch = std::make_unique<state::ClockWatch>(parts->counters, *parts->log);
  return parts;
}

}  // namespace sallyport::app
