#include "gateway/resolver/recorder.h"

#include <new>
#include <string>

namespace sallyport::resolver {

// If there is no memory for a log line, the line is lost but the event is counted, and the question goes on.

void Recorder::note(Violation kind, const SocketAddress& server) {
  counters_.add(kind);
  try {
    std::string ip = server.ip.to_string();
    log_.write(LogLevel::info, "violation", {{"kind", name(kind)}, {"id", ""}, {"ip", ip}});
  } catch (const std::bad_alloc&) {
    counters_.add(Fault::log);
  }
}

void Recorder::note(Fault kind, std::string_view detail) {
  counters_.add(kind);
  try {
    log_.write(LogLevel::warning, "fault", {{"kind", name(kind)}, {"id", ""}, {"ip", ""}, {"detail", detail}});
  } catch (const std::bad_alloc&) {
    counters_.add(Fault::log);
  }
}

}  // namespace sallyport::resolver
