#include "tests/unit/session/world.h"

#include "gateway/base/text.h"
#include "gateway/session/tls_stream.h"
#include "gateway/smtp/body_reader.h"

namespace sallyport::session {

std::string LinesLog::find(std::string_view word) const {
  for (const std::string& line : lines) {
    if (line.find(word) != std::string::npos) return line;
  }
  return {};
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
      auto secured = std::make_unique<TlsStream>(std::move(stream), tls->make_engine());
      latest_ = secured.get();
      auto shaken = co_await secured->handshake(async::no_deadline);
      if (!shaken) co_return;
      stream = std::move(secured);
    }
    if (verb == "QUIT") co_return stream->close();
    if (verb == "MAIL" || verb == "RSET") {
      if (verb == "RSET") current = {};
    }
    if (verb == "DATA" && reply.starts_with("354")) {
      StringSink sink(current.content);
      smtp::BodyReader reader;
      while (true) {
        auto progress = reader.read(stream->input(), sink);
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
      while (current.content.size() < *octets) {
        std::size_t taken = std::min<std::size_t>(stream->input().size(), *octets - current.content.size());
        current.content += stream->input().substr(0, taken);
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
  // Each before what it uses.
  sessions_.reset();
  session.reset();
  host.reset();
  pool.reset();
}

void World::build() {
  board_ = std::make_unique<UpstreamBoard>(settings.upstreams);
  pool = std::make_unique<UpstreamPool>(
      loop.scheduler(), dialer, *board_, counters, upstream_tls, settings.hostname,
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
  session = std::make_unique<Session>(*host, door, std::move(stream), from);
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
