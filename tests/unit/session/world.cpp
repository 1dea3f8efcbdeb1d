#include "tests/unit/session/world.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/smtp/body_reader.h"
#include "gateway/smtp/proxy_header.h"
#include "gateway/stream/tls_stream.h"
#include "policies/sections.h"
#include "tests/unit/session/watching_policy.h"

namespace sallyport::session {

namespace {

std::string to_text(const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  if (const auto* list = std::get_if<LogList>(&field.value)) return text::join({list->begin(), list->end()}, ",");
  return {};
}

}  // namespace

bool EventsLog::write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) {
  LinesLog::write(level, event, fields);
  LoggedEvent& logged = events.emplace_back();
  logged.moment = next_moment();
  logged.event = event;
  for (const LogField& field : fields) logged.fields.emplace(field.key, to_text(field));
  return true;
}

// ---- the upstream ----

namespace {

class StringSink : public smtp::ContentSink {
 public:
  explicit StringSink(std::string& into) : into_(into) {}
  void append(std::string_view octets) override { into_.append(octets); }

 private:
  std::string& into_;
};

std::string verb_of(std::string_view line) { return text::to_upper(line.substr(0, line.find(' '))); }

}  // namespace

// Keeps a connection in the list for as long as it is served.
class FakeUpstream::Serving {
 public:
  Serving(std::shared_ptr<Served> list, std::unique_ptr<io::Stream>& stream)
      : list_(std::move(list)), stream_(&stream) {
    list_->insert(stream_);
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() { list_->erase(stream_); }

 private:
  std::shared_ptr<Served> list_;
  std::unique_ptr<io::Stream>* stream_;
};

// What serve() waits for ends with an error then, and it leaves without another look at us.
FakeUpstream::~FakeUpstream() {
  for (std::unique_ptr<io::Stream>* stream : *served_) {
    if (*stream) (*stream)->abort();
  }
}

std::string FakeUpstream::reply_to(const std::string& verb) {
  auto& waiting = queued[verb];
  if (!waiting.empty()) {
    std::string reply = waiting.front();
    waiting.pop_front();
    return reply;
  }
  auto known = replies.find(verb);
  return known == replies.end() ? "500 5.5.1 what\r\n" : known->second;
}

Task<void> FakeUpstream::blurt(std::string octets) {
  static_cast<void>(co_await latest_->write(octets, async::no_deadline));
}

Task<void> FakeUpstream::serve(std::unique_ptr<io::Stream> stream) {
  Serving serving(served_, stream);
  ++connections;
  latest_ = stream.get();
  Stored current;
  std::string verb;
  while (true) {
    std::string reply = reply_to(verb);
    if (reply == "close") co_return stream->close();
    if (reply == "reset") co_return stream->abort();
    if (reply != "silence") {
      auto sent = co_await stream->write(reply, async::no_deadline);
      if (!sent) co_return;
    }
    if (verb == "STARTTLS" && tls) {
      auto in_tls = std::make_unique<stream::TlsStream>(std::move(stream), tls->make_engine());
      auto shaken = co_await in_tls->handshake(async::no_deadline);
      if (!shaken) co_return;
      secured.push_back(std::make_shared<Wire>());
      // There is no second greeting; a conversation is read as if there were.
      secured.back()->note_sent("220 secured\r\n", Time());
      stream = std::make_unique<TappedStream>(nullptr, std::move(in_tls), secured.back());
      latest_ = stream.get();
    }
    if (verb == "QUIT") co_return stream->close();
    if (verb == "MAIL" || verb == "RSET") {
      if (verb == "RSET") current = {};
    }
    if (verb == "DATA" && reply.starts_with('3')) {
      StringSink sink(current.content);
      smtp::BodyReader reader;
      while (true) {
        auto progress = reader.read(stream->input(), sink);
        current.wire += stream->input().substr(0, progress.consumed);
        stream->consume(progress.consumed);
        if (progress.ended) break;
        auto more = co_await stream->fill(async::no_deadline);
        if (!more) co_return;
      }
      verb = ".";
      before_final_reply();
      if (queued["."].empty() ? replies["."].starts_with("250") : queued["."].front().starts_with("250"))
        stored.push_back(current);
      current = {};
      continue;
    }
    std::size_t end;
    while ((end = stream->input().find("\r\n")) == std::string_view::npos) {
      auto more = co_await stream->fill(async::no_deadline);
      if (!more) co_return;
    }
    std::string line(stream->input().substr(0, end));
    stream->consume(end + 2);
    commands.push_back(line);
    verb = verb_of(line);
    if (verb == "MAIL") current.mail = line;
    if (verb == "RCPT") current.rcpts.push_back(line);
    if (verb == "BDAT") {
      auto octets = text::to_number(text::split(line, ' ')[1]);
      current.wire = line + "\r\n";
      while (current.content.size() < *octets) {
        std::size_t taken = std::min<std::size_t>(stream->input().size(), *octets - current.content.size());
        current.content += stream->input().substr(0, taken);
        current.wire += stream->input().substr(0, taken);
        stream->consume(taken);
        if (current.content.size() == *octets) break;
        auto more = co_await stream->fill(async::no_deadline);
        if (!more) co_return;
      }
      if (replies["BDAT"].starts_with("250")) stored.push_back(current);
      current = {};
    }
  }
}

// ---- the world ----

namespace {

// Those of all policies there are, and those of tests' policies.
std::vector<const settings::Section*> all_sections() {
  const auto real = policies::policy_sections();
  std::vector<const settings::Section*> sections(real.begin(), real.end());
  for (const auto& section : test_sections) sections.push_back(&section);
  return sections;
}

}  // namespace

World::World()
    : watching_(std::make_unique<WatchingPolicy>(seen_)),
      watching_entry_(test_entry(watching_->name(), test_sections.size() - 1)) {
  static const std::vector<const settings::Section*> sections = all_sections();
  settings.policy = settings::Set(sections);
  settings.policy.edit(test_sections.back()) = {watching_.get()};
  settings.hostname = "mx.example.com";
  add_upstream("default", first_server);
  settings.tenants["default"] = {"default", {"example.com"}, "default", {}};
  dialer.serve(first_server,
               [this](std::unique_ptr<support::MemoryStream> stream) { return upstream.serve(std::move(stream)); });
}

TestPolicy& World::add(std::unique_ptr<TestPolicy> policy) {
  const std::size_t index = test_policies_.size();
  ensure(index + 1 < test_sections.size(), "World: too many policies of tests");
  settings.policy.edit(test_sections.at(index)) = {policy.get()};
  add(test_entries_.emplace_back(test_entry(policy->name(), index)));
  return *test_policies_.emplace_back(std::move(policy));
}

settings::Set& World::add_tenant(const std::string& name, const std::string& domain, const std::string& route) {
  settings.tenants[name] = {name, {domain}, route, settings.policy};
  return settings.tenants[name].policy;
}

void World::add_upstream(const std::string& name, SocketAddress server) {
  config::UpstreamSettings group;
  group.name = name;
  group.servers = {server};
  group.tls.mode = tls::UpstreamTls::off;
  group.balance = config::Balance::failover;
  settings.upstreams[name] = group;
}

World::~World() {
  if (host) let_sessions_end();
  std::size_t sessions_left = sessions_ ? sessions_->size() : 0;
  // Each before what it uses.
  sessions_.reset();
  session.reset();
  host.reset();
  pool.reset();
  if (groups_.empty()) return;
  Evidence all = evidence();
  all.sessions_left = sessions_left;
  for (const std::string& what : broken_invariants(all, excused_)) on_broken_invariant(what);
}

// I12. Every wait of a session has a deadline, and one that hears nothing any more goes from one to the next until it
// ends.
void World::let_sessions_end() {
  const config::TimeoutSettings& timeouts = settings.timeouts;
  tapped_dialer_.fall_silent();
  loop.run();
  Duration longest = timeouts.command + timeouts.policy + timeouts.upstream_connect + 3 * timeouts.upstream_reply +
                     timeouts.final_reply + reply_patience;
  Time latest = loop.now() + longest;
  while (!is_over() && loop.now() < latest && loop.advance_to_next_timer()) {
  }
}

// A server that wants a PROXY header takes what follows it for the conversation.
static Wire without_proxy_header(Wire wire) {
  const auto header = smtp::read_proxy_header(wire.sent);
  if (!header) return wire;
  wire.sent.erase(0, header->consumed);
  std::erase_if(wire.sent_marks, [&](const Wire::Mark& mark) { return mark.octets <= header->consumed; });
  for (Wire::Mark& mark : wire.sent_marks) mark.octets -= header->consumed;
  return wire;
}

Evidence World::evidence() const {
  Evidence all;
  for (std::size_t i = 0; i < client_wires_.size(); ++i) {
    const Wire& wire = *client_wires_[i];
    bool is_balancer = false;
    for (const IpNetwork& network : listener.settings.proxy_protocol_from)
      is_balancer = is_balancer || network.contains(client_addresses_[i].ip);
    auto header = smtp::read_proxy_header(wire.received);
    all.balancer_octets.push_back(is_balancer && header ? header->consumed : 0);
    all.clients.push_back(wire);
  }
  all.clients_are_secured = listener.settings.tls == config::ListenTls::implicit;
  for (const auto& wire : tapped_dialer_.wires()) all.upstreams.push_back(without_proxy_header(*wire));
  for (const auto& wire : upstream.secured) {
    all.upstreams.push_back(wire->turned_round());
    all.upstreams.back().is_open = false;  // the gateway's end is among the wires above
  }
  all.log = log.events;
  all.counters = &counters;
  all.seen = seen_;
  all.final_reply = settings.timeouts.final_reply;
  std::set<const upstream::UpstreamServer*> servers;
  for (const upstream::UpstreamGroups& groups : groups_) {
    for (const auto& [name, group] : groups) {
      for (const auto& server : group->servers) servers.insert(server.get());
    }
  }
  for (const upstream::UpstreamServer* server : servers) all.places_left += server->connections();
  return all;
}

std::shared_ptr<const WorkerSnapshot> World::make_snapshot() {
  auto shared = std::make_shared<Snapshot>();
  shared->settings = std::make_shared<const config::Settings>(settings);
  shared->hash = "configuration " + std::to_string(own_names_.size() + 1);
  shared->upstreams = registry_.make_groups(settings, upstream_tls);
  shared->plans = make_plans(settings, entries);
  groups_.push_back(shared->upstreams);
  const policies::OwnNames& own = own_names_.emplace_back(own_names(settings.hostname, shared->plans));
  auto prepared = checks::WorkerPlans::prepare(shared->plans, {learned_, rates_, suffixes_, own});
  ensure(prepared.ok(), "World: policies that cannot be prepared");
  return std::make_shared<const WorkerSnapshot>(WorkerSnapshot{std::move(shared), std::move(*prepared)});
}

void World::build() {
  if (watches_content || !entries.empty()) add(watching_entry_);
  auto snapshot = make_snapshot();
  pool = std::make_unique<upstream::UpstreamPool>(loop.scheduler(), tapped_dialer_, counters, log,
                                                  snapshot->shared->upstreams);
  host = std::unique_ptr<Host>(new Host{loop.scheduler(),
                                        clock,
                                        resolver,
                                        log,
                                        counters,
                                        spool,
                                        slots,
                                        pressure,
                                        *pool,
                                        IdSource(1),
                                        std::move(snapshot),
                                        {&log_line_, &record_counters_, &records}});
  sessions_ = std::make_unique<async::Nursery>(loop.scheduler());
  // What EHLO offers is known from the probes.
  async::Nursery probes(loop.scheduler());
  probes.spawn(pool->probe_for_ever());
  loop.run();
}

void World::reload() {
  host->snapshot = make_snapshot();
  pool->adopt(host->snapshot->shared->upstreams);
}

Task<void> World::run(Session& session, World& world) {
  co_await session.run();
  world.session.reset();
}

void World::start() {
  if (!host) build();
}

void World::connect(SocketAddress from) {
  auto [stream, peer] = support::memory_stream_and_peer(loop.scheduler());
  client = std::make_unique<support::MemoryPeer>(std::move(peer));
  connect(std::move(stream), from);
}

void World::connect(std::unique_ptr<io::Stream> stream, SocketAddress from) {
  start();
  client_wires_.push_back(std::make_shared<Wire>());
  client_addresses_.push_back(from);
  auto tapped = std::make_unique<TappedStream>(&loop.scheduler(), std::move(stream), client_wires_.back());
  session = std::make_unique<Session>(*host, host->snapshot, listener, std::move(tapped), from,
                                      *SocketAddress::parse("192.0.2.25:25"));
  sessions_->spawn(run(*session, *this));
  loop.run();
}

std::string World::heard() {
  loop.run();
  return client->received();
}

std::string World::say(std::string_view octets) {
  client->send(octets);
  return heard();
}

void World::read_nothing_more() {
  support::Faults narrow;
  narrow.stall_after = 0;
  narrow.transit_octets = 8;
  client->set_receive_faults(narrow);
}

void World::greet() {
  connect();
  greet_connected();
}

void World::greet_connected() {
  heard();
  say("EHLO client.example\r\n");
}

}  // namespace sallyport::session
