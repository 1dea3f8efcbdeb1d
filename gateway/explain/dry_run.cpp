#include "gateway/explain/dry_run.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/async/nursery.h"
#include "gateway/base/counters.h"
#include "gateway/base/id.h"
#include "gateway/base/log.h"
#include "gateway/base/public_suffix.h"
#include "gateway/base/text.h"
#include "gateway/explain/dry_client.h"
#include "gateway/mail/spool.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/resolver.h"
#include "gateway/session/session.h"
#include "gateway/sink/sink_session.h"
#include "gateway/state/pressure.h"
#include "gateway/state/session_table.h"
#include "gateway/stream/memory_pipe.h"
#include "gateway/upstream/pool.h"
#include "gateway/upstream/registry.h"
#include "gateway/uv/clock.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"
#include "policies/api/presumed_tls.h"
#include "policies/milters/pool.h"
#include "policies/policy_list.h"

namespace sallyport::explain {

namespace {

// Grants every rate and reports it as not counted, so that the running gateway's counters stay unchanged.
class UncountedRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override {
    io::RateAnswer granted;
    granted.counted = false;
    co_return granted;
  }
};

// Collects the violations and faults that the gateway would have logged beside the mail's own line.
class RemarksLog final : public Log {
 public:
  explicit RemarksLog(std::vector<Remark>& remarks) : remarks_(remarks) {}

  bool write(LogLevel, std::string_view event, const std::vector<LogField>& fields) override {
    if (event != "violation" && event != "fault") return true;
    Remark remark{std::string(event), {}, {}};
    for (const LogField& field : fields) {
      const auto* text = std::get_if<std::string_view>(&field.value);
      if (!text || text->empty() || field.key == "id" || field.key == "ip") continue;
      if (field.key == "kind") {
        remark.kind = *text;
      } else {
        if (!remark.detail.empty()) remark.detail += ", ";
        if (field.key != "detail") remark.detail.append(field.key).append(" ");
        remark.detail += *text;
      }
    }
    remarks_.push_back(std::move(remark));
    return true;
  }

 private:
  std::vector<Remark>& remarks_;
};

// Keeps the record that describes the result: the last one about the mail or the connection; until there is one, the
// record of the first recipient that was refused.
class LastWord final : public record::RecordSink {
 public:
  bool take(const record::MailRecord& record) noexcept override {
    if (record.subject != record::Subject::recipient || !last) last = record;
    return true;
  }

  std::optional<record::MailRecord> last;
};

// Stands for every upstream server: it has all extensions, accepts everything and keeps only the header section.
class AcceptingUpstream final : public io::Dialer, private sink::SinkStore {
 public:
  AcceptingUpstream(async::Scheduler& scheduler, std::string& header)
      : scheduler_(scheduler), header_(header), sessions_(scheduler) {
    behaviour_.offered.pipelining = true;
    behaviour_.offered.eight_bit_mime = true;
    behaviour_.offered.smtputf8 = true;
    behaviour_.offered.chunking = true;
    behaviour_.offered.dsn = true;
    behaviour_.offered.enhanced_status_codes = true;
    behaviour_.max_octets = UINT64_MAX;  // only the gateway's own limit applies
  }

  const smtp::Extensions& extensions() const { return behaviour_.offered; }

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress, Time) override {
    auto [gateway, ours] = stream::make_memory_pipe(scheduler_);
    sessions_.spawn(serve(std::move(ours)));
    co_return std::move(gateway);
  }

 private:
  Task<void> serve(std::unique_ptr<io::Stream> stream) {
    sink::SinkSession session(scheduler_, behaviour_, *this, std::move(stream));
    co_await session.run();
  }
  Task<Result<Done>> store(const sink::SinkMessage& message, async::Scheduler&) override {
    header_ = message.content.substr(0, message.content.find("\r\n\r\n") + 2);
    co_return Done{};
  }

  async::Scheduler& scheduler_;
  std::string& header_;
  sink::SinkBehaviour behaviour_;
  async::Nursery sessions_;
};

// A copy of the settings without what a dry run does not need: TLS to a server that is in memory, that server's name
// and place, what it is told of the client, and a spool file for content that is already in memory.
std::shared_ptr<const config::Settings> settings_for_dry_run(const config::Settings& settings) {
  auto copy = std::make_shared<config::Settings>(settings);
  // A milter needs no upstream; a dry run does, whatever it is.
  for (const auto& [name, tenant] : settings.tenants) {
    config::UpstreamSettings& upstream = copy->upstreams[tenant.upstream];
    upstream.name = tenant.upstream;
    if (upstream.servers.empty()) upstream.servers.push_back(SocketAddress{{}, 25});
  }
  for (auto& [name, upstream] : copy->upstreams) {
    upstream.tls.mode = tls::UpstreamTls::off;
    upstream.client_info = config::ClientInfoWay::headers;
    for (Endpoint& server : upstream.servers) {
      if (server.is_unix() || server.is_name()) server = SocketAddress{{}, 25};
    }
  }
  copy->limits.memory_per_message = copy->limits.message_size;
  return copy;
}

// The listener as the dry run needs it: no PROXY header, because --ip gives the client's address; and no TLS, because
// presume_tls() stands for it.
session::Listener listener_of(const config::Settings& settings) {
  session::Listener listener{settings.listen.empty() ? config::ListenSettings{} : settings.listen.front(), nullptr};
  listener.settings.tls = config::ListenTls::off;
  listener.settings.proxy_protocol_from.clear();
  listener.settings.xclient_from.clear();
  return listener;
}

Task<void> converse(session::Host& host, const Envelope& envelope, std::string_view content,
                    std::vector<Exchange>& dialogue) {
  constexpr std::uint16_t some_port = 25252;
  auto [client, server] = stream::make_memory_pipe(host.scheduler);
  const session::Listener& listener = host.snapshot->shared->listeners.front();
  session::Session session(host, host.snapshot, listener, std::move(server), {envelope.ip, some_port});
  if (envelope.tls) session.presume_tls(policies::presumed_tls());
  async::Nursery nursery(host.scheduler);
  nursery.spawn(session.run());
  co_await say_mail(*client, host.scheduler, envelope, content, dialogue);
  co_await nursery.join();
}

int code_of(const Exchange& exchange) {
  return exchange.reply.empty() ? 0 : static_cast<int>(text::to_number(exchange.reply.back().substr(0, 3)).value_or(0));
}

// The record when the session refused or closed before there was a mail: made from the session's last reply.
record::MailRecord record_of(const Exchange& last) {
  record::MailRecord record;
  record.code = code_of(last);
  if (record.code >= 500) record.outcome = record::Outcome::reject;
  if (record.code >= 400 && record.code < 500) record.outcome = record::Outcome::tempfail;
  if (!last.command.empty()) record.stage = policies::Stage::helo;
  record.check = "session";
  return record;
}

// Copies the checks that judged the mail: those of its tenant, or those of the connection when it had no tenant.
void take_checks(Explanation& explanation, const checks::Plans& plans) {
  const auto tenant = plans.tenants.find(explanation.record.transaction.tenant.name);
  const checks::Plan& plan = tenant == plans.tenants.end() ? plans.connection : *tenant->second;
  explanation.thresholds = plan.actions;
  for (const checks::Plan::Check& check : plan.checks)
    explanation.checks.push_back({check.entry, check.mode, check.settings});
}

}  // namespace

Result<Explanation> dry_run(const config::Settings& given, Envelope envelope, StoredMessage message, Milters milters) {
  const auto settings = settings_for_dry_run(given);
  Explanation explanation;
  explanation.envelope = std::move(envelope);
  explanation.octets = message.content.size();
  explanation.notes = std::move(message.notes);
  explanation.plans = session::make_plans(*settings, policies::policy_list());

  const PublicSuffixList suffixes;
  UncountedRates rates;
  policies::Learned learned;
  const policies::OwnNames own = session::own_names(settings->hostname, explanation.plans);
  auto prepared = checks::WorkerPlans::prepare(explanation.plans, {learned, rates, suffixes, own});
  if (!prepared) return std::move(prepared).error();

  uv::Loop loop;
  uv::Dialer connections(loop);
  uv::DatagramDialer datagrams(loop);
  uv::SystemClock clock;
  Counters counters;
  RemarksLog log(explanation.remarks);
  resolver::Cache cache(settings->dns.cache_entries);
  resolver::Resolver dns(loop.scheduler(), datagrams, connections, cache, settings->dns, counters, log);
  const auto spool = mail::make_file_spool(std::filesystem::temp_directory_path());
  state::SessionTable slots({100, 100});  // of which it takes one
  const state::Pressure pressure(slots, counters);
  AcceptingUpstream upstream(loop.scheduler(), explanation.relayed_header);
  policies::MilterPool milter_pool(loop.scheduler(), connections, log);
  if (milters == Milters::asked) learned.of<policies::MilterServices>() = {&milter_pool, spool.get()};

  upstream::UpstreamRegistry registry;
  auto snapshot = std::make_shared<session::Snapshot>();
  snapshot->settings = settings;
  snapshot->listeners.push_back(listener_of(*settings));
  snapshot->upstreams = registry.make_groups(*settings, {});
  snapshot->plans = explanation.plans;
  for (auto& [name, group] : snapshot->upstreams) {
    group->settings.protocol = config::UpstreamProtocol::smtp;  // of the server in memory
    for (auto& server : group->servers) server->learned(upstream.extensions());
  }
  upstream::UpstreamPool pool(loop.scheduler(), upstream, counters, log, snapshot->upstreams);
  LastWord last_word;
  session::Host host{loop.scheduler(),
                     clock,
                     dns,
                     log,
                     counters,
                     *spool,
                     slots,
                     pressure,
                     pool,
                     IdSource(random_seed()),
                     std::make_shared<const session::WorkerSnapshot>(session::WorkerSnapshot{snapshot, *prepared}),
                     {&last_word}};
  loop.run_until_done(converse(host, explanation.envelope, message.content, explanation.dialogue));

  if (!explanation.dialogue.empty()) {
    const Exchange& last = explanation.dialogue.back();
    if (!last.reply.empty()) explanation.reply = last.reply.back();
    explanation.record = last_word.last ? std::move(*last_word.last) : record_of(last);
  }
  take_checks(explanation, *explanation.plans);
  return explanation;
}

}  // namespace sallyport::explain
