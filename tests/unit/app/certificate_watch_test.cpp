// A certificate whose time comes to its end while the gateway runs.
#include "gateway/app/certificate_watch.h"

#include <gtest/gtest.h>

#include "gateway/tls/context.h"
#include "tests/support/lines_log.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::app {
namespace {

using namespace std::chrono_literals;

class CertificateWatched : public testing::Test {
 protected:
  std::shared_ptr<const tls::ServerContext> context_of(int days) {
    tls::ServerTlsSettings settings;
    settings.certificates = {folder_.make({.valid_until_days = days})};
    return tls::make_server_context(settings).value();
  }

  tls::CertificateFolder folder_;
  Counters counters_;
  support::LinesLog log_;
  CertificateWatch watch_{counters_, log_};
};

TEST_F(CertificateWatched, SaysEachThingOnceAheadAndAtTheEnd) {
  const auto context = context_of(30);
  const WallTime end = context->expires_at();
  for (auto left = 30 * 24h; left > -48h; left -= 1h) watch_.look(context.get(), end - left);
  ASSERT_EQ(log_.lines.size(), 3u);
  EXPECT_EQ(log_.count({"event=certificate", "within two weeks"}), 1u);
  EXPECT_EQ(log_.count({"event=certificate", "within three days"}), 1u);
  EXPECT_EQ(log_.count({"event=fault", "kind=cert_expired", "has expired"}), 1u);
  EXPECT_EQ(counters_.get(Fault::cert_expired), 1u);
}

TEST_F(CertificateWatched, AFreshCertificateIsAnother) {
  const auto old = context_of(2);
  const auto fresh = context_of(60);
  const WallTime now = old->expires_at() - 1h;
  watch_.look(old.get(), now);
  watch_.look(fresh.get(), now);
  watch_.look(old.get(), now);
  EXPECT_EQ(log_.lines.size(), 1u);
  watch_.look(fresh.get(), fresh->expires_at() - 24h);
  EXPECT_EQ(log_.count({"within three days"}), 2u);
  watch_.look(nullptr, now);
}

}  // namespace
}  // namespace sallyport::app
