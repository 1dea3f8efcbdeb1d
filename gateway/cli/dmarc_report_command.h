// `sallyport dmarc report`: sends the aggregate reports of a day (RFC 9990) to the domains that asked for them and have
// not got theirs yet. To be run once a day, after midnight UTC. Exit status 75: some could not be sent, and another run
// will try again.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct DmarcReportOptions {
  std::string config_file = default_config_file;
  std::string day;  // YYYY-MM-DD, UTC, known to be a day; empty: yesterday
  bool dry_run = false;
};

int dmarc_report_command(const DmarcReportOptions& options, const Console& console);
extern const Command dmarc_report_entry;

}  // namespace sallyport::cli
