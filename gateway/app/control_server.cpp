#include "gateway/app/control_server.h"

#include "gateway/app/all_done.h"
#include "gateway/app/list_reports.h"
#include "gateway/app/metric_report.h"
#include "gateway/app/server_reports.h"
#include "gateway/app/session_reports.h"
#include "gateway/app/state_lock.h"
#include "gateway/control/protocol.h"
#include "gateway/control/sessions.h"
#include "gateway/control/upgrade.h"
#include "gateway/control/upstreams.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

constexpr Duration patience = std::chrono::seconds(5);
// Less than who asks waits for an answer. A worker that has not told its sessions by then stands still.
constexpr Duration patience_with_workers = std::chrono::seconds(3);

// On the work pool: ten thousand sessions are a few megabytes of JSON.
struct SessionListing {
  std::vector<SeenSessions::Part> parts;
  control::SessionsRequest request;
  std::size_t workers;
  Moment moment;
  std::string operator()() {
    return control::encode_sessions(session_reports(std::move(parts), request, workers, moment));
  }
};

struct DrainedReading {
  std::string line;
  Result<control::Drained> operator()() { return control::decode_drained(line); }
};

}  // namespace

ControlServer::ControlServer(CommonParts& common, Reloader& reloader, Succession& succession, DrainReports& drain,
                             const std::vector<std::unique_ptr<Worker>>& workers, uv::Loop& loop,
                             uv::BoundSocket socket)
    : common_(common),
      reloader_(reloader),
      succession_(succession),
      drain_(drain),
      drained_(drain.process()),
      workers_(workers),
      loop_(loop),
      listener_(loop, std::move(socket),
                [this](std::unique_ptr<io::Stream> stream, SocketAddress, SocketAddress) {
                  nursery_.spawn(answer(std::move(stream)));
                }),
      nursery_(loop.scheduler()) {}

Task<void> ControlServer::answer(std::unique_ptr<io::Stream> stream) {
  Time deadline = loop_.scheduler().now() + patience;
  std::string request;
  while (true) {
    const std::string_view input = stream->input();
    const std::size_t end = input.find('\n');
    request.append(input.substr(0, end));
    if (end != std::string_view::npos) break;
    if (request.size() > control::max_drained_bytes) co_return stream->abort();
    stream->consume(input.size());
    auto more = co_await stream->fill(deadline);
    if (!more) co_return stream->abort();
  }
  struct Answering {
    explicit Answering(std::size_t& answers) : count(answers) { ++count; }
    ~Answering() { --count; }
    std::size_t& count;
  };
  const Answering answering(answering_);
  std::string response;
  try {
    response = co_await respond(std::move(request));
  } catch (const std::exception& error) {
    note_internal_fault(common_, error.what());
    response = control::encode_error("the gateway has not enough memory to answer; try again");
  }
  response += '\n';
  // A reload may have taken its time.
  auto sent = co_await stream->write(response, loop_.scheduler().now() + patience);
  if (sent) stream->close();
}

Task<std::string> ControlServer::respond(std::string line) {
  if (line.size() > control::max_request_bytes) co_return co_await drained(std::move(line));  // no other is so long
  const auto request = control::decode_request(line);
  if (!request) co_return control::encode_error(request.error().message);
  if (request->command == "stats") co_return stats();
  if (request->command == "metrics") co_return metrics();
  if (request->command == "upstreams") co_return upstreams();
  if (request->command == "lists") co_return lists();
  if (request->command == "sessions") co_return co_await sessions(std::move(line));
  if (request->command == "values") co_return control::encode_values(config::to_text(reloader_.values()));
  if (request->command == "hand_over") co_return hand_over();
  if (request->command == "drain") co_return drain();
  if (request->command == control::drained_command) co_return co_await drained(std::move(line));
  if (request->command == "upgrade") co_return co_await succession_.upgrade();
  if (request->command == "reload") {
    const auto outcome = co_await reloader_.reload();
    if (!outcome && reloader_.is_superseded()) co_return control::encode_superseded();
    co_return outcome ? control::encode_reloaded(*outcome) : control::encode_reload_errors(outcome.error());
  }
  co_return control::encode_error(
      "this version answers only \"stats\", \"metrics\", \"upstreams\", \"lists\", \"sessions\", \"values\", "
      "\"reload\", \"drain\" and \"upgrade\"");
}

// A successor that starts while this daemon drains takes over the state directory with the place of the socket. Whoever
// asks there from now on asks the successor.
std::string ControlServer::hand_over() {
  if (!reloader_.is_stopping()) return control::encode_error("this daemon serves and is not ending");
  if (reloader_.is_superseded()) return control::encode_superseded();
  listener_.stop();
  unlock_state(common_.state_lock);
  common_.state_lock.reset();
  drain_.begin();
  return control::encode_done();
}

// The supervising process has to know, or it would have another one serve. It commands the end as for a signal.
std::string ControlServer::drain() {
  if (reloader_.is_superseded()) return control::encode_superseded();
  if (reloader_.is_stopping() || common_.link.ask_for_end()) return control::encode_done();
  return control::encode_error("the supervising process cannot be asked now; try again");
}

Task<std::string> ControlServer::drained(std::string line) {
  auto told = co_await uv::on_worker(loop_, DrainedReading{std::move(line)});
  if (!told) co_return control::encode_error(told.error().message);
  co_return control::encode_drained_taken(drained_.take(std::move(*told), uv::Loop::now()));
}

std::string ControlServer::stats() {
  reloader_.tell_certificate_age();
  control::Stats stats = common_.counters.all();
  for (auto& counter : common_.rules.counters()) stats.push_back(std::move(counter));
  auto uptime = std::chrono::duration_cast<std::chrono::seconds>(uv::Loop::now() - common_.started);
  stats.insert(stats.begin(), {"sallyport_uptime_seconds", uptime.count()});
  return control::encode_stats(stats);
}

std::string ControlServer::metrics() {
  reloader_.tell_certificate_age();
  control::State state = daemon_state(common_, reloader_.current(), moment(), reloader_.is_stopping());
  drained_.add_to(state.metrics, uv::Loop::now());
  return control::encode_state(state);
}

std::string ControlServer::upstreams() const {
  return control::encode_upstreams(server_reports(reloader_.current(), common_.registry.names(), moment()));
}

Task<std::string> ControlServer::sessions(std::string line) {
  const auto request = control::decode_sessions_request(line);
  if (!request) co_return control::encode_error(request.error().message);
  AllDone<SeenSessions> all_done(loop_);
  for (const auto& worker : workers_) worker->tell_sessions(request->order, request->limit, all_done.share());
  static_cast<void>(co_await all_done.wait(loop_.scheduler().now() + patience_with_workers));
  SessionListing listing{all_done.shared().take(), *request, workers_.size(), moment()};
  co_return co_await uv::on_worker(loop_, std::move(listing));
}

Moment ControlServer::moment() const { return {uv::Loop::now(), std::chrono::system_clock::now(), common_.started}; }

std::string ControlServer::lists() const {
  return control::encode_lists(list_reports(*reloader_.current().settings, common_.lists, moment()));
}

}  // namespace sallyport::app
