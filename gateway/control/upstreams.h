// What `sallyport upstreams` asks the daemon for: every server behind it, with its state (protocol.h):
//
//   {"command":"upstreams"}   ->   {"ok":true,"upstreams":[{"upstream":"default","address":"10.0.0.5:25", ...}, ...]}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::control {

struct ServerReport {
  std::string upstream;
  std::string name;        // the name that the address belongs to; empty: it was configured as it is
  std::string address;     // "10.0.0.5:25", "unix:/run/lmtp"; of a name without an address "mail.example:25"
  std::string state;       // "up", "full", "down", "unknown" (not asked yet), "no address"
  std::int64_t since = 0;  // seconds since 1970
  std::string reason;      // why it was last full or down; empty: it never was
  std::uint64_t connections = 0;
  std::vector<std::string> extensions;  // the EHLO keywords that count for the clients' EHLO, as last known
  friend bool operator==(const ServerReport&, const ServerReport&) = default;
};

using ServerReports = std::vector<ServerReport>;

std::string encode_upstreams(const ServerReports& servers);
// The failure is the error the other side sent, or what is wrong with the line.
Result<ServerReports> decode_upstreams(std::string_view line);
// The "upstreams" array alone, for other programs.
std::string upstreams_json(const ServerReports& servers);

}  // namespace sallyport::control
