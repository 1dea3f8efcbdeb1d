#include "lua/engine/rule_book.h"

#include <algorithm>

namespace sallyport::lua {

namespace {

// What may be one client: with IPv6 a client can choose any address of its /64.
IpAddress network_of(const IpAddress& client) { return client.is_v4() ? client : IpNetwork::of(client, 64).base(); }

}  // namespace

bool RuleTrouble::is_suspended_for(const IpAddress& client) const {
  if (!suspended_.load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(mutex_);
  return clients_.contains(network_of(client));
}

bool RuleTrouble::note_failure(Time now, const IpAddress& client) {
  const std::lock_guard lock(mutex_);
  if (suspended_) {
    remember(network_of(client));
    return false;
  }
  // The place of the oldest of the last most_failures, which this one replaces.
  failures_[count_ % most_failures] = {now, network_of(client)};
  ++count_;
  if (count_ < most_failures || now - failures_[count_ % most_failures].when > span) return false;
  for (const Failure& failure : failures_) remember(failure.client);
  suspended_ = true;
  return true;
}

void RuleTrouble::remember(const IpAddress& client) {
  if (!clients_.insert(client).second) return;
  by_age_.push_back(client);
  if (by_age_.size() <= most_clients) return;
  clients_.erase(by_age_.front());
  by_age_.pop_front();
}

void RuleBook::begin_load() {
  const std::lock_guard lock(kept_->mutex);
  kept_->troubles.clear();
}

std::shared_ptr<RuleTrouble> RuleBook::trouble(std::string_view tenant, std::string_view folder,
                                               std::string_view rule) {
  const std::lock_guard lock(kept_->mutex);
  auto& found = kept_->troubles[std::string(tenant) + '\n' + std::string(folder) + '\n' + std::string(rule)];
  if (!found) found = std::make_shared<RuleTrouble>();
  return found;
}

std::shared_ptr<RuleTally> RuleBook::tally(std::string_view rule) {
  const std::lock_guard lock(kept_->mutex);
  const auto known = kept_->tallies.find(rule);
  if (known != kept_->tallies.end()) return known->second;
  auto made = std::make_shared<RuleTally>();
  if (kept_->tallies.size() < most_rules) kept_->tallies.emplace(rule, made);
  return made;
}

std::shared_ptr<RuleTimes> RuleBook::times(std::string_view rule) {
  const std::lock_guard lock(kept_->mutex);
  auto known = kept_->times.find(rule);
  if (known == kept_->times.end()) {
    if (kept_->times.size() >= most_timed) return std::make_shared<RuleTimes>();
    known = kept_->times.try_emplace(std::string(rule)).first;
  }
  auto& all = known->second;
  const auto is_free = [](const std::shared_ptr<RuleTimes>& one) { return one.use_count() == 1; };
  if (const auto free = std::find_if(all.begin(), all.end(), is_free); free != all.end()) return *free;
  return all.emplace_back(std::make_shared<RuleTimes>());
}

std::vector<RuleBook::TimesOfRule> RuleBook::all_times() const {
  const std::lock_guard lock(kept_->mutex);
  std::vector<TimesOfRule> all;
  for (const auto& [rule, times] : kept_->times) {
    TimesOfRule& of_rule = all.emplace_back(TimesOfRule{rule, {}});
    for (const auto& one : times) of_rule.times.push_back(&one->took);
  }
  return all;
}

std::vector<std::pair<std::string, std::int64_t>> RuleBook::counters() const {
  const std::lock_guard lock(kept_->mutex);
  std::vector<std::pair<std::string, std::int64_t>> all;
  for (const auto& [rule, tally] : kept_->tallies) {
    const auto add = [&](std::string_view what, const std::atomic<std::uint64_t>& count) {
      all.emplace_back("sallyport_rule_" + std::string(what) + "_total{rule=\"" + rule + "\"}",
                       static_cast<std::int64_t>(count.load(std::memory_order_relaxed)));
    };
    add("hits", tally->hits);
    add("would_have", tally->would_have);
    add("failures", tally->failures);
    add("suspensions", tally->suspensions);
  }
  return all;
}

}  // namespace sallyport::lua
