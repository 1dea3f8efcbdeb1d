#include "gateway/record/incident.h"

#include <string>

namespace sallyport::record {

void write_incident(Log& log, const Incident& incident, const IncidentLine& line) {
  const std::string ip = line.client.to_string();
  if (!is_fault(incident)) {
    log.write(LogLevel::info, "violation", {{"kind", name(incident)}, {"id", line.id}, {"ip", ip}});
    return;
  }
  log.write(
      LogLevel::warning, "fault",
      {{"kind", name(incident)}, {"id", line.id}, {"ip", ip}, {"upstream", line.upstream}, {"detail", line.detail}});
}

}  // namespace sallyport::record
