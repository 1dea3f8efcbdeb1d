#include "gateway/cli/top_view.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "gateway/base/text_safety.h"
#include "gateway/cli/quantity_text.h"

namespace sallyport::cli {

namespace {

constexpr double share_of_slow = 0.95;
constexpr std::size_t most_slow = 5;

std::string label_of(const MetricSample& sample, std::string_view label) {
  for (const auto& [name, value] : sample.labels) {
    if (name == label) return value;
  }
  return {};
}

// What tells the histograms of one name apart: "headers" of {stage="headers",le="5"}.
std::string labels_of(const MetricSample& sample) {
  std::string labels;
  for (const auto& [name, value] : sample.labels) {
    if (name == "le") continue;
    if (!labels.empty()) labels += ' ';
    labels += value;
  }
  return labels;
}

// The buckets of one histogram: how many took at most so long.
using Buckets = std::map<double, double>;

std::map<std::string, Buckets> buckets_of(const control::State& state, const Metric& metric) {
  std::map<std::string, Buckets> all;
  const Metric* found = find_metric(state.metrics, metric.name);
  if (found == nullptr) return all;
  for (const MetricSample& sample : found->samples) {
    if (sample.suffix != "_bucket") continue;
    const std::string bound = label_of(sample, "le");
    const double seconds = bound == "+Inf" ? std::numeric_limits<double>::infinity() : std::atof(bound.c_str());
    all[labels_of(sample)][seconds] = sample.value;
  }
  return all;
}

// "sallyport_upstream_final_reply_seconds" -> "upstream final reply"
std::string words_of_name(std::string_view name, const std::string& labels) {
  constexpr std::string_view begin = "sallyport_";
  constexpr std::string_view end = "_seconds";
  if (name.starts_with(begin)) name.remove_prefix(begin.size());
  if (name.ends_with(end)) name.remove_suffix(end.size());
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return labels.empty() ? words : words + " " + labels;
}

std::vector<TopFigures::Slow> slowest_of(const control::State& now, const control::State* before) {
  std::vector<TopFigures::Slow> slowest;
  for (const Metric& metric : now.metrics) {
    if (metric.type != MetricType::histogram) continue;
    auto known = before ? buckets_of(*before, metric) : std::map<std::string, Buckets>();
    for (auto& [labels, buckets] : buckets_of(now, metric)) {
      for (auto& [bound, count] : buckets) count -= known[labels][bound];
      const double all = buckets.empty() ? 0 : buckets.rbegin()->second;
      if (all <= 0) continue;
      const auto found = std::find_if(buckets.begin(), buckets.end(),
                                      [&](const auto& bucket) { return bucket.second >= share_of_slow * all; });
      TopFigures::Slow slow{words_of_name(metric.name, labels), found->first, false};
      if (std::isinf(slow.seconds)) {
        slow.is_more = true;
        slow.seconds = buckets.size() > 1 ? std::next(buckets.rbegin())->first : 0;
      }
      slowest.push_back(std::move(slow));
    }
  }
  std::stable_sort(slowest.begin(), slowest.end(), [](const auto& a, const auto& b) {
    return std::pair(a.seconds, a.is_more) > std::pair(b.seconds, b.is_more);
  });
  if (slowest.size() > most_slow) slowest.resize(most_slow);
  return slowest;
}

std::vector<std::string> trouble_of(const control::State& now) {
  std::vector<std::string> trouble = now.not_ready;
  if (const Metric* up = find_metric(now.metrics, "sallyport_upstream_server_up")) {
    for (const MetricSample& sample : up->samples) {
      if (sample.value == 0)
        trouble.push_back("server " + label_of(sample, "server") + " of upstream " + label_of(sample, "upstream") +
                          " takes no mail");
    }
  }
  if (const Metric* asked = find_metric(now.metrics, "sallyport_list_asked")) {
    for (const MetricSample& sample : asked->samples) {
      if (sample.value == 0) trouble.push_back("list " + label_of(sample, "list") + " is not asked");
    }
  }
  return trouble;
}

// At most `most` lines, but two where there is anything to say.
std::vector<std::string> trouble_lines(const std::vector<std::string>& trouble, std::size_t most) {
  if (trouble.empty()) return {"no trouble"};
  std::vector<std::string> lines{"trouble"};
  const std::size_t room = std::max<std::size_t>(most, 2) - 1;
  const std::size_t shown = trouble.size() <= room ? trouble.size() : room - 1;
  for (std::size_t i = 0; i < shown; ++i) lines.push_back("  " + text::showable(trouble[i]));
  if (shown < trouble.size()) lines.push_back("  and " + std::to_string(trouble.size() - shown) + " more");
  return lines;
}

std::vector<std::string> lines_below_trouble(const TopFigures& figures) {
  std::vector<std::string> lines;
  lines.push_back("sessions " + number_text(figures.sessions, 0) + " (TLS " + number_text(figures.tls_sessions, 0) +
                  "), pressure " + number_text(figures.pressure_percent, 0) + " %, memory " +
                  octets_text(figures.memory_bytes) + ", held by messages " + octets_text(figures.held_bytes));
  if (figures.draining_processes > 0)
    lines.push_back("sessions of " + number_text(figures.draining_processes, 0) +
                    " processes before this one: " + number_text(figures.draining_sessions, 0));
  lines.push_back("connections to servers behind: " + number_text(figures.upstream_open, 0) + ", idle " +
                  number_text(figures.upstream_idle, 0));
  lines.push_back("");
  lines.push_back("mails per second");
  for (const auto& [what, per_second] : figures.verdicts) {
    std::string name = "  " + what;
    name.resize(std::max<std::size_t>(name.size(), 14), ' ');
    lines.push_back(name + number_text(per_second, 2));
  }
  lines.push_back("");
  lines.push_back("slowest (19 of 20 took at most)");
  if (figures.slowest.empty()) lines.push_back("  nothing was measured");
  for (const TopFigures::Slow& slow : figures.slowest)
    lines.push_back("  " + text::showable(slow.what) + "  " + (slow.is_more ? "more than " : "") +
                    time_text(slow.seconds));
  return lines;
}

}  // namespace

TopFigures top_figures(const control::State& now, const control::State* before, double seconds) {
  TopFigures figures;
  figures.uptime = value_of(now.metrics, "sallyport_uptime_seconds");
  // A daemon that was started anew meanwhile counts from nothing.
  if (before && value_of(before->metrics, "sallyport_uptime_seconds") > figures.uptime) before = nullptr;
  if (!before) seconds = figures.uptime;
  figures.sessions = value_of(now.metrics, "sallyport_sessions");
  figures.tls_sessions = value_of(now.metrics, "sallyport_tls_sessions");
  figures.draining_processes = value_of(now.metrics, "sallyport_draining_processes");
  figures.draining_sessions = value_of(now.metrics, "sallyport_draining_sessions");
  figures.pressure_percent = value_of(now.metrics, "sallyport_pressure_percent");
  figures.held_bytes = value_of(now.metrics, "sallyport_held_bytes");
  figures.memory_bytes = value_of(now.metrics, "sallyport_memory_bytes");
  figures.upstream_open = value_of(now.metrics, "sallyport_upstream_open");
  figures.upstream_idle = value_of(now.metrics, "sallyport_upstream_idle");
  for (const char* verdict : {"relayed", "tagged", "rejected", "tempfailed", "discarded", "dropped"}) {
    const std::string name = "sallyport_" + std::string(verdict) + "_total";
    const double count = value_of(now.metrics, name) - (before ? value_of(before->metrics, name) : 0);
    figures.verdicts.push_back({verdict, seconds > 0 ? count / seconds : 0});
  }
  figures.slowest = slowest_of(now, before);
  figures.trouble = trouble_of(now);
  return figures;
}

std::vector<std::string> top_lines(const TopFigures& figures, std::size_t width, std::size_t height) {
  std::vector<std::string> lines{"sallyport, up " + span_text(figures.uptime)};
  std::vector<std::string> rest = lines_below_trouble(figures);
  // Trouble comes first. Where there is much of it on a small terminal, it leaves two thirds to the rest.
  const std::size_t room = std::max(height / 3, height - std::min(height, lines.size() + rest.size()));
  const std::vector<std::string> trouble = trouble_lines(figures.trouble, room);
  lines.insert(lines.end(), trouble.begin(), trouble.end());
  lines.insert(lines.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  if (lines.size() > height) lines.resize(height);
  for (std::string& line : lines) line.resize(std::min(line.size(), width));
  return lines;
}

}  // namespace sallyport::cli
