#include "gateway/base/counters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "gateway/base/ensure.h"

namespace sallyport {
namespace {

std::int64_t value_of(const Counters& counters, std::string_view name) {
  for (const auto& [key, value] : counters.all()) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no counter " << name;
  return -1;
}

TEST(Counters, NamesAreThoseOfTheirKinds) {
  EXPECT_EQ(name(Violation::syntax), "syntax");
  EXPECT_EQ(name(Violation::bare_lf), "bare_lf");
  EXPECT_EQ(name(Violation::starttls_inject), "starttls_inject");
  EXPECT_EQ(name(Violation::routed_address), "routed_address");
  EXPECT_EQ(name(Violation::upstream_protocol), "upstream_protocol");
  EXPECT_EQ(name(Violation::session_limit), "session_limit");
  EXPECT_EQ(name(Violation::header_malformed), "header_malformed");
  EXPECT_EQ(name(Fault::upstream_down), "upstream_down");
  EXPECT_EQ(name(Fault::dnsbl_wildcard), "dnsbl_wildcard");
  EXPECT_EQ(name(Fault::log), "log");
  EXPECT_EQ(name(Fault::cert_expired), "cert_expired");
  EXPECT_EQ(name(Total::connections), "connections");
  EXPECT_EQ(name(Total::recipients_accepted), "recipients_accepted");
  EXPECT_EQ(name(Total::dns_cache_hits), "dns_cache_hits");
  EXPECT_EQ(name(Gauge::cert_expires_in_seconds), "cert_expires_in_seconds");
  EXPECT_THROW(name(Violation::count_), BrokenInvariant);
  EXPECT_THROW(name(Gauge::count_), BrokenInvariant);
}

TEST(Counters, CountEachKindByItself) {
  Counters counters;
  counters.add(Violation::bare_lf);
  counters.add(Violation::bare_lf, 2);
  counters.add(Fault::spool);
  counters.add(Total::octets_received, 4096);
  counters.add(Gauge::sessions, 3);
  counters.add(Gauge::sessions, -1);
  counters.set(Gauge::cert_expires_in_seconds, -60);
  EXPECT_EQ(counters.get(Violation::bare_lf), 3u);
  EXPECT_EQ(counters.get(Violation::bare_cr), 0u);
  EXPECT_EQ(counters.get(Fault::spool), 1u);
  EXPECT_EQ(counters.get(Total::octets_received), 4096u);
  EXPECT_EQ(counters.get(Gauge::sessions), 2);
  EXPECT_EQ(value_of(counters, "sallyport_violations_total{kind=\"bare_lf\"}"), 3);
  EXPECT_EQ(value_of(counters, "sallyport_faults_total{kind=\"spool\"}"), 1);
  EXPECT_EQ(value_of(counters, "sallyport_octets_received_total"), 4096);
  EXPECT_EQ(value_of(counters, "sallyport_sessions"), 2);
  EXPECT_EQ(value_of(counters, "sallyport_cert_expires_in_seconds"), -60);
}

TEST(Counters, AllNamesEveryKindOnceInAFixedOrder) {
  Counters counters;
  auto all = counters.all();
  EXPECT_EQ(all.size(), std::size_t(Violation::count_) + std::size_t(Fault::count_) + std::size_t(Total::count_) +
                            std::size_t(Gauge::count_));
  std::set<std::string> names;
  for (const auto& [key, value] : all) {
    EXPECT_TRUE(names.insert(key).second) << key;
    EXPECT_EQ(value, 0);
    EXPECT_EQ(key.find("\"\""), std::string::npos) << key;
  }
  counters.add(Total::relayed);
  auto again = counters.all();
  EXPECT_TRUE(std::equal(all.begin(), all.end(), again.begin(), again.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first; }));
}

TEST(Counters, CountFromManyThreads) {
  Counters counters;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counters] {
      for (int n = 0; n < 10'000; ++n) {
        counters.add(Total::connections);
        counters.add(Gauge::sessions, n % 2 == 0 ? 1 : -1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counters.get(Total::connections), 40'000u);
  EXPECT_EQ(counters.get(Gauge::sessions), 0);
}

}  // namespace
}  // namespace sallyport
