// CertificateWatch: says of the certificates in force that their time comes to its end, while the gateway runs
// (threats.md T9): a line two weeks ahead, one three days ahead, and one when it is over, for each certificate. Each is
// said once, also when the same certificate is loaded again.
//
// Used on the first worker's loop.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/units.h"

namespace sallyport::tls {
class ServerContext;
}

namespace sallyport::app {

class CertificateWatch {
 public:
  // Both must outlive it.
  CertificateWatch(Counters& counters, Log& log) : counters_(counters), log_(log) {}

  // Says what is to be said at this time. Null: TLS is not offered.
  void look(const tls::ServerContext* certificates, WallTime now);

 private:
  Counters& counters_;
  Log& log_;
  std::set<std::string> told_;
};

// Sets the gauge of the time that is left, to the second.
void set_certificate_gauge(const tls::ServerContext* certificates, Counters& counters, WallTime now);

}  // namespace sallyport::app
