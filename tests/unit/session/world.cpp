#include "tests/unit/session/world.h"

#include "gateway/base/text.h"
#include "gateway/session/tls_stream.h"
#include "gateway/smtp/body_reader.h"
#include "gateway/smtp/proxy_header.h"
#include "tests/unit/session/watching_policy.h"

namespace sallyport::session {

namespace {

std::string to_text(const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  return {};
}

}  // namespace

void EventsLog::write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) {
  LinesLog::write(level, event, fields);
  LoggedEvent& logged = events.emplace_back();
  logged.moment = next_moment();
  logged.event = event;
  for (const LogField& field : fields) logged.fields.emplace(field.key, to_text(field));
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
      auto in_tls = std::make_unique<TlsStream>(std::move(stream), tls->make_engine());
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

World::World() {
  settings.hostname = "mx.example.com";
  config::UpstreamSettings group;
  group.name = "default";
  group.servers = {first_server};
  group.tls.mode = tls::UpstreamTls::off;
  group.balance = config::Balance::failover;
  settings.upstreams["default"] = group;
  settings.tenants["default"] = {"default", {"example.com"}, "default"};
  dialer.serve(first_server,
               [this](std::unique_ptr<support::MemoryStream> stream) { return upstream.serve(std::move(stream)); });
}

World::~World() {
  if (host) let_sessions_end();
  std::size_t sessions_left = sessions_ ? sessions_->size() : 0;
  // Each before what it uses.
  sessions_.reset();
  session.reset();
  host.reset();
  pool.reset();
  if (!board_) return;
  Evidence all = evidence();
  all.sessions_left = sessions_left;
  for (const std::string& what : broken_invariants(all, excused_)) on_broken_invariant(what);
}

// I12. Every wait of a session has a deadline, and one that hears nothing any more goes from one to the next until it
// ends.
void World::let_sessions_end() {
  const config::TimeoutSettings& timeouts = host->settings->timeouts;
  tapped_dialer_.fall_silent();
  loop.run();
  Duration longest = timeouts.command + timeouts.policy + timeouts.upstream_connect + 3 * timeouts.upstream_reply +
                     timeouts.final_reply + reply_patience;
  Time latest = loop.now() + longest;
  while (!is_over() && loop.now() < latest && loop.advance_to_next_timer()) {
  }
}

Evidence World::evidence() const {
  Evidence all;
  for (std::size_t i = 0; i < client_wires_.size(); ++i) {
    const Wire& wire = *client_wires_[i];
    bool is_balancer = false;
    for (const IpNetwork& network : door.settings.proxy_protocol_from)
      is_balancer = is_balancer || network.contains(client_addresses_[i].ip);
    auto header = smtp::read_proxy_header(wire.received);
    all.balancer_octets.push_back(is_balancer && header ? header->consumed : 0);
    all.clients.push_back(wire);
  }
  all.clients_are_secured = door.settings.tls == config::ListenTls::implicit;
  for (const auto& wire : tapped_dialer_.wires()) all.upstreams.push_back(*wire);
  for (const auto& wire : upstream.secured) {
    all.upstreams.push_back(wire->turned_round());
    all.upstreams.back().is_open = false;  // the gateway's end is among the wires above
  }
  all.log = log.events;
  all.counters = &counters;
  all.seen = seen_;
  all.final_reply = settings.timeouts.final_reply;
  for (const auto& [name, group] : board_->groups()) {
    for (const auto& server : group.servers) all.places_left += server->connections();
  }
  return all;
}

void World::build() {
  if (watches_content || !policies.empty()) policies.push_back(std::make_unique<WatchingPolicy>(seen_));
  board_ = std::make_unique<UpstreamBoard>(settings.upstreams);
  pool = std::make_unique<UpstreamPool>(
      loop.scheduler(), tapped_dialer_, *board_, counters, upstream_tls, settings.hostname,
      UpstreamTimeouts{settings.timeouts.upstream_connect, settings.timeouts.upstream_reply});
  host = std::unique_ptr<Host>(new Host{loop.scheduler(), clock, resolver, log, counters, spool, slots, *board_, *pool,
                                        IdSource(1), std::make_shared<const config::Settings>(settings),
                                        std::move(policies)});
  sessions_ = std::make_unique<async::Nursery>(loop.scheduler());
  // What EHLO offers is known from the probes.
  async::Nursery probes(loop.scheduler());
  probes.spawn(pool->probe_for_ever());
  loop.run();
}

Task<void> World::run(Session& session, World& world) {
  co_await session.run();
  world.session.reset();
}

void World::connect(SocketAddress from) {
  auto [stream, peer] = support::memory_stream_and_peer(loop.scheduler());
  client = std::make_unique<support::MemoryPeer>(std::move(peer));
  connect(std::move(stream), from);
}

void World::connect(std::unique_ptr<io::Stream> stream, SocketAddress from) {
  if (!host) build();
  client_wires_.push_back(std::make_shared<Wire>());
  client_addresses_.push_back(from);
  auto tapped = std::make_unique<TappedStream>(&loop.scheduler(), std::move(stream), client_wires_.back());
  session = std::make_unique<Session>(*host, door, std::move(tapped), from);
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

void World::greet() {
  connect();
  greet_connected();
}

void World::greet_connected() {
  heard();
  say("EHLO client.example\r\n");
}

}  // namespace sallyport::session
