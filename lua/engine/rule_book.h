// RuleBook: what is known of rules by name, beside every single mail: how often each has hit, and whether one fails so
// often that it is suspended.
//
// All workers of the gateway have the same one, so that 20 failures are 20 however many workers there are. Copies share
// it; a new RuleBook is another one. Any thread may use it; what is done for each mail takes no lock. The names come
// from rule files, and most_rules of them are counted at most.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/histogram.h"
#include "gateway/base/units.h"

namespace sallyport::lua {

// Counted since the start, over all loads.
struct RuleTally {
  std::atomic<std::uint64_t> hits = 0;        // it had something to say, and that counted
  std::atomic<std::uint64_t> would_have = 0;  // the same in shadow
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<std::uint64_t> suspensions = 0;
};

// How long the runs of one rule took on one worker, from their first instruction to their end: what they waited for is
// in it. Each worker counts in one of its own, so that no two write to the same memory; who asks adds them up.
struct alignas(64) RuleTimes {
  Histogram took;
};

// One rule's failures since its files were loaded. After most_failures of them within `span` the rule is suspended
// until the next load, for the clients whose mails it has failed for, then or later: a rule that fails for mail of a
// kind would else take its time and fill the log again and again.
//
// It goes on for all other clients. A stranger who has found a mail that makes a rule fail could else turn it off for
// everybody (where its on_error is skip), or have everybody's mail answered 451 (where that is tempfail).
class RuleTrouble {
 public:
  static constexpr std::size_t most_failures = 20;
  static constexpr Duration span = std::chrono::minutes(5);
  // The oldest is forgotten when there are more.
  static constexpr std::size_t most_clients = 1000;

  // Takes a lock only while the rule is suspended. Clients are told apart by IPv4 address or IPv6 /64.
  bool is_suspended_for(const IpAddress& client) const;
  // True for the one failure with which the rule becomes suspended.
  bool note_failure(Time now, const IpAddress& client);

 private:
  struct Failure {
    Time when{};
    IpAddress client;
  };
  void remember(const IpAddress& client);

  std::atomic<bool> suspended_ = false;
  mutable std::mutex mutex_;
  std::array<Failure, most_failures> failures_{};  // the last ones, in a circle
  std::size_t count_ = 0;
  std::unordered_set<IpAddress> clients_;  // while suspended
  std::deque<IpAddress> by_age_;           // the same, the oldest first
};

class RuleBook {
 public:
  static constexpr std::size_t most_rules = 10'000;
  // Of so many the times are told; a histogram has more to say than a count.
  static constexpr std::size_t most_timed = 1'000;

  RuleBook() : kept_(std::make_shared<Kept>()) {}

  // From now on trouble() gives new ones: to be called before the gatherers of a configuration are prepared. Those in
  // force keep what they have.
  void begin_load();

  // `tenant` is the one whose own settings the rules are loaded by (empty: everybody's), `folder` the rule path.
  std::shared_ptr<RuleTrouble> trouble(std::string_view tenant, std::string_view folder, std::string_view rule);
  std::shared_ptr<RuleTally> tally(std::string_view rule);
  // For one worker's set of rules, as long as it has the pointer. Then another one may have it, with what it counts.
  std::shared_ptr<RuleTimes> times(std::string_view rule);

  // `sallyport_rule_hits_total{rule="LOTTERY"}` and the others, sorted by rule.
  std::vector<std::pair<std::string, std::int64_t>> counters() const;
  // How long the runs of each rule took, over all loads, sorted by rule: the histograms that belong together. They live
  // as long as the book.
  struct TimesOfRule {
    std::string rule;
    std::vector<const Histogram*> times;
  };
  std::vector<TimesOfRule> all_times() const;

 private:
  struct Kept {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<RuleTally>, std::less<>> tallies;
    std::map<std::string, std::shared_ptr<RuleTrouble>, std::less<>> troubles;
    // None is ever taken out, and a free one is used again: there are as many of a rule as sets were in force at once.
    std::map<std::string, std::vector<std::shared_ptr<RuleTimes>>, std::less<>> times;
  };
  std::shared_ptr<Kept> kept_;
};

}  // namespace sallyport::lua
