#include "gateway/app/session_reports.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "gateway/base/text_safety.h"

namespace sallyport::app {

namespace {

// True: `one` stands before `other`. The id makes the order the same each time.
bool comes_before(const session::Look& one, const session::Look& other, control::SessionOrder order) {
  const auto rank = [order](const session::Look& look) {
    switch (order) {
      case control::SessionOrder::idle:
        return look.client_silent_since.value_or(Time::max()).time_since_epoch().count();
      case control::SessionOrder::held:
        return -static_cast<Duration::rep>(look.held_octets);
      case control::SessionOrder::state:
        return look.in_phase_since.time_since_epoch().count();
      case control::SessionOrder::age:
        break;
    }
    return look.began.time_since_epoch().count();
  };
  const auto whole_rank = [&](const session::Look& look) { return std::tuple(rank(look), look.began); };
  const auto of_one = whole_rank(one), of_other = whole_rank(other);
  return of_one < of_other || (of_one == of_other && one.id < other.id);
}

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::max(duration, Duration::zero())).count();
}

control::SessionReport report_of(const session::Look& look, std::size_t worker, Time now) {
  control::SessionReport report;
  report.id = look.id;
  report.state = word(look.phase);
  report.verb = look.verb;
  report.protocol = look.protocol;
  report.peer = look.peer.to_string();
  report.client = look.client.to_string();
  report.listener = look.listener.to_string();
  report.tenant = look.tenant;
  report.tls = look.is_tls;
  report.helo = text::showable(look.helo);
  if (look.sender) report.sender = text::showable(*look.sender);
  report.recipients = look.recipients;
  report.held = look.held_octets;
  report.worker = worker;
  report.age = milliseconds(now - look.began);
  report.in_state = milliseconds(now - look.in_phase_since);
  if (look.client_silent_since) report.idle = milliseconds(now - *look.client_silent_since);
  return report;
}

}  // namespace

void FirstSessions::offer(session::Look look) {
  const auto before = [this](const session::Look& one, const session::Look& other) {
    return comes_before(one, other, order_);
  };
  if (kept_.size() >= most_) {
    if (!before(look, kept_.front())) return;
    std::pop_heap(kept_.begin(), kept_.end(), before);
    kept_.back() = std::move(look);
  } else {
    kept_.push_back(std::move(look));
  }
  std::push_heap(kept_.begin(), kept_.end(), before);
}

control::SessionReports session_reports(std::vector<SeenSessions::Part> parts, const control::SessionsRequest& request,
                                        std::size_t workers, const Moment& moment) {
  struct Placed {
    const session::Look* look;
    std::size_t worker;
  };
  control::SessionReports reports;
  reports.silent_workers = workers - std::min(workers, parts.size());
  std::vector<Placed> all;
  for (const SeenSessions::Part& part : parts) {
    reports.open += part.open;
    for (const session::Look& look : part.first) all.push_back({&look, part.worker});
  }
  const std::size_t told = std::min(all.size(), request.limit);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(told), all.end(),
                    [&request](const Placed& one, const Placed& other) {
                      return comes_before(*one.look, *other.look, request.order);
                    });
  reports.sessions.reserve(told);
  for (std::size_t i = 0; i < told; ++i) {
    reports.sessions.push_back(report_of(*all[i].look, all[i].worker, moment.now));
  }
  return reports;
}

}  // namespace sallyport::app
