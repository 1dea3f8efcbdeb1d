// What all workers of the gateway share: made once, before privileges are dropped, and outliving every worker.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/public_suffix.h"
#include "gateway/config/load.h"
#include "gateway/mail/spool.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/under_way.h"
#include "gateway/session/host.h"
#include "gateway/session/upstream_board.h"
#include "gateway/state/dmarc_report_store.h"
#include "gateway/state/rate_table.h"
#include "gateway/state/session_table.h"
#include "gateway/state/store.h"
#include "gateway/tls/context.h"
#include "policies/api/sealer.h"

namespace sallyport::app {

struct CommonParts {
  explicit CommonParts(const config::Loaded& configuration);

  std::shared_ptr<const config::Settings> settings;
  std::string configuration_hash;
  Counters counters;
  std::unique_ptr<Log> log;
  std::unique_ptr<mail::Spool> spool;
  // The embedded store and what is kept in it; null where nothing is kept.
  std::unique_ptr<state::Store> store;
  std::unique_ptr<state::DmarcReportStore> dmarc_reports;
  resolver::Cache dns_cache;
  resolver::UnderWay dns_under_way;
  PublicSuffixList suffixes;
  std::unique_ptr<policies::MailSealer> sealer;  // null: nothing is sealed
  state::RateTable rates;
  state::SessionTable slots;
  session::UpstreamBoard board;
  std::vector<session::Door> doors;
  std::map<std::string, std::shared_ptr<const tls::ClientContext>> upstream_tls;
  Time started;
};

// Opens the log, makes the TLS contexts and reads their keys; what cannot be had is said in words, with the file's
// name.
Result<std::unique_ptr<CommonParts>> make_common_parts(const config::Loaded& configuration);

}  // namespace sallyport::app
