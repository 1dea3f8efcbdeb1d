// `sallyport sink`: a small receiving SMTP server for demonstrations and tests. It reads no configuration.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/cli/command.h"

namespace sallyport::cli {

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

int sink_command(const SinkOptions& options, const Console& console);
extern const Command sink_entry;

}  // namespace sallyport::cli
