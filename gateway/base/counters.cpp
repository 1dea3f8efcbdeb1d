#include "gateway/base/counters.h"

#include "gateway/base/ensure.h"

namespace sallyport {

namespace {

template <class Kind>
using Names = std::array<std::string_view, std::size_t(Kind::count_)>;

constexpr Names<Violation> violation_names{
    "syntax",
    "bare_lf",
    "bare_cr",
    "nul",
    "eod_lookalike",
    "bad_line",
    "line_long",
    "nonascii",
    "early_talker",
    "sync",
    "starttls_inject",
    "bad_command",
    "non_smtp",
    "junk_flood",
    "harvest",
    "rcpt_limit",
    "split_route",
    "routed_address",
    "sequence",
    "size",
    "bdat_syntax",
    "bdat_flood",
    "proxy_untrusted",
    "hdr_inject",
    "ar_removed",
    "dkim_many",
    "loop",
    "error_limit",
    "slow_client",
    "rate_limit",
    "session_limit",
    "upstream_protocol",
    "upstream_early",
    "tls_error",
    "tls_refused",
    "tls_stall",
    "tls_truncated",
    "dns_spoof",
    "dns_malformed",
    "dns_budget",
    "header_limit",
    "header_malformed",
    "dup_header",
    "mime_limit",
    "mime_malformed",
    "mime_ambiguous",
    "name_ambiguous",
    "type_mismatch",
    "milter_protocol",
};

constexpr Names<Fault> fault_names{
    "upstream_down", "upstream_timeout", "upstream_tls", "client_info",  "outcome_unknown", "reply_lost",
    "client_lost",   "dns_timeout",      "dns_error",    "dnsbl_error",  "dnsbl_wildcard",  "milter_timeout",
    "milter_down",   "rule_error",       "rule_timeout", "rule_memory",  "spool",           "state",
    "log",           "resource",         "internal",     "cert_expired", "clock_suspect",   "reload_failed",
    "loop_stall",
};

constexpr Names<Total> total_names{
    "connections",
    "connections_refused",
    "tls_handshakes",
    "transactions",
    "relayed",
    "tagged",
    "rejected",
    "tempfailed",
    "discarded",
    "dropped",
    "recipients_accepted",
    "recipients_refused",
    "octets_received",
    "octets_relayed",
    "upstream_connections",
    "upstream_reused",
    "upstream_reopened",
    "upstreams_down",
    "upstreams_up",
    "upstreams_full",
    "dns_questions",
    "dns_cache_hits",
};

constexpr Names<Gauge> gauge_names{
    "sessions",   "tls_sessions", "upstream_open",      "upstream_idle",    "cert_expires_in_seconds",
    "held_bytes", "memory_bytes", "memory_limit_bytes", "pressure_percent",
};

// Fails if a kind is added to an enum but not to its table: the last name would be empty.
static_assert(!violation_names.back().empty() && !fault_names.back().empty() && !total_names.back().empty() &&
              !gauge_names.back().empty());

template <class Kind>
std::string_view look_up(const Names<Kind>& names, Kind kind) {
  ensure(kind < Kind::count_, "Counters: no such kind");
  return names[std::size_t(kind)];
}

}  // namespace

std::string_view name(Violation kind) { return look_up(violation_names, kind); }
std::string_view name(Fault kind) { return look_up(fault_names, kind); }
std::string_view name(Total total) { return look_up(total_names, total); }
std::string_view name(Gauge gauge) { return look_up(gauge_names, gauge); }

std::vector<std::pair<std::string, std::int64_t>> Counters::all() const {
  std::vector<std::pair<std::string, std::int64_t>> all;
  all.reserve(violation_names.size() + fault_names.size() + total_names.size() + gauge_names.size());
  auto append = [&](std::string_view before, std::string_view name, std::string_view after, auto value) {
    all.emplace_back(std::string(before).append(name).append(after), static_cast<std::int64_t>(value));
  };
  for (std::size_t i = 0; i < total_names.size(); ++i) {
    append("sallyport_", total_names[i], "_total", get(static_cast<Total>(i)));
  }
  for (std::size_t i = 0; i < violation_names.size(); ++i) {
    append("sallyport_violations_total{kind=\"", violation_names[i], "\"}", get(static_cast<Violation>(i)));
  }
  for (std::size_t i = 0; i < fault_names.size(); ++i) {
    append("sallyport_faults_total{kind=\"", fault_names[i], "\"}", get(static_cast<Fault>(i)));
  }
  for (std::size_t i = 0; i < gauge_names.size(); ++i) {
    append("sallyport_", gauge_names[i], "", get(static_cast<Gauge>(i)));
  }
  return all;
}

}  // namespace sallyport
