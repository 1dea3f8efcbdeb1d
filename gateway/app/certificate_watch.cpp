#include "gateway/app/certificate_watch.h"

#include <array>
#include <chrono>

#include "gateway/tls/context.h"

namespace sallyport::app {

namespace {

struct Notice {
  std::chrono::hours ahead;
  std::string_view words;
};
constexpr std::array notices{Notice{std::chrono::hours(3 * 24), "within three days"},
                             Notice{std::chrono::hours(14 * 24), "within two weeks"}};

}  // namespace

void CertificateWatch::look(const tls::ServerContext* certificates, WallTime now) {
  if (certificates == nullptr) return;
  for (const std::string& warning : certificates->warnings(now)) {
    if (!told_.insert(warning).second) continue;
    counters_.add(Fault::cert_expired);
    log_.write(LogLevel::warning, "fault", {{"kind", name(Fault::cert_expired)}, {"detail", warning}});
  }
  const WallTime end = certificates->expires_at();
  if (now >= end) return;
  for (const Notice& notice : notices) {
    if (end - now > notice.ahead) continue;
    const std::string sentence = "a certificate expires on " + log_time(end) + ", " + std::string(notice.words);
    if (told_.insert(sentence).second) log_.write(LogLevel::warning, "certificate", {{"detail", sentence}});
    return;  // the nearest says all
  }
}

void set_certificate_gauge(const tls::ServerContext* certificates, Counters& counters, WallTime now) {
  const auto left = certificates ? certificates->expires_at() - now : WallTime::duration::zero();
  counters.set(Gauge::cert_expires_in_seconds, std::chrono::duration_cast<std::chrono::seconds>(left).count());
}

}  // namespace sallyport::app
