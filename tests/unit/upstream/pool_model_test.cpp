// The pools of several workers against a model: whatever servers and clients do, at each moment
//   - nobody waits while a server that is up has a free place, or an idle connection, of use to him;
//   - no more connections are given up than there are who wait;
//   - no more places of a server are taken than it has;
//   - at most one probe of a server is under way, and it does not last;
//   - nobody is served who has gone, or waits on;
//   - a shortage of our own puts no server down;
// and in the end no place, connection or gauge is left over.
//
// Each run is drawn from a seed: servers, limits, workers, and some eighty steps. A failure names the seed and tells
// its steps; SALLYPORT_POOL_MODEL_SEED=n runs that one alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <list>
#include <random>

#include "gateway/upstream/pool.h"
#include "gateway/upstream/registry.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/unit/upstream/pool_model_world.h"

namespace sallyport::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lease = UpstreamPool::Lease;

// How long a pool may take to find out by looking what nobody tells it: a few of its rounds.
constexpr Duration patience = milliseconds(200);
// How long what can be given up may stay in the way: a server that does not answer QUIT has 200 ms.
constexpr Duration patience_with_idle = milliseconds(600);

// One mail that wants a connection, and then has one.
struct Mail final : SilentTransaction {
  std::uint64_t number = 0;
  std::size_t worker = 0;
  UpstreamPool* pool = nullptr;
  int* given_up = nullptr;
  std::shared_ptr<UpstreamGroup> group;
  std::vector<FailedServer> failed;
  model::Client client;
  std::optional<ClientInfo> spoken_for;
  bool is_fresh = false;
  Time deadline{};
  std::optional<Time> gone_since;
  bool has_ended = false;  // acquire() has
  Lease lease;
  std::unique_ptr<async::Nursery> asking;

  UpstreamServer* held_server() const override { return lease ? &lease.server() : nullptr; }
  void give_up() noexcept override {
    unlink();
    ++*given_up;
    pool->give_up(std::move(lease));
  }
  bool is_pending() const { return asking != nullptr && !has_ended; }
  bool could_use(const UpstreamServer& server, Time now) const {
    const bool is_ours = std::any_of(group->servers.begin(), group->servers.end(),
                                     [&](const auto& one) { return one.get() == &server; });
    const bool has_failed = std::any_of(failed.begin(), failed.end(), [&](const FailedServer& one) {
      return one.server == &server && !one.is_forgiven && !(one.may_recover && !server.is_down(now));
    });
    return is_pending() && !client.is_gone && now < deadline && is_ours && !has_failed;
  }
};

class PoolModel {
 public:
  explicit PoolModel(std::uint64_t seed) : random_(seed) {}

  // Empty: all is well. Else what is not, and how it came to it.
  std::string run() {
    set_up();
    for (int i = 0; i < 80 && fault_.empty(); ++i) step();
    if (fault_.empty()) wind_up();
    if (fault_.empty()) return {};
    std::string story = fault_ + "\n";
    for (const std::string& line : story_) story += "  " + line + "\n";
    return story;
  }

 private:
  // -- chance

  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  void note(std::string what) {
    const auto since = std::chrono::duration_cast<milliseconds>(loop_.now().time_since_epoch() - std::chrono::hours(1));
    story_.push_back(std::to_string(since.count()) + " ms: " + std::move(what));
  }
  void fault(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }

  // -- the world

  static SocketAddress address(std::size_t index) {
    return *SocketAddress::parse("10.0.0." + std::to_string(1 + index) + ":25");
  }

  void set_up() {
    settings_.hostname = "mx.example.com";
    settings_.timeouts.upstream_connect = seconds(5);
    config::UpstreamSettings& group = settings_.upstreams["default"];
    group.name = "default";
    group.tls.mode = tls::UpstreamTls::off;
    group.balance = one_in(2) ? config::Balance::failover : config::Balance::least_sessions;
    using config::ClientInfoWay;
    const ClientInfoWay ways[] = {ClientInfoWay::headers, ClientInfoWay::headers, ClientInfoWay::xclient,
                                  ClientInfoWay::proxy_v1};
    group.client_info = ways[below(4)];
    // Most runs have connections that live on, so that each that is closed is closed for somebody.
    ages_ = one_in(4) || group.client_info != ClientInfoWay::headers;
    group.connection_age = one_in(4) && ages_ ? seconds(3) : std::chrono::hours(1);
    group.connection_idle = one_in(4) && ages_ ? seconds(1) : std::chrono::hours(1);
    group.connection_mails = 1000000;
    group.health_interval = one_in(2) ? milliseconds(300) : seconds(5);
    configure();
    workers_ = 1 + below(3);
    for (std::size_t i = 0; i < workers_; ++i) add_pool(false);
    // These carry no mails: all that they open are probes.
    for (int i = 0; i < 2; ++i) {
      add_pool(true);
      probes_.spawn(pools_.back()->probe_for_ever());
    }
    note(std::to_string(workers_) + " workers, " + std::to_string(static_cast<int>(group.client_info)));
  }

  void configure() {
    config::UpstreamSettings& group = settings_.upstreams["default"];
    group.servers.clear();
    const std::size_t first = below(3);
    const std::size_t count = 1 + below(3);
    for (std::size_t i = 0; i < count; ++i) group.servers.push_back(Endpoint(address((first + i) % 4)));
    group.max_connections = 1 + below(4);
    most_ever_ = std::max<std::uint64_t>(most_ever_, group.max_connections);
    groups_ = registry_.make_groups(settings_, {});
    for (const auto& server : groups_.at("default")->servers) known_[server->name()] = server;
    note("configured: " + std::to_string(count) + " servers from " + std::to_string(1 + first) + ", each " +
         std::to_string(group.max_connections) + " connections");
  }

  void add_pool(bool is_for_probes) {
    dialers_.push_back(std::make_unique<model::Dialer>(loop_.scheduler(), servers_, is_for_probes));
    pools_.push_back(std::make_unique<UpstreamPool>(loop_.scheduler(), *dialers_.back(), counters_, log_, groups_));
    pools_.back()->share_places_with(registry_.neighbours(),
                                     [this](std::function<void()> told) { calls_.spawn(tell(std::move(told))); });
  }
  Task<void> tell(std::function<void()> told) {
    co_await async::sleep_for(loop_.scheduler(), milliseconds(1));
    told();
  }

  // -- mails

  Task<void> ask(Mail& mail) {
    const UpstreamServer* preferred = nullptr;
    if (one_in(4)) preferred = mail.group->servers[below(mail.group->servers.size())].get();
    UpstreamPool::Wish wish{mail.deadline, mail.is_fresh, preferred, &mail.client, nullptr};
    if (mail.spoken_for) wish.spoken_for = &*mail.spoken_for;
    auto got = co_await mail.pool->acquire(*mail.group, mail.failed, wish);
    mail.has_ended = true;
    const std::string name = "mail " + std::to_string(mail.number);
    note(name + (got ? " has a connection to " + got->server().name() : " fails: " + got.error().detail));
    if (!got) co_return;
    if (mail.client.is_gone) fault(name + " is served, and its client has gone");
    if (mail.is_fresh && got->is_reused()) fault(name + " wanted a fresh connection");
    mail.lease = std::move(*got);
    if (mail.spoken_for && mail.group->settings.client_info == config::ClientInfoWay::xclient) {
      const Endpoint& at = mail.lease.server().address();
      mail.lease->speak_for(identity_of(mail.group->settings.client_info, &*mail.spoken_for, at));
    }
  }

  void begin_mail() {
    Mail& mail = mails_.emplace_back();
    mail.number = ++last_number_;
    mail.worker = below(workers_);
    mail.pool = pools_[mail.worker].get();
    mail.given_up = &given_up_;
    mail.group = groups_.at("default");
    mail.deadline = loop_.now() + (one_in(3) ? milliseconds(700) : seconds(10));
    mail.is_fresh = one_in(6);
    if (mail.group->settings.client_info != config::ClientInfoWay::headers) {
      mail.spoken_for.emplace();
      mail.spoken_for->address = *SocketAddress::parse("192.0.2." + std::to_string(1 + below(3)) + ":1000");
      mail.spoken_for->destination = *SocketAddress::parse("192.0.2.100:25");
    }
    note("mail " + std::to_string(mail.number) + " of worker " + std::to_string(mail.worker) +
         (mail.is_fresh ? " asks for a fresh connection" : " asks"));
    ask_for(mail);
  }
  void ask_for(Mail& mail) {
    ++asked_;
    mail.has_ended = false;
    mail.asking = std::make_unique<async::Nursery>(loop_.scheduler());
    mail.asking->spawn(ask(mail));
  }

  template <class Is>
  Mail* any_mail(Is is) {
    std::vector<Mail*> those;
    for (Mail& mail : mails_) {
      if (is(mail)) those.push_back(&mail);
    }
    return those.empty() ? nullptr : those[below(those.size())];
  }

  // A connection to a server that is configured no more is not kept.
  void allow_closing_of(const UpstreamServer& server) {
    const auto& servers = groups_.at("default")->servers;
    const bool is_named =
        std::any_of(servers.begin(), servers.end(), [&](const auto& one) { return one.get() == &server; });
    if (!is_named) ++closings_allowed_;
  }

  void end_mail(Mail& mail) {
    const std::size_t way = below(8);
    note("mail " + std::to_string(mail.number) + " ends, in way " + std::to_string(way));
    mail.unlink();
    allow_closing_of(mail.lease.server());
    if (way == 0) {
      mail.lease = {};
    } else if (way == 1) {
      ++closings_allowed_;
      mail.pool->part_with(std::move(mail.lease));
    } else {
      mail.pool->give_back(std::move(mail.lease), way < 4);
    }
  }

  // It has refused the mail for now: the next one is asked.
  void go_on_elsewhere(Mail& mail) {
    note("mail " + std::to_string(mail.number) + " is refused for now");
    mail.unlink();
    UpstreamServer& server = mail.lease.server();
    allow_closing_of(server);
    mail.pool->give_back(std::move(mail.lease), false);
    mail.failed.push_back({&server, {UpstreamError::Kind::closing, "refused", false}, true, false, false});
    ask_for(mail);
  }

  // -- steps

  void step() {
    for (auto mail = mails_.begin(); mail != mails_.end();) {
      mail = mail->is_pending() || mail->lease ? std::next(mail) : mails_.erase(mail);
    }
    const int quits_before = servers_.sum_of(&model::Server::quits);
    const int turned_away_before = servers_.sum_of(&model::Server::turned_away);
    closings_allowed_ = 0;
    given_up_ = 0;
    // Those who have asked and got nothing yet, and those who ask in this step.
    asked_ =
        static_cast<int>(std::count_if(mails_.begin(), mails_.end(), [](const Mail& one) { return one.is_pending(); }));
    const bool has_lease = any_mail([](const Mail& mail) { return bool(mail.lease); }) != nullptr;
    switch (below(has_lease ? 20 : 11)) {
      case 0:
        change_server();
        break;
      case 1: {
        model::Server& server = servers_.at(address(below(4)));
        note("a server drops a connection");
        server.may_fail = true;
        model::Servers::drop_one(server, below(10));
        break;
      }
      case 2:
        if (!one_in(4)) break;
        closings_allowed_ = 1000;
        configure();
        for (const auto& pool : pools_) pool->adopt(groups_);
        break;
      case 3:
        if (Mail* mail = any_mail([](const Mail& one) { return one.is_pending() && !one.client.is_gone; })) {
          note("the client of mail " + std::to_string(mail->number) + " goes");
          mail->client.is_gone = true;
          mail->gone_since = loop_.now();
        }
        break;
      case 4:
        if (Mail* mail = any_mail([](const Mail& one) { return one.is_pending(); })) {
          note("mail " + std::to_string(mail->number) + " is called off");
          mail->asking.reset();
        }
        break;
      default:
        for (std::size_t i = 1 + below(4); i > 0; --i) begin_mail();
        break;
      case 11:
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
        for (std::size_t i = 1 + below(3); i > 0; --i) {
          if (Mail* mail = any_mail([](const Mail& one) { return bool(one.lease); })) end_mail(*mail);
        }
        break;
      case 17:
        go_on_elsewhere(*any_mail([](const Mail& one) { return bool(one.lease); }));
        break;
      case 18:
      case 19:
        if (Mail* mail = any_mail([](const Mail& one) { return one.lease && !one.is_linked(); })) {
          note("mail " + std::to_string(mail->number) + " falls silent");
          mail->pool->note_silent(*mail);
        }
        break;
    }
    closings_allowed_ += excess();
    const Duration pauses[] = {milliseconds(2), milliseconds(2), milliseconds(20), milliseconds(300), seconds(1)};
    Duration left = pauses[below(5)];
    while (left > Duration::zero() && fault_.empty()) {
      const Duration slice = std::min<Duration>(left, milliseconds(50));
      loop_.advance(slice);
      left -= slice;
      look();
    }
    const int closed = servers_.sum_of(&model::Server::quits) - quits_before;
    // Whose new connection came to nothing wants a place once more.
    closings_allowed_ += servers_.sum_of(&model::Server::turned_away) - turned_away_before;
    if (!ages_ && closed > asked_ + closings_allowed_) {
      fault(std::to_string(closed) + " connections were closed, and " + std::to_string(asked_) + " asked");
    }
    if (given_up_ > asked_ + closings_allowed_) {
      fault(std::to_string(given_up_) + " transactions were given up, and " + std::to_string(asked_) + " asked");
    }
  }

  // After a reload servers may have more connections than are allowed now: so many more are given up for one place.
  int excess() const {
    std::uint64_t sum = 0;
    for (const auto& [name, weak] : known_) {
      const auto server = weak.lock();
      if (!server) continue;
      std::uint64_t least = groups_.at("default")->settings.max_connections;
      for (const Mail& mail : mails_) least = std::min(least, mail.group->settings.max_connections);
      if (server->connections() > least) sum += server->connections() - least;
    }
    return static_cast<int>(sum);
  }

  void change_server() {
    using Reach = model::Server::Reach;
    const std::size_t index = below(4);
    model::Server& server = servers_.at(address(index));
    const Reach reaches[] = {Reach::accepts,  Reach::accepts,     Reach::accepts,
                             Reach::refuses,  Reach::no_greeting, Reach::we_lack_descriptors,
                             Reach::no_answer};
    server.reach = reaches[below(7)];
    server.most = one_in(3) ? static_cast<int>(below(3)) : 1000;
    server.delay = one_in(4) ? milliseconds(below(3000)) : Duration::zero();
    server.answers_quit = !one_in(4);
    const bool is_well = server.reach == Reach::accepts || server.reach == Reach::we_lack_descriptors;
    if (!is_well || server.most < 1000 || server.delay > Duration::zero()) server.may_fail = true;
    note("server " + std::to_string(1 + index) + " changes: reach " + std::to_string(static_cast<int>(server.reach)) +
         ", takes " + std::to_string(server.most));
  }

  // -- what must hold at each moment

  void look() {
    for (auto& [name, weak] : known_) {
      if (const auto server = weak.lock()) look_at(*server);
    }
    for (const auto& [address, server] : servers_.all()) {
      if (server.probes_under_way == 0) continue;
      const std::string what = "a probe of " + address.to_string();
      if (server.probes_under_way > 1) fault(what + " beside another");
      if (lasts(what + std::to_string(server.probes_begun), seconds(6))) fault(what + " holds a place for long");
    }
    look_at_the_gone();
    std::erase_if(since_, [&](const auto& one) { return one.second.second != loop_.now(); });
  }

  // True if this has been so for longer than that.
  bool lasts(const std::string& what, Duration limit) {
    auto [entry, is_new] = since_.try_emplace(what, loop_.now(), loop_.now());
    entry->second.second = loop_.now();
    return loop_.now() - entry->second.first > limit;
  }

  // More mails of the worker could use the server than are opening a connection: so one of them waits.
  bool has_waiting_mail_for(const UpstreamServer& server, std::size_t worker, std::uint64_t connections) const {
    std::size_t pending = 0;
    std::size_t able = 0;
    for (const Mail& mail : mails_) {
      if (mail.worker != worker || !mail.is_pending()) continue;
      ++pending;
      if (mail.could_use(server, loop_.now()) && connections < mail.group->settings.max_connections) ++able;
    }
    const std::size_t waiting = pools_[worker]->waiting();
    return waiting > 0 && able > pending - waiting;
  }

  void look_at(const UpstreamServer& server) {
    const Time now = loop_.now();
    const std::uint64_t connections = server.connections();
    if (connections > most_ever_) fault(server.name() + " has more connections than it may");
    if (server.status(now).state == ServerState::down && !servers_.at(server.address().address()).may_fail) {
      fault(server.name() + " is down for no fault of its own");
    }
    if (server.is_down(now)) return;
    const auto bound = server.status(now).bound;
    const bool has_free = !bound || connections < *bound;
    const bool is_probed = servers_.at(server.address().address()).probes_under_way > 0;
    for (std::size_t worker = 0; worker < workers_; ++worker) {
      if (pools_[worker]->waiting() == 0) continue;
      const std::string who = "worker " + std::to_string(worker) + " waits, and " + server.name() + " has ";
      const auto must_end = [&](const char* what, Duration limit) {
        if (lasts(who + what, limit)) fault(who + what);
      };
      if (has_free && has_waiting_mail_for(server, worker, connections)) must_end("places", patience);
      const bool could_be_given_up = is_probed || server.idle() > 0;
      if (could_be_given_up && has_waiting_mail_for(server, worker, 0)) {
        must_end(is_probed ? "a probe" : "idle connections", patience_with_idle);
      }
    }
  }

  void look_at_the_gone() {
    for (std::size_t worker = 0; worker < workers_; ++worker) {
      std::size_t staying = 0;
      for (const Mail& mail : mails_) {
        const bool has_gone = mail.gone_since && loop_.now() - *mail.gone_since > patience;
        if (mail.worker == worker && mail.is_pending() && !has_gone) ++staying;
      }
      if (pools_[worker]->waiting() > staying) fault("one who has gone waits on");
    }
  }

  // -- the end

  void wind_up() {
    note("the end");
    for (Mail& mail : mails_) {
      mail.unlink();
      mail.asking.reset();
      if (mail.lease) mail.pool->give_back(std::move(mail.lease), false);
    }
    mails_.clear();
    probes_.cancel();
    loop_.advance(seconds(30));  // for what is under way: RSETs, QUITs, probes
    for (const auto& pool : pools_) loop_.run_until_done(pool->close_idle());
    loop_.advance(seconds(30));
    for (auto& [name, weak] : known_) {
      const auto server = weak.lock();
      if (!server) continue;
      if (server->connections() != 0) fault(name + " has lost a place");
      if (server->waiting() != 0) fault(name + " is waited for by nobody");
      if (server->idle() != 0) fault(name + " has idle connections that nobody has");
      if (!server->begin_probe()) fault(name + " is being probed by nobody");
      server->end_probe();
    }
    for (const Gauge gauge : {Gauge::upstream_open, Gauge::upstream_idle}) {
      if (counters_.get(gauge) != 0) fault("a gauge is not zero");
    }
    if (servers_.scripts_running() != 0) fault("a connection was left open");
  }

  std::mt19937_64 random_;
  std::string fault_;
  std::vector<std::string> story_;
  support::ManualLoop loop_;
  Counters counters_;
  support::LinesLog log_;
  model::Servers servers_{loop_.scheduler()};
  UpstreamRegistry registry_;
  config::Settings settings_;
  UpstreamGroups groups_;
  std::map<std::string, std::weak_ptr<UpstreamServer>> known_;
  async::Nursery calls_{loop_.scheduler()};
  std::vector<std::unique_ptr<model::Dialer>> dialers_;
  std::vector<std::unique_ptr<UpstreamPool>> pools_;
  std::size_t workers_ = 0;
  async::Nursery probes_{loop_.scheduler()};
  std::list<Mail> mails_;
  std::uint64_t last_number_ = 0;
  std::uint64_t most_ever_ = 0;
  bool ages_ = false;
  int closings_allowed_ = 0;
  int given_up_ = 0;
  int asked_ = 0;
  std::map<std::string, std::pair<Time, Time>> since_;  // what holds: from when, and when that was seen last
};

TEST(PoolModel, HoldsWhateverServersAndClientsDo) {
  if (const char* only = std::getenv("SALLYPORT_POOL_MODEL_SEED")) {
    EXPECT_EQ(PoolModel(std::stoull(only)).run(), "");
    return;
  }
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const std::string fault = PoolModel(seed).run();
    if (!fault.empty()) FAIL() << "seed " << seed << ": " << fault;
  }
}

}  // namespace
}  // namespace sallyport::upstream
