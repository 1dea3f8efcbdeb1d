// The commands of the program, each with its options as the command line gives them. A command returns the exit status.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"

namespace sallyport::app {

inline constexpr const char* default_config_file = "/etc/sallyport/sallyport.toml";

struct RunOptions {
  std::string config_file = default_config_file;
};

// A small receiving SMTP server for demos and tests.
struct SinkOptions {
  SocketAddress listen{IpAddress::v4({127, 0, 0, 1}), 2600};
  std::string reject_recipient;  // RE2, known to compile: recipients it is found in get a 550; empty: none
  std::string dump_directory;    // each message goes to a file there; empty: nowhere
  std::uint64_t max_size = 0;    // announced with SIZE and enforced; 0: no limit
  bool pipelining = true;        // which extensions are offered
  bool chunking = true;
  bool eight_bit_mime = true;
  bool smtputf8 = true;
  bool dsn = true;
  std::string tls_certificate;  // a directory with fullchain.pem and privkey.pem; empty: no STARTTLS
  Duration delay{};             // before the reply to the end of a message
  bool quiet = false;           // no line for each message
};

struct CheckOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

struct ConfigShowOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

struct ConfigExplainOptions {
  std::string config_file = default_config_file;
  std::string key;
};

struct ConfigSchemaOptions {};

// A dry run of one stored message. Addresses are canonical, without <>; what is not given is taken from the message.
struct ExplainOptions {
  std::string config_file = default_config_file;
  std::string message;  // a file; "-": standard input
  std::optional<IpAddress> ip;
  std::string helo;
  std::optional<std::string> from;  // empty: the null sender
  std::vector<std::string> to;
  bool tls = false;
  bool json = false;
};

struct DmarcReportOptions {
  std::string config_file = default_config_file;
  std::string day;  // YYYY-MM-DD, UTC, known to be a day; empty: yesterday
  bool dry_run = false;
};

struct StatsOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

// Where commands write: data to `out`, messages to `err`.
struct Console {
  std::ostream& out;
  std::ostream& err;
};

int run_command(const RunOptions& options);
int sink_command(const SinkOptions& options);

// The whole configuration with everything it names. "FILE: ok", or one line for each error. A file that cannot be read
// is an error of the configuration like any other (78): whoever asks whether it is good does not care why it is not.
int check_command(const CheckOptions& options, const Console& console);
int config_show_command(const ConfigShowOptions& options, const Console& console);
int config_explain_command(const ConfigExplainOptions& options, const Console& console);
int config_schema_command(const ConfigSchemaOptions& options, const Console& console);
int stats_command(const StatsOptions& options, const Console& console);
// What every check finds in the message, the verdict and the reply. No mail server is asked and no rate counted; the
// DNS is. 0: it would be relayed or tagged, 1: not, 65: it is no message, 66: there is no such file.
int explain_command(const ExplainOptions& options, const Console& console);
// Sends the aggregate reports of a day to the domains that asked for them, those aside that have theirs already. 75:
// some could not be sent, and another run will try again.
int dmarc_report_command(const DmarcReportOptions& options, const Console& console);

}  // namespace sallyport::app
