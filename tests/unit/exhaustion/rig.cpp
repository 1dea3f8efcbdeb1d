#include "tests/unit/exhaustion/rig.h"

#include <filesystem>
#include <fstream>

#include "gateway/base/text.h"
#include "gateway/stream/tls_stream.h"
#include "lua/engine/settings.h"
#include "policies/dnsbl/settings.h"
#include "policies/policy_list.h"
#include "tests/support/dns_packet.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::exhaustion {

namespace {

constexpr std::string_view rules = R"(
local sp = require "sallyport"
sp.rule { name = "SUBJECTS", stage = "message", run = function(tx)
  local subject = tx.msg.subject
  if subject == "refuse" then return sp.reject(550, "5.7.1", "Not that") end
  if subject == "tag" then return sp.tag { header = "X-Rule: yes", subject_prefix = "[tagged] " } end
  if subject == "discard" then return sp.discard { reason = "noise" } end
end }
)";

const SocketAddress upstream_address = *SocketAddress::parse("10.0.0.5:25");

// What all Rigs share, made once: files, and contexts, which never change.
struct Shared {
  tls::CertificateFolder folder;
  std::string rule_path;
  std::string spool_path;
  std::shared_ptr<const tls::ServerContext> for_clients;
  std::shared_ptr<const tls::ServerContext> for_upstream;

  Shared() {
    std::filesystem::path place = std::filesystem::path(folder.write("")).parent_path();
    rule_path = place / "rules";
    spool_path = place / "spool";
    std::filesystem::create_directory(rule_path);
    std::filesystem::create_directory(spool_path);
    std::ofstream(rule_path + "/rules.lua") << rules;
    tls::ServerTlsSettings settings;
    settings.certificates = {folder.make()};
    for_clients = tls::make_server_context(settings).value();
    for_upstream = tls::make_server_context(settings).value();
  }
};

const Shared& shared() {
  static const Shared shared;
  return shared;
}

}  // namespace

std::size_t KeepingLog::count(std::string_view word) const {
  std::size_t found = 0;
  for (const std::string& line : lines) found += line.find(word) != std::string::npos ? 1 : 0;
  return found;
}

Rig::Rig(RigOptions options) : options_(std::move(options)) {
  Exempt exempt;
  settings_.hostname = "mx.example.com";
  config::UpstreamSettings group;
  group.name = "default";
  group.servers = {upstream_address};
  group.tls.mode = options_.upstream_tls ? tls::UpstreamTls::require : tls::UpstreamTls::off;
  settings_.upstreams["default"] = group;
  settings_.tenants["default"] = {"default", {"example.com"}, "default", {}};
  settings_.limits.memory_per_message = 16u << 10;
  settings_.dns.servers = {*SocketAddress::parse("10.0.0.1:53")};
  settings_.policy.edit(policies::dnsbl_section).zones["bl.example"].score = 9.0;
  settings_.policy.edit(lua::rules_section).path = shared().rule_path;
  spool_ = mail::make_file_spool(shared().spool_path);
  network_.set_responder([this](SocketAddress, std::string_view query) { return answer_query(query); });
  resolver_ =
      std::make_unique<resolver::Resolver>(loop_.scheduler(), network_, *this, cache_, settings_.dns, counters, log);

  upstream::ClientContexts upstream_tls;
  if (options_.upstream_tls) upstream_tls["default"] = tls::make_client_context(group.tls).value();
  snapshot_->settings = std::make_shared<const config::Settings>(settings_);
  snapshot_->listeners.push_back({config::ListenSettings(), shared().for_clients});
  snapshot_->upstreams = registry_.make_groups(settings_, upstream_tls);
  snapshot_->plans = session::make_plans(settings_, policies::policy_list());
  own_ = session::own_names(settings_.hostname, snapshot_->plans);
  auto plans = checks::WorkerPlans::prepare(snapshot_->plans, {learned_, rates_, suffixes_, own_}).value();
  pool_ = std::make_unique<upstream::UpstreamPool>(loop_.scheduler(), *this, counters, log, snapshot_->upstreams);
  host_.reset(new session::Host{
      loop_.scheduler(),
      clock_,
      *resolver_,
      log,
      counters,
      *spool_,
      slots_,
      pressure_,
      *pool_,
      IdSource(1),
      std::make_shared<const session::WorkerSnapshot>(session::WorkerSnapshot{snapshot_, std::move(plans)}),
      {&log_line_, &record_counters_}});
  probes_.spawn(pool_->probe_for_ever());
  loop_.run();
}

Rig::~Rig() {
  sessions_.cancel();
  probes_.cancel();
  host_.reset();
  pool_.reset();
}

// ---- the world around it ----

Task<Result<std::unique_ptr<io::Stream>, io::Error>> Rig::dial(SocketAddress to, Time) {
  if (to != upstream_address) co_return io::Error::refused;
  // No wait comes: the mark does not outlive this turn of the coroutine.
  Exempt exempt;
  auto pipe = std::make_shared<Pipe>(loop_.scheduler());
  upstreams_.spawn(serve_upstream(std::make_unique<PipeEnd>(pipe, pipe->there, pipe->back)));
  co_return std::unique_ptr<io::Stream>(std::make_unique<PipeEnd>(pipe, pipe->back, pipe->there));
}

std::vector<support::MemoryPacket> Rig::answer_query(std::string_view query) const {
  Exempt exempt;
  support::AskedQuestion asked = support::question_of(query);
  bool is_listed = text::to_lower(asked.name).starts_with("9.2.0.192.") && asked.type == 1;
  auto reply = support::DnsPacket::reply_to(query);
  if (!is_listed) return {{reply.rcode(3).octets(), {}}};
  return {{reply.a(asked.name, "127.0.0.2").octets(), {}}};
}

std::string Rig::greeting() {
  Exempt exempt;
  return "220 upstream.example ESMTP\r\n";
}

std::string Rig::answer_to(const std::string& line) const {
  std::string verb = text::to_upper(line.substr(0, line.find(' ')));
  if (verb == "EHLO") {
    std::string lines = "250-upstream.example\r\n250-PIPELINING\r\n";
    if (options_.upstream_tls) lines += "250-STARTTLS\r\n";
    if (options_.upstream_chunking) lines += "250-CHUNKING\r\n";
    return lines + "250 8BITMIME";
  }
  if (verb == "RCPT" && line.find("nobody") != std::string::npos) return "550 5.1.1 No such user";
  if (verb == "DATA") return "354 Go ahead";
  if (verb == "STARTTLS") return "220 2.0.0 Ready";
  if (verb == "QUIT") return "221 2.0.0 Bye";
  return "250 2.0.0 Ok";
}

// What arrives at the upstream, and what of it is complete: a line, or a message.
struct Rig::Arrival {
  std::string input;
  std::uint64_t chunk = 0;  // octets of the BDAT chunk that is under way
  bool in_data = false;

  bool is_message() const { return in_data || chunk > 0; }
  void take_in(io::Stream& stream) {
    Exempt exempt;
    input += stream.input();
    stream.consume(stream.input().size());
  }
  std::optional<std::string> next() {
    Exempt exempt;
    std::string_view ending = in_data ? "\r\n.\r\n" : "\r\n";
    std::size_t end = chunk > 0 ? static_cast<std::size_t>(chunk) : input.find(ending);
    if (end > input.size()) return std::nullopt;
    std::string unit = input.substr(0, end);
    input.erase(0, chunk > 0 ? end : end + ending.size());
    return unit;
  }
};

// What the upstream says to a line or a message; nothing: it hangs up.
std::optional<std::string> Rig::obey(Arrival& arrival, std::string unit) {
  Exempt exempt;
  if (arrival.is_message()) {
    if (arrival.in_data) unit += "\r\n";
    arrival.in_data = false;
    arrival.chunk = 0;
    bool hangs_up = options_.end_reply == "close";
    if (hangs_up || options_.end_reply.starts_with("250")) stored.push_back(std::move(unit));
    if (hangs_up) return std::nullopt;
    return options_.end_reply + "\r\n";
  }
  if (text::to_upper(unit).starts_with("BDAT")) {
    arrival.chunk = *text::to_number(text::split(unit, ' ')[1]);
    return "";
  }
  std::string answer = answer_to(unit);
  arrival.in_data = answer.starts_with("354");
  return answer + "\r\n";
}

// What it does by itself has memory; its waits, and what is TLS, have as little as the gateway.
Task<void> Rig::serve_upstream(std::unique_ptr<io::Stream> stream) {
  Arrival arrival;
  std::optional<std::string> reply = greeting();
  while (reply) {
    if (!reply->empty()) {
      auto sent = co_await stream->write(*reply, async::no_deadline);
      if (!sent || reply->starts_with("221")) co_return;
    }
    if (reply->starts_with("220 2.0.0")) {
      auto secured = std::make_unique<stream::TlsStream>(std::move(stream), shared().for_upstream->make_engine());
      stream::TlsStream& shaking = *secured;
      stream = std::move(secured);
      auto shaken = co_await shaking.handshake(async::no_deadline);
      if (!shaken) co_return;
    }
    std::optional<std::string> unit;
    while (!(unit = arrival.next())) {
      if (stream->input().empty()) {
        auto more = co_await stream->fill(async::no_deadline);
        if (!more) co_return;
      }
      arrival.take_in(*stream);
    }
    reply = obey(arrival, std::move(*unit));
  }
}

// ---- the gateway ----

Task<void> Rig::serve_client(std::unique_ptr<io::Stream> stream, SocketAddress from) {
  session::Session session(*host_, host_->snapshot, snapshot_->listeners.front(), std::move(stream), from);
  co_await session.run();
}

std::shared_ptr<Pipe> Rig::connect(SocketAddress from) {
  std::shared_ptr<Pipe> pipe;
  std::unique_ptr<io::Stream> stream;
  {
    Exempt exempt;
    pipe = std::make_shared<Pipe>(loop_.scheduler());
    stream = std::make_unique<PipeEnd>(pipe, pipe->there, pipe->back);
  }
  try {
    sessions_.spawn(serve_client(std::move(stream), from));
  } catch (const std::bad_alloc&) {
    // As the listener has it: the connection is closed, and that is all.
  }
  return pipe;
}

void Rig::run() { loop_.run(); }

void Rig::run_until_news(const PipeHalf& incoming) {
  Time latest = loop_.now() + std::chrono::hours(1);
  loop_.run();
  while (incoming.octets.empty() && !incoming.ended && loop_.now() < latest && loop_.advance_to_next_timer()) {
  }
}

bool Rig::end_sessions() {
  Time latest = loop_.now() + std::chrono::hours(1);
  loop_.run();
  while (sessions_.size() > 0 && loop_.now() < latest && loop_.advance_to_next_timer()) {
  }
  return sessions_.size() == 0;
}

void Rig::let_time_pass(Duration duration) { loop_.advance(duration); }

std::string Rig::inconsistency() const {
  std::uint64_t connections = 0;
  for (const auto& [name, group] : snapshot_->upstreams) {
    for (const auto& server : group->servers) connections += server->connections();
  }
  std::string wrong;
  auto compare = [&wrong](std::string_view what, std::int64_t is, std::int64_t should) {
    if (is != should)
      wrong += std::string(what) + ": " + std::to_string(is) + " instead of " + std::to_string(should) + "\n";
  };
  auto idle = static_cast<std::int64_t>(pool_->idle());
  compare("sessions counted", counters.get(Gauge::sessions), 0);
  compare("TLS sessions counted", counters.get(Gauge::tls_sessions), 0);
  compare("sessions' places", static_cast<std::int64_t>(slots_.sessions()), 0);
  compare("places at the upstream", static_cast<std::int64_t>(connections), idle);
  compare("upstream connections counted", counters.get(Gauge::upstream_open), idle);
  compare("idle upstream connections counted", counters.get(Gauge::upstream_idle), idle);
  compare("DNS questions under way", static_cast<std::int64_t>(resolver_->in_flight()), 0);
  return wrong;
}

}  // namespace sallyport::exhaustion
