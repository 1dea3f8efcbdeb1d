// ListHealth: what is known of one DNS list: whether it can be relied on at the moment, since when, and why. A breaker
// for lists that do not answer (threats.md D10), for IPv4 clients, IPv6 clients and names apart; and the results of the
// test points (D9).
//
// It belongs to the list, not to a mail or configuration: all workers share it, and it survives a reload. Every
// function may be called on any thread; each holds a lock for a few instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/base/histogram.h"
#include "gateway/base/units.h"

namespace sallyport::policies {

// What a list is asked about. Many lists of addresses serve each family from another place; a list of domains or hashes
// has names only.
enum class ListPart : std::uint8_t { ipv4, ipv6, names };
inline constexpr std::size_t list_parts = 3;

inline ListPart part_of(const IpAddress& client) { return client.is_v4() ? ListPart::ipv4 : ListPart::ipv6; }

class ListHealth {
 public:
  static constexpr unsigned failures_to_open = 10;
  // Between two probes of a list that does not answer: when it is back, this is how long it stays unused (R9: five
  // seconds at most, of which a client has to come and be answered).
  static constexpr Duration pause = std::chrono::seconds(2);
  // After an answer by which a list refuses us (is_refusal): it does not want to be asked on. Other answers that never
  // mean a listing come of a resolver that answers in place of the list, and end with that.
  static constexpr Duration pause_after_refusal = std::chrono::seconds(60);
  static constexpr Duration between_tests = std::chrono::minutes(1);
  // Of a list that does not pass and has not refused us.
  static constexpr Duration between_retests = std::chrono::seconds(3);

  // What a caller learns from its answer.
  enum class Change : std::uint8_t { none, opened, closed };

  // The right to ask the list one question. While the breaker is open there is one in each pause, the probe, whether or
  // not the one before has come to its end: one that was asked just before the list came back holds up nobody. A probe
  // that settles nothing, because its answer came from the cache or never came, is destroyed unsettled: the next caller
  // may probe at once.
  class Turn {
   public:
    Turn(Turn&& other) noexcept
        : health_(std::exchange(other.health_, nullptr)),
          part_(other.part_),
          next_probe_(other.next_probe_),
          began_(other.began_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

    // The list itself has answered, or has failed for this reason and is to be left alone for so long if this opens the
    // breaker or was the probe. One of them may be called, once.
    Change answered(Time now);
    Change failed(Time now, std::string reason, Duration leave_alone = pause);

   private:
    friend class ListHealth;
    Turn(ListHealth& health, ListPart part, std::optional<Time> next_probe, Time now)
        : health_(&health), part_(part), next_probe_(next_probe), began_(now) {}

    ListHealth* health_;
    ListPart part_;
    std::optional<Time> next_probe_;  // of a probe: when the next one is due
    Time began_;
  };

  // Nothing when the list must not be asked about this.
  std::optional<Turn> may_ask(ListPart part, Time now);
  void count_hit();

  // What a test of the points has found. No value: the list could not be asked, and nothing changes.
  struct Tested {
    std::optional<bool> passes;
    std::string reason;       // when it does not pass
    bool is_refusal = false;  // because it does not want to be asked
    std::optional<bool> serves_ipv6;
    std::string ipv6_reason;      // when it does not
    bool has_no_ipv6 = false;     // it never had the IPv6 point: no fault of the list
    bool is_listed = false;       // 127.0.0.2 is listed
    bool is_listed_ipv6 = false;  // ::FFFF:127.0.0.2 is
  };
  // Several configurations and workers may have the list, so one test a minute is allowed, or between_retests; true
  // when the caller may test now.
  bool begin_test(Time now);
  // When a list that does not pass should be tested again; nothing: in no hurry.
  std::optional<Time> retest_at() const;
  // A point that was listed once and no longer is tells that the list has ended.
  bool was_listed() const;
  bool was_listed_ipv6() const;
  // True when `passes` or `serves_ipv6` has changed, or a list that does not pass has another reason: to be logged.
  bool tested(Time now, Tested found);
  bool passes_test() const;
  bool serves_ipv6() const;

  // A copy of what is known, for people.
  struct Part {
    bool is_open = false;  // the breaker: the list is not asked
    Time since{};          // of is_open; the epoch: always
    unsigned failures_in_a_row = 0;
    std::string last_failure;  // empty: none yet
    Time failed_at{};
  };
  struct Report {
    std::array<Part, list_parts> parts;  // by ListPart
    std::optional<bool> passes_test;     // nothing: no test has come to a result
    Time tested_since{};                 // of passes_test
    std::string test_reason;
    bool serves_ipv6 = true;
    std::string ipv6_reason;
    std::uint64_t questions = 0;  // that the list itself was to answer
    std::uint64_t hits = 0;       // clients found, those known from the cache included
    std::uint64_t faults = 0;     // questions without a usable answer
  };
  Report report() const;
  // How long the questions took that the list itself answered, or failed to answer.
  const Histogram& times() const { return times_; }

 private:
  struct Breaker : Part {
    Time next_probe{};
  };
  struct Failure {
    std::string reason;
    Duration pause;
  };
  Breaker& breaker(ListPart part) { return breakers_[static_cast<std::size_t>(part)]; }
  Change settle(const Turn& turn, Time now, Failure* failure) noexcept;
  void abandon(const Turn& turn) noexcept;

  mutable std::mutex mutex_;
  std::array<Breaker, list_parts> breakers_;
  Report known_;  // but for `parts`
  Histogram times_;
  bool was_listed_ = false;
  bool was_listed_ipv6_ = false;
  Time next_test_{};
  bool is_deceived_ = false;  // does not pass, and has not refused us
};

}  // namespace sallyport::policies
