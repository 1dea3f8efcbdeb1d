// Host: what the sessions of one worker share. Built once by the composition root, handed to every session by
// reference.
#pragma once

#include <memory>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/base/counters.h"
#include "gateway/base/id.h"
#include "gateway/base/log.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/io/clock.h"
#include "gateway/io/report_sink.h"
#include "gateway/io/resolver.h"
#include "gateway/io/session_slots.h"
#include "gateway/mail/spool.h"
#include "gateway/resolver/budget.h"
#include "gateway/session/upstream_board.h"
#include "gateway/session/upstream_pool.h"
#include "gateway/session/witness.h"
#include "gateway/tls/context.h"
#include "policies/api/policy.h"
#include "policies/api/sealer.h"

namespace sallyport::session {

// One of the addresses we serve. A TLS context belongs to one of them: its session tickets are good nowhere else (T8).
struct Door {
  config::ListenSettings settings;
  std::shared_ptr<const tls::ServerContext> tls;  // null: no certificate, TLS is not offered
};

struct Host {
  async::Scheduler& scheduler;
  const io::Clock& clock;
  io::Resolver& resolver;
  Log& log;
  Counters& counters;
  mail::Spool& spool;
  io::SessionSlots& slots;
  UpstreamBoard& board;
  UpstreamPool& pool;
  IdSource ids;
  // A session keeps the settings it started with; those that come later get what stands here then.
  std::shared_ptr<const config::Settings> settings;
  std::vector<std::unique_ptr<policies::Policy>> policies;
  io::ReportSink* reports = nullptr;             // null: no reports are made
  const policies::MailSealer* sealer = nullptr;  // of mail that we change
  Witness* witness = nullptr;                    // of a dry run
};

}  // namespace sallyport::session
