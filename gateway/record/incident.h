// Incident: something that a peer did wrong (Violation), or that failed around us (Fault). Each is counted once and
// logged once (threats.md I8): as `check=` of the line of the mail, recipient or connection that it decides, else as a
// line of its own.
#pragma once

#include <string_view>
#include <variant>

#include "gateway/base/address.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"

namespace sallyport::record {

using Incident = std::variant<Violation, Fault>;

inline std::string_view name(const Incident& incident) {
  return std::visit([](auto kind) { return sallyport::name(kind); }, incident);
}
inline void count(Counters& counters, const Incident& incident) {
  std::visit([&counters](auto kind) { counters.add(kind); }, incident);
}
inline bool is_fault(const Incident& incident) { return std::holds_alternative<Fault>(incident); }

// A line of its own. `upstream` and `detail` are of faults, and may be empty.
struct IncidentLine {
  std::string_view id;  // of the mail, or of the session
  IpAddress client;
  std::string_view upstream = {};
  std::string_view detail = {};
};
void write_incident(Log& log, const Incident& incident, const IncidentLine& line);

}  // namespace sallyport::record
