#include "policies/milters/pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/dns/answer.h"

namespace sallyport::policies {

namespace {

using Kind = MilterTrouble::Kind;
using std::chrono::seconds;

constexpr unsigned failures_to_rest = 3;
constexpr Duration rest_of_a_dead_one = seconds(2);
constexpr Duration farewell_time = seconds(5);
constexpr Duration longest_idle = seconds(60);
constexpr Duration sweep_interval = seconds(1);
// A connection that was used a moment ago is taken for one that stands.
constexpr Duration moment = seconds(1);
constexpr std::size_t most_idle = 20;
constexpr std::size_t most_addresses = 4;

Task<Result<std::vector<IpAddress>>> find_addresses(std::string host, dns::Type type, io::Resolver& resolver,
                                                    Time deadline) {
  // RFC 6761, 6.3.
  if (host == "localhost") co_return std::vector{*IpAddress::parse(type == dns::Type::A ? "127.0.0.1" : "::1")};
  dns::Question question{std::move(host), type};
  const dns::Answer answer = co_await resolver.lookup(std::move(question), deadline);
  std::vector<IpAddress> addresses;
  for (const dns::RecordData& record : answer.records) {
    const auto* ip = std::get_if<IpAddress>(&record);
    if (ip && addresses.size() < most_addresses) addresses.push_back(*ip);
  }
  if (addresses.empty()) co_return Failure{"dns: " + std::string(dns::name(answer.status))};
  co_return addresses;
}

MilterTrouble trouble_of(io::Error error) {
  if (error == io::Error::exhausted) return {Kind::own, "we have no descriptors or memory for a connection", false};
  if (error == io::Error::timed_out) return {Kind::slow, "connect: timeout", false};
  return {Kind::down, "connect: " + std::string(io::name(error)), false};
}

}  // namespace

// Rates and sessions are counted by /64, the least that an IPv6 client has to choose its addresses from. That will not
// do for a share of something that all have in common: a provider gives whoever asks a /56 or a /48, and he would have
// a share for each /64 of it. Rules' memories are shared out by /48, too.
MilterUser::MilterUser(const Client& client) : is_limited(!client.is_trusted) {
  constexpr unsigned v4_bits = 32;
  constexpr unsigned v6_bits = 48;
  network = IpNetwork::of(client.ip, client.ip.is_v4() ? v4_bits : v6_bits).to_string();
}

// One of the connections that a milter may have. Destroying it wakes who waits for one.
class MilterPool::Place {
 public:
  explicit Place(Hub& hub) : hub_(hub) { ++hub_.open; }
  ~Place() {
    --hub_.open;
    hub_.wake();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  Hub& hub_;
};

// A connection that a client of this network has.
class MilterPool::Held {
 public:
  Held(Hub& hub, const std::string& network) : hub_(hub), at_(hub.held.try_emplace(network).first) { ++at_->second; }
  ~Held() {
    if (--at_->second == 0) hub_.held.erase(at_);
    hub_.wake();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  Hub& hub_;
  const std::map<std::string, std::size_t>::iterator at_;
};

// A place in the line of those who wait for a connection.
class MilterPool::Waiting {
 public:
  Waiting(Hub& hub, const MilterUser& user, async::Signal& signal)
      : hub_(hub), user_(user), signal_(signal), at_(hub.waiting.insert(hub.waiting.end(), this)) {}
  ~Waiting() {
    hub_.waiting.erase(at_);
    hub_.wake();  // there may be more than one
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  const MilterUser& user() const { return user_; }
  void notify() { signal_.notify(); }

 private:
  Hub& hub_;
  const MilterUser& user_;
  async::Signal& signal_;
  const std::list<Waiting*>::iterator at_;
};

bool MilterPool::Hub::has_share_left(const MilterUser& user) const {
  if (!user.is_limited) return true;
  const auto found = held.find(user.network);
  return found == held.end() || found->second < (most + 1) / 2;
}

bool MilterPool::Hub::has_resting_of(const MilterUser& user) {
  for (async::ListNode* node = resting.empty() ? nullptr : resting.front(); node; node = resting.after(*node)) {
    if (static_cast<MilterHolder*>(node)->user().network == user.network) return true;
  }
  return false;
}

MilterPool::Waiting* MilterPool::Hub::next() {
  const auto found = std::find_if(waiting.begin(), waiting.end(), [this](Waiting* one) {
    return has_share_left(one->user()) || has_resting_of(one->user());
  });
  return found == waiting.end() ? nullptr : *found;
}

void MilterPool::Hub::wake() {
  if (Waiting* const first = next()) first->notify();
}

// The one who tries a milter that was down; whoever else comes meanwhile is told that it is.
class MilterPool::Try {
 public:
  explicit Try(Hub& hub) : hub_(hub) { hub_.is_trying = true; }
  ~Try() { hub_.is_trying = false; }
  Try(const Try&) = delete;
  Try& operator=(const Try&) = delete;

 private:
  Hub& hub_;
};

MilterPool::Hub& MilterPool::hub_of(const MilterSettings& milter) {
  ensure(!milter.address.empty(), "MilterPool: a milter without an address");
  return hubs_[milter.address.front().to_string()];
}

std::size_t MilterPool::most(const MilterSettings& milter) const {
  const auto all = static_cast<std::size_t>(milter.max_connections);
  return std::max<std::size_t>(1, all / std::max<std::size_t>(1, workers_));
}

std::unique_ptr<MilterConnection> MilterPool::take_idle(Hub& hub) {
  while (!hub.idle.empty()) {
    Idle last = std::move(hub.idle.back());
    hub.idle.pop_back();
    const Duration age = scheduler_.now() - last.since;
    const bool stands = age < moment ? last.connection->seems_fresh() : last.connection->is_fresh();
    if (age < longest_idle && stands) return std::move(last.connection);
  }
  return nullptr;
}

// The connection of the one that has said nothing for longest.
std::unique_ptr<MilterConnection> MilterPool::take_resting(Hub& hub, const MilterUser* of) {
  async::ListHead passed_over;
  std::unique_ptr<MilterConnection> taken;
  while (!hub.resting.empty()) {
    auto& holder = static_cast<MilterHolder&>(*hub.resting.front());
    if (of != nullptr && holder.user().network != of->network) {
      passed_over.push_back(holder);
      continue;
    }
    holder.unlink();
    std::unique_ptr<MilterConnection> connection = holder.give_up();
    if (!connection) continue;
    if (connection->is_at_rest() && connection->is_fresh() && connection->end_session())
      taken = std::move(connection);
    else  // one is enough: who needs a connection waits for the place of this one
      dismiss(std::move(connection));
    break;
  }
  passed_over.take_all(hub.resting);
  hub.resting.take_all(passed_over);
  return taken;
}

std::unique_ptr<MilterConnection> MilterPool::take_kept(Hub& hub, const MilterUser& user, bool anew) {
  if (!hub.has_share_left(user)) return take_resting(hub, &user);
  if (!anew) {
    if (auto kept = take_idle(hub)) return kept;
  }
  if (hub.open >= hub.most) hub.idle.clear();  // they take the places of new ones
  return hub.open < hub.most ? nullptr : take_resting(hub, nullptr);
}

void MilterPool::rest(Hub& hub, MilterHolder& holder) {
  hub.resting.push_back(holder);
  hub.wake();
}

Task<MilterPool::Acquired> MilterPool::acquire(Hub& hub, const MilterSettings& milter, const MilterUser& user,
                                               io::Resolver& resolver, Time deadline, bool anew) {
  hub.most = most(milter);
  if (hub.is_down && (hub.is_trying || scheduler_.now() < hub.next_try))
    co_return MilterTrouble{Kind::down, "it is down: " + hub.last_failure, false};
  async::Signal signal(scheduler_);
  Waiting waiting(hub, user, signal);
  while (true) {
    if (hub.next() == &waiting) {
      if (auto kept = take_kept(hub, user, anew)) {
        kept->serve(std::make_shared<Held>(hub, user.network));
        co_return std::move(kept);
      }
      if (hub.open < hub.most && hub.has_share_left(user)) break;
    }
    const async::Woken woken = co_await signal.wait(deadline);
    if (woken == async::Woken::timed_out) {
      const std::string all = std::to_string(hub.most);
      const bool is_own_share = hub.open < hub.most;
      co_return MilterTrouble{Kind::own,
                              is_own_share ? "clients of " + user.network + " have half of the " + all +
                                                 " connections that we may have to it"
                                           : "all " + all + " connections that we may have to it are in use",
                              false};
    }
  }
  auto place = std::make_shared<Place>(hub);
  auto held = std::make_shared<Held>(hub, user.network);
  auto opened = co_await open(milter, hub, std::move(place), resolver, deadline);
  if (opened) (*opened)->serve(std::move(held));
  co_return opened;
}

Task<MilterPool::Acquired> MilterPool::open(const MilterSettings& milter, Hub& hub, std::shared_ptr<void> place,
                                            io::Resolver& resolver, Time deadline) {
  std::optional<Try> is_trying;
  if (hub.is_down) is_trying.emplace(hub);
  auto stream = co_await dial(milter.address.front(), resolver, deadline);
  if (!stream) {
    note(milter, hub, &stream.error());
    co_return std::move(stream).error();
  }
  auto connection = std::make_unique<MilterConnection>(scheduler_, std::move(*stream), std::move(place));
  auto agreed = co_await connection->negotiate({milter.command_timeout, deadline});
  note(milter, hub, agreed ? nullptr : &agreed.error());
  if (!agreed) co_return std::move(agreed).error();
  co_return std::move(connection);
}

Task<Result<std::unique_ptr<io::Stream>, MilterTrouble>> MilterPool::dial(const Endpoint& at, io::Resolver& resolver,
                                                                          Time deadline) {
  if (at.is_unix()) {
    auto dialled = co_await dialer_.dial_unix(at.path(), deadline);
    if (!dialled) co_return trouble_of(dialled.error());
    co_return std::move(*dialled);
  }
  if (!at.is_name()) {
    auto dialled = co_await dialer_.dial(at.address(), deadline);
    if (!dialled) co_return trouble_of(dialled.error());
    co_return std::move(*dialled);
  }
  MilterTrouble trouble{Kind::down, "dns: no_data", false};
  for (const dns::Type type : {dns::Type::A, dns::Type::AAAA}) {
    const auto addresses = co_await find_addresses(at.host(), type, resolver, deadline);
    if (!addresses) {
      if (type == dns::Type::A) trouble.words = addresses.error().message;
      continue;
    }
    for (const IpAddress& ip : *addresses) {
      // One that does not answer leaves time for the others.
      const Duration left = std::max(deadline - scheduler_.now(), Duration::zero());
      auto dialled = co_await dialer_.dial({ip, at.port()}, scheduler_.now() + left / 2);
      if (dialled) co_return std::move(*dialled);
      trouble = trouble_of(dialled.error());
    }
  }
  co_return trouble;
}

// Changes of its state are logged once.
void MilterPool::note(const MilterSettings& milter, Hub& hub, const MilterTrouble* trouble) {
  if (trouble != nullptr && trouble->kind == Kind::own) return;  // says nothing of the milter
  const std::string called = milter.shown_name();
  if (trouble == nullptr) {
    hub.failures = 0;
    if (!std::exchange(hub.is_down, false)) return;
    log_.write(LogLevel::info, "milter", {{"name", called}, {"state", std::string_view("up")}});
    return;
  }
  hub.last_failure = trouble->words;
  if (++hub.failures < failures_to_rest) return;
  hub.next_try = scheduler_.now() + rest_of_a_dead_one;
  if (std::exchange(hub.is_down, true)) return;
  log_.write(LogLevel::error, "milter",
             {{"name", called}, {"state", std::string_view("down")}, {"detail", std::string_view(trouble->words)}});
}

void MilterPool::give_back(Hub& hub, bool may_be_reused, std::unique_ptr<MilterConnection> connection) noexcept {
  if (!connection) return;
  try {
    if (!connection->is_at_rest()) return;  // an answer is owed: dropped as it is
    const bool may_be_kept = may_be_reused && hub.idle.size() < most_idle && connection->seems_fresh();
    const bool is_kept = may_be_kept && connection->end_session();
    if (is_kept) {
      hub.idle.push_back({std::move(connection), scheduler_.now()});
      hub.idle.back().connection->serve(nullptr);
      hub.wake();
      if (!hub.is_swept) tasks_.spawn(sweep(hub));
    } else {
      connection->abort_message();
      tasks_.spawn(part_with(std::move(connection)));
    }
  } catch (const std::exception&) {
    // Without memory for a farewell it is closed without one; and none is kept that nobody looks after.
    if (!hub.is_swept) hub.idle.clear();
  }
}

void MilterPool::dismiss(std::unique_ptr<MilterConnection> connection) noexcept {
  try {
    if (connection->is_at_rest()) tasks_.spawn(part_with(std::move(connection)));
  } catch (const std::exception&) {
  }
}

Task<void> MilterPool::part_with(std::unique_ptr<MilterConnection> connection) {
  co_await connection->farewell(scheduler_.now() + farewell_time);
}

// Until none is kept: milters are told of the end of sessions, and connections that are too old, or that the milter has
// closed, go.
Task<void> MilterPool::sweep(Hub& hub) {
  struct Sweeping {
    explicit Sweeping(Hub& swept) : hub(swept) { hub.is_swept = true; }
    Sweeping(const Sweeping&) = delete;
    Sweeping& operator=(const Sweeping&) = delete;
    // Some are left when memory has run out.
    ~Sweeping() {
      hub.is_swept = false;
      hub.idle.clear();
    }
    Hub& hub;
  };
  const Sweeping until_its_end(hub);
  while (!hub.idle.empty()) {
    co_await async::sleep_for(scheduler_, sweep_interval);
    for (Idle& one : std::exchange(hub.idle, {})) {
      const bool is_over = scheduler_.now() - one.since >= longest_idle || !one.connection->is_fresh();
      if (is_over) {
        co_await part_with(std::move(one.connection));
        continue;
      }
      if (!one.is_told) one.is_told = co_await one.connection->settle(scheduler_.now() + farewell_time);
      if (!one.is_told) {
        one.connection.reset();
        continue;
      }
      hub.idle.push_back(std::move(one));
      hub.wake();
    }
  }
}

}  // namespace sallyport::policies
