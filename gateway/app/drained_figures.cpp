#include "gateway/app/drained_figures.h"

#include <algorithm>
#include <utility>

#include "gateway/base/metric_sums.h"

namespace sallyport::app {

namespace {

Metric gauge(std::string name, std::string help, double value) {
  return {std::move(name), std::move(help), MetricType::gauge, {{"", {}, value}}};
}

}  // namespace

control::DrainedTaken DrainedFigures::take(control::Drained told, Time now) {
  if (!told.taker.empty() && told.taker != own_) return {own_, false};
  const auto known = processes_.find(told.process);
  if (known != processes_.end()) {
    if (told.number > known->second.last.number) known->second = {std::move(told), now};
    return {own_, true};
  }
  if (processes_.size() >= most_processes && !make_room(now)) return {own_, false};
  std::string process = told.process;
  processes_.emplace(std::move(process), Told{std::move(told), now});
  return {own_, true};
}

// Settles with one that drains no more.
bool DrainedFigures::make_room(Time now) {
  const auto over =
      std::find_if(processes_.begin(), processes_.end(), [now](const auto& one) { return one.second.is_over(now); });
  if (over == processes_.end()) return false;
  add_growth(others_, over->second.last.grown);
  processes_.erase(over);
  return true;
}

void DrainedFigures::add_to(Metrics& metrics, Time now) const {
  add_growth(metrics, others_);
  double count = 0, sessions = 0, memory = 0;
  for (const auto& [process, told] : processes_) {
    add_growth(metrics, told.last.grown);
    if (told.is_over(now)) continue;
    ++count;
    sessions += static_cast<double>(told.last.sessions);
    memory += static_cast<double>(told.last.memory);
  }
  metrics.push_back(
      gauge("sallyport_draining_processes", "Processes that have handed over and see their last sessions off.", count));
  metrics.push_back(gauge("sallyport_draining_sessions", "Sessions that these have open.", sessions));
  metrics.push_back(gauge("sallyport_draining_memory_bytes", "Memory that these have in use.", memory));
}

}  // namespace sallyport::app
