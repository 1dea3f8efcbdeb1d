// What `sallyport top` shows: two looks at the daemon's figures, made into lines for a terminal or into JSON.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/metric.h"
#include "gateway/control/metrics.h"

namespace sallyport::cli {

// What the daemon does, from two looks at its figures. Rates are those of the time between the looks; of one look
// alone, those since the daemon's start.
struct TopFigures {
  struct Rate {
    std::string what;
    double per_second = 0;

    template <class V>
    void fields(V& visit) {
      visit("what", what);
      visit("per_second", per_second);
    }
  };
  struct Slow {
    std::string what;
    double seconds = 0;    // that nineteen of twenty took at most, rounded up to the bound of a bucket
    bool is_more = false;  // longer than the last bound

    template <class V>
    void fields(V& visit) {
      visit("what", what);
      visit("seconds", seconds);
      visit("is_more", is_more);
    }
  };

  double uptime = 0;  // seconds
  double sessions = 0;
  double tls_sessions = 0;
  double draining_processes = 0;  // that see their last sessions off after an upgrade
  double draining_sessions = 0;
  double pressure_percent = 0;
  double held_bytes = 0;
  double memory_bytes = 0;
  double upstream_open = 0;
  double upstream_idle = 0;
  std::vector<Rate> verdicts;
  std::vector<Slow> slowest;         // the slowest first; what did not happen is not there
  std::vector<std::string> trouble;  // sentences: why it is not ready, servers and lists that are not asked

  template <class V>
  void fields(V& visit) {
    visit("uptime", uptime);
    visit("sessions", sessions);
    visit("tls_sessions", tls_sessions);
    visit("draining_processes", draining_processes);
    visit("draining_sessions", draining_sessions);
    visit("pressure_percent", pressure_percent);
    visit("held_bytes", held_bytes);
    visit("memory_bytes", memory_bytes);
    visit("upstream_open", upstream_open);
    visit("upstream_idle", upstream_idle);
    visit("verdicts", verdicts);
    visit("slowest", slowest);
    visit("trouble", trouble);
  }
};

// `before` is null for the first look; `seconds` is the time between the two.
TopFigures top_figures(const control::State& now, const control::State* before, double seconds);
// Lines without control characters, none longer than `width`, at most `height` of them. What is in trouble stands right
// below the title.
std::vector<std::string> top_lines(const TopFigures& figures, std::size_t width, std::size_t height);

}  // namespace sallyport::cli
