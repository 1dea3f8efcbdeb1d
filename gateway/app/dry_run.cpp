#include "gateway/app/dry_run.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "gateway/app/dry_client.h"
#include "gateway/app/memory_pipe.h"
#include "gateway/app/policy_parts.h"
#include "gateway/app/sink_session.h"
#include "gateway/async/nursery.h"
#include "gateway/base/counters.h"
#include "gateway/base/id.h"
#include "gateway/base/log.h"
#include "gateway/base/public_suffix.h"
#include "gateway/base/text.h"
#include "gateway/mail/spool.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/resolver.h"
#include "gateway/session/session.h"
#include "gateway/session/upstream_pool.h"
#include "gateway/state/session_table.h"
#include "gateway/uv/clock.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

namespace {

// The gateway's counters stay what they are: each rate is asked for, written down and granted.
class UncountedRates final : public io::RateStore {
 public:
  explicit UncountedRates(std::vector<RateQuestion>& asked) : asked_(asked) {}
  Task<io::RateAnswer> take(std::string key, Rate rate) override {
    const bool is_known =
        std::any_of(asked_.begin(), asked_.end(), [&key](const RateQuestion& known) { return known.key == key; });
    if (!is_known) asked_.push_back({std::move(key), rate});
    co_return io::RateAnswer{};
  }

 private:
  std::vector<RateQuestion>& asked_;
};

// What would have been logged beside the mail's own line.
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

class Listener final : public session::Witness {
 public:
  explicit Listener(Explanation& explanation) : explanation_(explanation) {}

  void hear(const session::Testimony& testimony) override {
    explanation_.verdict = testimony.verdict;
    explanation_.stage = testimony.stage;
    explanation_.check = testimony.check;
    explanation_.rule = testimony.rule;
    explanation_.because = testimony.because;
    explanation_.mail = testimony.mail;
    explanation_.mail.message = nullptr;  // it ends with the session
    explanation_.facts = testimony.facts;
    explanation_.verdicts = testimony.verdicts;
    explanation_.score = testimony.score;
  }

 private:
  Explanation& explanation_;
};

// Every server behind the gateway: it has all extensions, accepts everything and keeps the header section alone.
class AcceptingUpstream final : public io::Dialer, private SinkStore {
 public:
  AcceptingUpstream(async::Scheduler& scheduler, std::string& header)
      : scheduler_(scheduler), header_(header), sessions_(scheduler) {
    behaviour_.offered.pipelining = true;
    behaviour_.offered.eight_bit_mime = true;
    behaviour_.offered.smtputf8 = true;
    behaviour_.offered.chunking = true;
    behaviour_.offered.dsn = true;
    behaviour_.offered.enhanced_status_codes = true;
    behaviour_.max_octets = UINT64_MAX;  // the gateway's own limit counts
  }

  const smtp::Extensions& extensions() const { return behaviour_.offered; }

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress, Time) override {
    auto [gateway, ours] = make_memory_pipe(scheduler_);
    sessions_.spawn(serve(std::move(ours)));
    co_return std::move(gateway);
  }

 private:
  Task<void> serve(std::unique_ptr<io::Stream> stream) {
    SinkSession session(scheduler_, behaviour_, *this, std::move(stream));
    co_await session.run();
  }
  Result<Done> store(const SinkMessage& message) override {
    header_ = message.content.substr(0, message.content.find("\r\n\r\n") + 2);
    return Done{};
  }

  async::Scheduler& scheduler_;
  std::string& header_;
  SinkBehaviour behaviour_;
  async::Nursery sessions_;
};

// What this process can do without: keys of ours, TLS to a server that is in memory, a file for a content that is there
// already.
std::shared_ptr<const config::Settings> settings_for_dry_run(const config::Settings& settings) {
  auto copy = std::make_shared<config::Settings>(settings);
  for (auto& [name, upstream] : copy->upstreams) upstream.tls.mode = tls::UpstreamTls::off;
  copy->limits.memory_per_message = copy->limits.message_size;
  return copy;
}

// The client stands where --ip says, and comes over no balancer; TLS is presumed, or not there.
session::Door door_of(const config::Settings& settings) {
  session::Door door{settings.listen.empty() ? config::ListenSettings{} : settings.listen.front(), nullptr};
  door.settings.tls = config::ListenTls::off;
  door.settings.proxy_protocol_from.clear();
  return door;
}

policies::TlsFacts presumed_tls() {
  policies::TlsFacts tls;
  tls.version = "TLSv1.3";
  tls.cipher = "TLS_AES_256_GCM_SHA384";
  tls.bits = 256;
  return tls;
}

Task<void> converse(session::Host& host, const session::Door& door, const Envelope& envelope, std::string_view content,
                    std::vector<Exchange>& dialogue) {
  constexpr std::uint16_t some_port = 25252;
  auto [client, server] = make_memory_pipe(host.scheduler);
  session::Session session(host, door, std::move(server), {envelope.ip, some_port});
  if (envelope.tls) session.presume_tls(presumed_tls());
  async::Nursery nursery(host.scheduler);
  nursery.spawn(session.run());
  co_await say_mail(*client, host.scheduler, envelope, content, dialogue);
  co_await nursery.join();
}

int code_of(const Exchange& exchange) {
  return exchange.reply.empty() ? 0 : static_cast<int>(text::to_number(exchange.reply.back().substr(0, 3)).value_or(0));
}

// The client's last word on the mail: the one that ended it, else that on the last recipient that was refused. Where
// the session itself had objections no check had a verdict.
void take_outcome(Explanation& explanation) {
  if (explanation.dialogue.empty()) return;
  const Exchange& last = explanation.dialogue.back();
  if (!last.reply.empty()) explanation.reply = last.reply.back();
  if (!explanation.verdict.empty()) return;
  const int code = code_of(last);
  explanation.verdict = code >= 500 ? "reject" : code >= 400 ? "tempfail" : "drop";
  const std::string_view command = std::string_view(last.command).substr(0, last.command.find(' '));
  explanation.stage = command.empty() ? "connect" : command == "EHLO" ? "helo" : text::to_lower(command);
  explanation.check = "session";
}

}  // namespace

Result<Explanation> dry_run(const config::Settings& given, Envelope envelope, StoredMessage message) {
  const auto settings = settings_for_dry_run(given);
  Explanation explanation;
  explanation.envelope = std::move(envelope);
  explanation.octets = message.content.size();
  explanation.notes = std::move(message.notes);
  explanation.thresholds = settings->policy.actions;

  const PublicSuffixList suffixes;
  UncountedRates rates(explanation.rates);
  auto list = make_worker_policies(*settings, rates, suffixes);
  if (!list) return std::move(list).error();
  for (const auto& policy : *list) explanation.checks.emplace_back(policy->name(), policy->mode());

  uv::Loop loop;
  uv::Dialer connections(loop);
  uv::DatagramDialer datagrams(loop);
  uv::SystemClock clock;
  Counters counters;
  RemarksLog log(explanation.remarks);
  resolver::Cache cache(settings->dns.cache_entries);
  resolver::Resolver dns(loop.scheduler(), datagrams, connections, cache, settings->dns, counters, log);
  const auto spool = mail::make_file_spool(std::filesystem::temp_directory_path());
  state::SessionTable slots({1, 1});
  session::UpstreamBoard board(settings->upstreams);
  AcceptingUpstream upstream(loop.scheduler(), explanation.relayed_header);
  for (auto& [name, group] : board.groups()) {
    for (auto& server : group.servers) server->learned(upstream.extensions());
  }
  session::UpstreamPool pool(loop.scheduler(), upstream, board, counters, {}, settings->hostname,
                             {settings->timeouts.upstream_connect, settings->timeouts.upstream_reply});
  Listener witness(explanation);
  session::Host host{loop.scheduler(), clock,           dns,   log,  counters,
                     *spool,           slots,           board, pool, IdSource(random_seed()),
                     settings,         std::move(*list)};
  host.witness = &witness;
  const session::Door door = door_of(*settings);
  loop.run_until_done(converse(host, door, explanation.envelope, message.content, explanation.dialogue));
  take_outcome(explanation);
  return explanation;
}

}  // namespace sallyport::app
