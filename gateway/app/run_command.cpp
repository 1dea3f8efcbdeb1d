// `sallyport run`: the foreground daemon, from its configuration to the last session's end.
#include "gateway/app/run_command.h"

#include <systemd/sd-daemon.h>

#include <chrono>
#include <csignal>
#include <future>
#include <ostream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "gateway/app/common_parts.h"
#include "gateway/app/control_server.h"
#include "gateway/app/privileges.h"
#include "gateway/app/reload.h"
#include "gateway/app/reply_routes.h"
#include "gateway/app/server_notes.h"
#include "gateway/app/snapshot.h"
#include "gateway/app/start_limits.h"
#include "gateway/app/state_directory.h"
#include "gateway/app/upstream_names.h"
#include "gateway/app/worker.h"
#include "gateway/base/version.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/look_up_names.h"
#include "gateway/cli/transparent_upstreams.h"
#include "gateway/config/own_doors.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"
#include "gateway/report/reporting.h"
#include "gateway/uv/signals.h"

namespace sallyport::app {

namespace {

// What ends the start: a sentence, and the exit status that goes with it.
struct StartFailure {
  int status;
  std::string message;
};

StartFailure unservable(const config::ConfigErrors& errors) {
  StartFailure failure{cli::exit_code::configuration, "the configuration cannot be served:"};
  for (const config::ConfigError& error : errors) failure.message += "\n" + error.to_string();
  return failure;
}

int say(const StartFailure& failure, const cli::Console& console) {
  console.err << "sallyport: " << failure.message << "\n";
  return failure.status;
}

// Signals that ordinary habits send to daemons (log rotation, a terminal that closes) must not end this one, from the
// first moment on; SIGHUP gets its meaning when the loops run.
void ignore_stray_signals() {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
}

// How long a predecessor that is ending may take to give up its control socket.
constexpr Duration hand_over_patience = std::chrono::seconds(2);

class Daemon {
 public:
  Daemon(std::string config_file, config::Loaded loaded)
      : config_file_(std::move(config_file)), loaded_(std::move(loaded)), settings_(*loaded_.settings) {}

  std::optional<StartFailure> open_everything();
  std::optional<StartFailure> make_workers();
  // The failure: a thread could not be had.
  Result<Done> serve();

 private:
  std::size_t workers_wanted() const;
  std::optional<StartFailure> choose_account();
  std::optional<StartFailure> start_helper();
  std::optional<StartFailure> bind_sockets();
  std::optional<StartFailure> open_state();
  std::optional<StartFailure> open_store();
  std::optional<StartFailure> build_snapshot();
  std::optional<StartFailure> find_servers();
  std::string addresses() const;
  void announce();
  void on_signal(Reloader& reloader);
  void one_has_drained();

  const std::string config_file_;
  const config::Loaded loaded_;
  const config::Settings& settings_;
  std::optional<Account> account_;           // who to become; nothing when not started as root
  std::optional<TransparentHelper> helper_;  // until common_ has it
  std::unique_ptr<CommonParts> common_;
  std::unique_ptr<SnapshotBuilder> builder_;
  Built built_;                                  // what is served by at the start
  std::vector<std::vector<NewSocket>> sockets_;  // for each worker, one for each listener
  std::unique_ptr<uv::BoundSocket> control_socket_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::string listening_;  // at these addresses, for the log
  // On the first worker's loop:
  int endings_asked_ = 0;
  std::size_t drained_ = 0;
};

std::size_t Daemon::workers_wanted() const {
  return settings_.workers != 0 ? settings_.workers : std::max(1u, std::thread::hardware_concurrency());
}

std::optional<StartFailure> Daemon::choose_account() {
  if (!is_root()) return std::nullopt;
  auto account = find_account(settings_.user);
  if (!account) {
    return StartFailure{cli::exit_code::permission,
                        account.error().message + "; name one with `user = \"...\"` (root itself never serves)"};
  }
  account_ = std::move(*account);
  return std::nullopt;
}

// Before anything is opened and any thread is started, as it is a fork of this process.
std::optional<StartFailure> Daemon::start_helper() {
  if (!cli::has_transparent_upstreams(settings_)) return std::nullopt;
  const config::ConfigErrors missing = cli::find_missing_rights(loaded_, config_file_);
  if (!missing.empty()) return StartFailure{cli::exit_code::permission, missing.front().to_string()};
  auto helper = TransparentHelper::start(account_ ? &*account_ : nullptr, workers_wanted());
  if (!helper) {
    const std::string what = "the helper process that client_info = \"tproxy\" takes cannot be started: ";
    return StartFailure{cli::exit_code::permission, what + helper.error().message};
  }
  helper_ = std::move(*helper);
  return std::nullopt;
}

// As the user who serves.
std::optional<StartFailure> Daemon::open_state() {
  const std::string& state = settings_.state.path;
  auto spool = open_state_directory(state);
  if (!spool) return StartFailure{cli::exit_code::io, spool.error().message};
  common_->spool = mail::make_file_spool(*spool);
  const std::string path = control::socket_path(state);
  auto socket = uv::bind_unix_listener(path);
  if (!socket) {
    // It may be the one of a predecessor that has stopped listening and lets its last mails finish.
    const auto answer = control::ask(path, control::encode({"hand_over"}), hand_over_patience);
    if (answer && control::decode_done(*answer)) socket = uv::bind_unix_listener(path);
  }
  if (!socket) return StartFailure{cli::exit_code::io, socket.error().message};
  control_socket_ = std::make_unique<uv::BoundSocket>(std::move(*socket));
  return std::nullopt;
}

std::optional<StartFailure> Daemon::build_snapshot() {
  builder_ = std::make_unique<SnapshotBuilder>(*common_, config_file_, workers_wanted());
  auto built = builder_->build(loaded_);
  if (built) {
    built_ = std::move(*built);
    return std::nullopt;
  }
  return unservable(built.error());
}

std::optional<StartFailure> Daemon::bind_sockets() {
  sockets_.resize(builder_->workers());
  for (const config::ListenSettings& listen : settings_.listen) {
    auto bound = uv::bind_listeners(listen.address, sockets_.size());
    if (!bound) return StartFailure{cli::exit_code::io, bound.error().message};
    for (std::size_t i = 0; i < sockets_.size(); ++i) sockets_[i].push_back({listen.address, std::move((*bound)[i])});
  }
  return std::nullopt;
}

std::optional<StartFailure> Daemon::open_everything() {
  auto files = check_open_files(workers_wanted(), settings_.listen.size());
  if (!files) return StartFailure{cli::exit_code::temporary, files.error().message};
  if (auto failure = choose_account()) return failure;
  if (auto failure = start_helper()) return failure;
  auto common = make_common_parts(loaded_.settings);
  if (!common) return StartFailure{cli::exit_code::configuration, common.error().message};
  common_ = std::move(*common);
  common_->transparent_helper = std::move(helper_);
  if (auto failure = build_snapshot()) return failure;
  if (account_) {
    auto prepared = prepare_state_directory(settings_.state.path, *account_);
    if (!prepared) return StartFailure{cli::exit_code::io, prepared.error().message};
  }
  if (auto failure = bind_sockets()) return failure;
  // From here on nothing needs root, and nothing of a peer has been read yet (threats.md V1).
  auto dropped = account_ ? drop_privileges(*account_) : drop_privileges();
  if (!dropped) return StartFailure{cli::exit_code::permission, dropped.error().message};
  auto threads = check_threads(workers_wanted());
  if (!threads) return StartFailure{cli::exit_code::temporary, threads.error().message};
  if (auto failure = open_state()) return failure;
  if (auto failure = open_store()) return failure;
  if (auto failure = find_servers()) return failure;
  return make_workers();
}

// Before anything is served: the first mail finds its server. Names that do not answer are asked for again. What other
// hosts say is read as the user who serves.
std::optional<StartFailure> Daemon::find_servers() {
  upstream::NameBook& names = common_->registry.names();
  const auto news = cli::look_up_names(settings_, names, common_->dns_cache, common_->counters, *common_->log);
  if (news.empty()) return std::nullopt;
  log_names(news, *common_->log);
  const auto addresses = [&names](std::string_view name) { return names.addresses(name); };
  const auto doors = config::find_own_doors(loaded_, config_file_, config::addresses_of_this_host(), addresses);
  if (!doors.empty()) return unservable(doors);
  built_.snapshot = builder_->regroup(*built_.snapshot);
  for (auto& worker : built_.for_workers) {
    const session::WorkerSnapshot regrouped{built_.snapshot, worker->plans};
    worker = std::make_shared<const session::WorkerSnapshot>(regrouped);
  }
  return std::nullopt;
}

// As the user who serves: the database and what SQLite puts beside it belong to nobody else.
std::optional<StartFailure> Daemon::open_store() {
  auto database = state::open_or_set_aside(state::database_path(settings_.state.path), common_->counters, *common_->log,
                                           std::chrono::system_clock::now());
  if (!database) return StartFailure{cli::exit_code::io, database.error().message};
  auto remembered = state::ServerMemory::read(**database, std::chrono::system_clock::now());
  if (!remembered) return StartFailure{cli::exit_code::io, remembered.error().message};
  common_->registry.recall(last_words(*remembered));
  common_->store = std::make_unique<state::Store>(std::move(*database), common_->counters, *common_->log);
  if (report::reporting_settings(settings_) == nullptr) return std::nullopt;
  common_->dmarc_reports = std::make_unique<state::DmarcReportStore>(*common_->store, common_->counters);
  return std::nullopt;
}

std::optional<StartFailure> Daemon::make_workers() {
  listening_ = addresses();
  try {
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      Worker::Orders orders{built_.for_workers[i], std::move(sockets_[i])};
      workers_.push_back(std::make_unique<Worker>(*common_, std::move(orders), i == 0));
    }
  } catch (const std::runtime_error& error) {  // of a loop, which the kernel gives no descriptors
    return StartFailure{cli::exit_code::temporary, error.what()};
  }
  if (workers_.size() > 1) {
    for (auto& worker : workers_) {
      worker->ask_dns_with_others();
      worker->share_upstream_places();
    }
  }
  return std::nullopt;
}

std::string Daemon::addresses() const {
  std::string listeners;
  for (const auto& socket : sockets_.front()) {
    if (!listeners.empty()) listeners += ',';
    listeners += socket.socket.address().to_string();
  }
  return listeners;
}

void Daemon::announce() {
  common_->log->write(LogLevel::info, "ready",
                      {{"version", version()},
                       {"listen", listening_},
                       {"workers", static_cast<std::int64_t>(workers_.size())},
                       {"config", loaded_.hash}});
  report_certificates(*built_.snapshot, *common_);
  report_missing_routes(*built_.snapshot, *common_);
}

// Once: what is under way may finish. Again: it is broken off, whichever worker has it. Once more: nothing is waited
// for, not even that.
void Daemon::on_signal(Reloader& reloader) {
  ++endings_asked_;
  if (endings_asked_ == 1) {
    ::sd_notify(0, "STOPPING=1");
    common_->log->write(LogLevel::info, "stopping", {});
    reloader.stop();
    uv::Loop& first = workers_.front()->loop();
    for (auto& worker : workers_) {
      worker->drain([this, &first] { first.post([this] { one_has_drained(); }); });
    }
  } else if (endings_asked_ == 2) {
    for (auto& worker : workers_) worker->break_off();
  } else {
    for (auto& worker : workers_) worker->loop().stop();
  }
}

// The first worker's loop goes on until then: it hears the signals and serves the control socket.
void Daemon::one_has_drained() {
  if (++drained_ == workers_.size()) workers_.front()->loop().stop();
}

Result<Done> Daemon::serve() {
  Worker& first = *workers_.front();
  Reloader reloader(*common_, *builder_, workers_, built_);
  ControlServer control(*common_, reloader, first.loop(), std::move(*control_socket_));
  async::Nursery reloads(first.loop().scheduler());
  reloads.spawn(reloader.follow_names());
  if (common_->store) reloads.spawn(reloader.remember_servers());
  uv::Signals endings(first.loop(), {SIGTERM, SIGINT}, [&](int) { on_signal(reloader); });
  uv::Signals hangups(first.loop(), {SIGHUP}, [&](int) { reloads.spawn(reloader.reload_by_signal()); });

  std::promise<bool> starting;
  const std::shared_future<bool> started = starting.get_future().share();
  std::vector<std::thread> threads;
  std::optional<Failure> shortage;
  try {
    for (std::size_t i = 1; i < workers_.size(); ++i) {
      threads.emplace_back([worker = workers_[i].get(), started] {
        if (started.get()) worker->run();
      });
    }
  } catch (const std::system_error& error) {
    shortage = too_few_threads(workers_.size(), threads.size(), error.code().message().c_str());
  }
  if (!shortage) announce();
  built_ = {};  // from here on it lives as long as somebody serves by it
  starting.set_value(!shortage);
  if (!shortage) {
    ::sd_notify(0, "READY=1");
    first.run();
  }
  for (std::thread& thread : threads) thread.join();
  if (shortage) return *shortage;
  common_->log->write(LogLevel::info, "stopped", {});
  return Done{};
}

void declare(cli::Syntax& syntax, RunOptions& options) { syntax.config_file(options.config_file); }

// Serves until a signal ends it.
int run_command(const RunOptions& options, const cli::Console& console) {
  uv::ignore_sigpipe();
  ignore_stray_signals();
  auto loaded = cli::load_configuration(options.config_file, console);
  if (!loaded) return cli::exit_code::configuration;
  Daemon daemon(options.config_file, std::move(*loaded));
  if (auto failure = daemon.open_everything()) return say(*failure, console);
  auto served = daemon.serve();
  if (!served) return say({cli::exit_code::temporary, served.error().message}, console);
  return cli::exit_code::ok;
}

}  // namespace

const cli::Command run_entry{"run", "Serve in the foreground", cli::make_invocation<RunOptions, declare, run_command>};

}  // namespace sallyport::app
