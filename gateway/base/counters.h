// Counters: counts events since the start, by fixed names (threats.md I8: label values never come from peers).
//
// One object per process, passed by reference. Any thread may add at any time; adding is one relaxed atomic operation.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

// What a peer did wrong: sallyport_violations_total{kind=...}. threats.md explains each name.
enum class Violation : std::uint8_t {
  syntax,
  bare_lf,
  bare_cr,
  nul,
  eod_lookalike,
  bad_line,
  line_long,
  nonascii,
  early_talker,
  sync,
  starttls_inject,
  bad_command,
  non_smtp,
  junk_flood,
  harvest,
  rcpt_limit,
  split_route,
  routed_address,
  sequence,
  size,
  bdat_syntax,
  bdat_flood,
  proxy_untrusted,
  hdr_inject,
  ar_removed,
  dkim_many,
  loop,
  error_limit,
  slow_client,
  rate_limit,
  session_limit,
  upstream_protocol,
  upstream_early,
  tls_error,
  tls_refused,
  tls_stall,
  tls_truncated,
  dns_spoof,
  dns_malformed,
  dns_budget,
  header_limit,
  header_malformed,
  dup_header,
  mime_limit,
  mime_malformed,
  mime_ambiguous,
  name_ambiguous,
  type_mismatch,
  milter_protocol,
  count_,
};

// What failed around us: sallyport_faults_total{kind=...}.
enum class Fault : std::uint8_t {
  upstream_down,
  upstream_timeout,
  upstream_tls,
  client_info,
  outcome_unknown,
  reply_lost,
  client_lost,
  dns_timeout,
  dns_error,
  dnsbl_error,
  dnsbl_wildcard,
  milter_timeout,
  milter_down,
  rule_error,
  rule_timeout,
  rule_memory,
  spool,
  state,
  log,
  resource,
  internal,
  cert_expired,
  clock_suspect,
  reload_failed,
  loop_stall,
  count_,
};

// Totals: sallyport_<name>_total.
enum class Total : std::uint8_t {
  connections,
  connections_refused,
  tls_handshakes,
  transactions,
  relayed,
  tagged,
  rejected,
  tempfailed,
  discarded,
  dropped,
  recipients_accepted,
  recipients_refused,
  octets_received,
  octets_relayed,
  upstream_connections,
  upstream_reused,
  upstream_reopened,
  upstreams_down,
  upstreams_up,
  upstreams_full,
  dns_questions,
  dns_cache_hits,
  count_,
};

// Current values: sallyport_<name>.
enum class Gauge : std::uint8_t {
  sessions,
  tls_sessions,
  upstream_open,
  upstream_idle,
  cert_expires_in_seconds,
  held_bytes,    // in memory by messages
  memory_bytes,  // in use by the process
  memory_limit_bytes,
  pressure_percent,  // of memory or sessions, whichever is nearer to its end
  count_
};

std::string_view name(Violation kind);
std::string_view name(Fault kind);
std::string_view name(Total total);
std::string_view name(Gauge gauge);

class Counters {
 public:
  void add(Violation kind, std::uint64_t n = 1) { bump(violations_, kind, n); }
  void add(Fault kind, std::uint64_t n = 1) { bump(faults_, kind, n); }
  void add(Total total, std::uint64_t n = 1) { bump(totals_, total, n); }
  void add(Gauge gauge, std::int64_t n) { gauges_[std::size_t(gauge)].fetch_add(n, std::memory_order_relaxed); }
  void set(Gauge gauge, std::int64_t value) { gauges_[std::size_t(gauge)].store(value, std::memory_order_relaxed); }

  std::uint64_t get(Violation kind) const { return violations_[std::size_t(kind)].load(std::memory_order_relaxed); }
  std::uint64_t get(Fault kind) const { return faults_[std::size_t(kind)].load(std::memory_order_relaxed); }
  std::uint64_t get(Total total) const { return totals_[std::size_t(total)].load(std::memory_order_relaxed); }
  std::int64_t get(Gauge gauge) const { return gauges_[std::size_t(gauge)].load(std::memory_order_relaxed); }

  // Every counter with its Prometheus name (`sallyport_violations_total{kind="bare_lf"}`), in a fixed order.
  std::vector<std::pair<std::string, std::int64_t>> all() const;

 private:
  template <class Kind>
  using Table = std::array<std::atomic<std::uint64_t>, std::size_t(Kind::count_)>;
  template <class Kind>
  static void bump(Table<Kind>& table, Kind kind, std::uint64_t n) {
    table[std::size_t(kind)].fetch_add(n, std::memory_order_relaxed);
  }

  Table<Violation> violations_{};
  Table<Fault> faults_{};
  Table<Total> totals_{};
  std::array<std::atomic<std::int64_t>, std::size_t(Gauge::count_)> gauges_{};
};

}  // namespace sallyport
