// CommonParts: what all workers share and what outlives every configuration: what was opened once, at the start, and
// what is learned while serving.
//
// Made before privileges are dropped; outlives the workers. What a reload replaces is in the snapshot instead
// (snapshot.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/app/file_room.h"
#include "gateway/app/transparent_helper.h"
#include "gateway/base/counters.h"
#include "gateway/base/descriptor.h"
#include "gateway/base/histogram.h"
#include "gateway/base/log.h"
#include "gateway/base/public_suffix.h"
#include "gateway/base/timings.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/mail/spool.h"
#include "gateway/milter_service/mta_terms.h"
#include "gateway/record/tenant_figures.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/shared_queries.h"
#include "gateway/state/clock_watch.h"
#include "gateway/state/dmarc_report_store.h"
#include "gateway/state/list_files.h"
#include "gateway/state/mail_memory.h"
#include "gateway/state/pressure.h"
#include "gateway/state/rate_table.h"
#include "gateway/state/session_table.h"
#include "gateway/state/store.h"
#include "gateway/supervise/board.h"
#include "gateway/supervise/link.h"
#include "gateway/upstream/registry.h"
#include "gateway/uv/work_pool.h"
#include "lua/engine/rule_book.h"
#include "policies/lists/list_table.h"

namespace sallyport::app {

// How late the timers of a loop come.
struct LoopLag {
  explicit LoopLag(std::string of_loop) : loop(std::move(of_loop)) {}
  const std::string loop;  // "1" for the first worker's
  Histogram times;
};

struct CommonParts {
  explicit CommonParts(std::shared_ptr<const config::Settings> settings);

  // Those of the start: of keys that take effect at the next start only (Reload::restart), they are in force until
  // then, whatever a snapshot says.
  const std::shared_ptr<const config::Settings> at_start;
  Counters counters;
  Timings timings;
  record::TenantTable tenants;    // what became of their mail
  std::deque<LoopLag> loop_lags;  // one for each loop, made before any of them runs
  supervise::Link link;           // to the supervising process
  // Where the loops note for it that they turn.
  std::optional<supervise::Board> board;
  std::size_t watched_loops = 0;  // which have got a number there
  std::unique_ptr<Log> log;
  std::unique_ptr<mail::Spool> spool;
  std::unique_ptr<state::ClockWatch> clock_watch;
  std::unique_ptr<uv::WorkPool> work_pool;  // of all loops; made when the privileges have been dropped
  Descriptor state_lock;                    // on the state directory; let go of when a successor takes over
  state::ListFiles list_files;              // that rules look things up in; outlives all snapshots
  state::MailMemory memory;                 // before the store, whose thread uses it
  // The embedded store and what is kept in it; null where nothing is kept.
  std::unique_ptr<state::Store> store;
  std::unique_ptr<state::DmarcReportStore> dmarc_reports;
  resolver::Cache dns_cache;
  resolver::SharedQueries shared_queries;
  PublicSuffixList suffixes;
  state::RateTable rates;
  state::SessionTable slots;
  state::Pressure pressure{slots, counters};
  upstream::UpstreamRegistry registry;
  policies::ListTable lists;  // what is known of DNS lists
  lua::RuleBook rules;        // what is known of rules
  // Where a configuration had client_info = "tproxy" at the start.
  std::optional<TransparentHelper> transparent_helper;
  std::atomic<bool> is_helper_lost{false};
  milter_service::MissingActions missing_actions;  // of MTAs that have their mail judged
  // Mails that the end of the process has cut off; each has its record.
  std::atomic<std::uint64_t> cut_mails = 0;
  const Time started;
  std::optional<FileRoom> file_room;  // when the listeners begin to accept
};

// Counts and logs something that ought not to happen and ends nothing, such as want of memory beside the sessions.
void note_internal_fault(CommonParts& common, std::string_view detail) noexcept;

// Opens the log; when it cannot be had, the failure says why, with the file's name.
Result<std::unique_ptr<CommonParts>> make_common_parts(std::shared_ptr<const config::Settings> settings);

}  // namespace sallyport::app
