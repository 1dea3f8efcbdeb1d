#include "gateway/upstream/name_book.h"

#include <algorithm>
#include <utility>

#include "gateway/async/when.h"

namespace sallyport::upstream {

namespace {

// Each look-up holds two sockets of the resolver.
constexpr std::size_t most_at_once = 16;

std::vector<IpAddress> joined(const std::vector<IpAddress>& v4, const std::vector<IpAddress>& v6) {
  std::vector<IpAddress> all = v4;
  all.insert(all.end(), v6.begin(), v6.end());
  return all;
}

// Takes what the answer says of its family. A failure says nothing; then the addresses of before stay.
void take(const dns::Answer& answer, std::vector<IpAddress>& family) {
  if (answer.failed()) return;
  family.clear();
  for (const dns::RecordData& record : answer.records) {
    if (const auto* ip = std::get_if<IpAddress>(&record)) family.push_back(*ip);
  }
  std::sort(family.begin(), family.end());
  family.erase(std::unique(family.begin(), family.end()), family.end());
}

}  // namespace

Names names_of(const config::Settings& settings) {
  Names names;
  for (const auto& [name, upstream] : settings.upstreams) {
    for (const Endpoint& server : upstream.servers) {
      if (server.is_name()) names.insert(server.host());
    }
  }
  return names;
}

void NameBook::recall(const std::string& name, const IpAddress& address) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[name];
  std::vector<IpAddress>& family = address.is_v4() ? entry.v4 : entry.v6;
  const auto place = std::lower_bound(family.begin(), family.end(), address);
  if (place == family.end() || *place != address) family.insert(place, address);
}

std::vector<IpAddress> NameBook::addresses(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return {};
  return joined(entry->second.v4, entry->second.v6);
}

std::string NameBook::problem(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(name);
  return entry == entries_.end() ? std::string() : entry->second.problem;
}

Time NameBook::due(const Names& names) const {
  const std::lock_guard lock(mutex_);
  Time first = Time::max();
  for (const std::string& name : names) {
    const auto entry = entries_.find(name);
    first = std::min(first, entry == entries_.end() ? Time() : entry->second.ask_again);
  }
  return first;
}

void NameBook::forget_others(const Names& names) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& entry) { return !names.contains(entry.first); });
}

Task<NameBook::Entry> NameBook::look_up(std::string name, Entry before, const HostsTable& hosts, io::Resolver& dns,
                                        async::Scheduler& scheduler, Time deadline) {
  Entry entry;
  for (const IpAddress& ip : hosts.find(name)) (ip.is_v4() ? entry.v4 : entry.v6).push_back(ip);
  entry.ask_again = scheduler.now() + look_again;
  if (!entry.v4.empty() || !entry.v6.empty()) co_return entry;

  std::vector<Task<dns::Answer>> questions;
  questions.push_back(dns.lookup({name, dns::Type::A}, deadline));
  questions.push_back(dns.lookup({name, dns::Type::AAAA}, deadline));
  const std::vector<dns::Answer> answers = co_await async::when_all(scheduler, std::move(questions));

  entry.v4 = before.v4;
  entry.v6 = before.v6;
  take(answers[0], entry.v4);
  take(answers[1], entry.v6);
  const bool is_absent = entry.v4.empty() && entry.v6.empty();
  Duration life = longest_life;
  for (const dns::Answer& answer : answers) {
    if (!answer.failed()) {
      life = std::min<Duration>(life, answer.ttl);
      continue;
    }
    // A family that has no addresses is not missed while the other has some: there are name servers that never answer
    // for AAAA.
    const bool is_missed = is_absent || !(&answer == &answers[0] ? before.v4 : before.v6).empty();
    if (is_missed) entry.problem = dns::name(answer.status);
    if (is_missed) life = std::min(life, look_again);
  }
  if (is_absent) {
    const bool is_nxdomain = answers[0].status == dns::Status::nxdomain || answers[1].status == dns::Status::nxdomain;
    if (entry.problem.empty()) entry.problem = dns::name(is_nxdomain ? dns::Status::nxdomain : dns::Status::no_data);
    entry.v4 = std::move(before.v4);
    entry.v6 = std::move(before.v6);
    life = std::min(life, look_again);
  }
  entry.ask_again = scheduler.now() + std::max(life, shortest_life);
  co_return entry;
}

Task<std::optional<NameBook::News>> NameBook::renew(std::string name, const HostsTable& hosts, io::Resolver& dns,
                                                    async::Scheduler& scheduler, Time deadline) {
  Entry before;
  {
    const std::lock_guard lock(mutex_);
    before = entries_[name];
  }
  Entry entry = co_await look_up(name, before, hosts, dns, scheduler, deadline);
  News news{std::move(name), joined(entry.v4, entry.v6), entry.problem, false};
  news.has_changed = news.addresses != joined(before.v4, before.v6);
  const bool is_news = news.has_changed || entry.problem.empty() != before.problem.empty();
  const std::lock_guard lock(mutex_);
  entries_[news.name] = std::move(entry);
  if (!is_news) co_return std::nullopt;
  co_return news;
}

Task<std::vector<NameBook::News>> NameBook::refresh(const Names& names, const HostsTable& hosts, io::Resolver& dns,
                                                    async::Scheduler& scheduler, Time deadline) {
  std::vector<std::string> asked;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : names) {
      const auto entry = entries_.find(name);
      if (entry == entries_.end() || entry->second.ask_again <= scheduler.now()) asked.push_back(name);
    }
  }
  std::vector<News> all;
  for (std::size_t i = 0; i < asked.size();) {
    std::vector<Task<std::optional<News>>> batch;
    for (; i < asked.size() && batch.size() < most_at_once; ++i)
      batch.push_back(renew(asked[i], hosts, dns, scheduler, deadline));
    for (std::optional<News>& news : co_await async::when_all(scheduler, std::move(batch))) {
      if (news) all.push_back(std::move(*news));
    }
  }
  co_return all;
}

}  // namespace sallyport::upstream
