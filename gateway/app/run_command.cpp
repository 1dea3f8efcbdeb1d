// `sallyport run`: the foreground daemon, from its configuration to the last session's end.
#include "gateway/app/run_command.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ostream>
#include <thread>

#include "gateway/app/common_parts.h"
#include "gateway/app/control_server.h"
#include "gateway/app/privileges.h"
#include "gateway/app/reload.h"
#include "gateway/app/server_notes.h"
#include "gateway/app/snapshot.h"
#include "gateway/app/upstream_names.h"
#include "gateway/app/worker.h"
#include "gateway/base/version.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/look_up_names.h"
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

int say(const StartFailure& failure, const cli::Console& console) {
  console.err << "sallyport: " << failure.message << "\n";
  return failure.status;
}

// Signals that ordinary habits send to daemons (log rotation, a terminal that closes) must not end this one, from the
// first moment on; SIGHUP gets its meaning when the loops run.
void ignore_stray_signals() {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
}

// Creates the directory if it is missing, and gives it to the service user when run as root.
Result<Done> make_directory(const std::string& path, mode_t mode, const std::optional<Account>& owner) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return Failure{"cannot make " + path + ": " + std::strerror(errno)};
  }
  if (owner && ::chown(path.c_str(), owner->uid, owner->gid) != 0) {
    return Failure{"cannot give " + path + " to " + owner->name + ": " + std::strerror(errno)};
  }
  return Done{};
}

// Each session may need three descriptors: the client's, an upstream's, a spool file's.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Daemon {
 public:
  Daemon(std::string config_file, config::Loaded loaded)
      : config_file_(std::move(config_file)), loaded_(std::move(loaded)), settings_(*loaded_.settings) {}

  std::optional<StartFailure> open_everything();
  int serve();

 private:
  std::optional<StartFailure> choose_account();
  std::optional<StartFailure> open_state();
  std::optional<StartFailure> open_store();
  std::optional<StartFailure> build_snapshot();
  std::optional<StartFailure> bind_sockets();
  void announce();
  void on_signal(Reloader& reloader);

  const std::string config_file_;
  const config::Loaded loaded_;
  const config::Settings& settings_;
  std::optional<Account> account_;  // who to become; nothing when not started as root
  std::unique_ptr<CommonParts> common_;
  std::unique_ptr<SnapshotBuilder> builder_;
  Built built_;                                  // what is served by at the start
  std::vector<std::vector<NewSocket>> sockets_;  // for each worker, one for each listener
  std::unique_ptr<uv::BoundSocket> control_socket_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

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

std::optional<StartFailure> Daemon::open_state() {
  const std::string& state = settings_.state.path;
  std::string spool = state + "/spool";
  for (const auto& [path, mode] : {std::pair{state, mode_t{0750}}, std::pair{spool, mode_t{0700}}}) {
    auto made = make_directory(path, mode, account_);
    if (!made) return StartFailure{cli::exit_code::io, made.error().message};
  }
  common_->spool = mail::make_file_spool(spool);
  auto control = uv::bind_unix_listener(control::socket_path(state));
  if (!control) return StartFailure{cli::exit_code::io, control.error().message};
  if (account_ && ::chown(control::socket_path(state).c_str(), account_->uid, account_->gid) != 0) {
    return StartFailure{cli::exit_code::io,
                        "cannot give the control socket to " + account_->name + ": " + std::strerror(errno)};
  }
  control_socket_ = std::make_unique<uv::BoundSocket>(std::move(*control));
  return std::nullopt;
}

std::optional<StartFailure> Daemon::build_snapshot() {
  const std::uint64_t workers =
      settings_.workers != 0 ? settings_.workers : std::max(1u, std::thread::hardware_concurrency());
  builder_ = std::make_unique<SnapshotBuilder>(*common_, config_file_, workers);
  auto built = builder_->build(loaded_);
  if (built) {
    built_ = std::move(*built);
    return std::nullopt;
  }
  StartFailure failure{cli::exit_code::configuration, "the configuration cannot be served:"};
  for (const config::ConfigError& error : built.error()) failure.message += "\n" + error.to_string();
  return failure;
}

std::optional<StartFailure> Daemon::bind_sockets() {
  sockets_.resize(builder_->workers());
  for (auto& sockets : sockets_) {
    for (const config::ListenSettings& listen : settings_.listen) {
      auto socket = uv::bind_listener(listen.address);
      if (!socket) return StartFailure{cli::exit_code::io, socket.error().message};
      sockets.push_back({listen.address, std::move(*socket)});
    }
  }
  return std::nullopt;
}

std::optional<StartFailure> Daemon::open_everything() {
  raise_descriptor_limit();
  if (auto failure = choose_account()) return failure;
  auto common = make_common_parts(loaded_.settings);
  if (!common) return StartFailure{cli::exit_code::configuration, common.error().message};
  common_ = std::move(*common);
  // Before anything is served: the first mail finds its server. Names that do not answer are asked for again.
  log_names(
      cli::look_up_names(settings_, common_->registry.names(), common_->dns_cache, common_->counters, *common_->log),
      *common_->log);
  if (auto failure = build_snapshot()) return failure;
  if (auto failure = open_state()) return failure;
  if (auto failure = bind_sockets()) return failure;
  // From here on nothing needs root, and nothing of a peer has been read yet (threats.md V1).
  auto dropped = account_ ? drop_privileges(*account_) : refuse_new_privileges();
  if (!dropped) return StartFailure{cli::exit_code::permission, dropped.error().message};
  return open_store();
}

// As the user who serves: the database and what SQLite puts beside it belong to nobody else.
std::optional<StartFailure> Daemon::open_store() {
  auto database = state::Database::open(state::database_path(settings_.state.path), state::Database::Missing::create);
  if (!database) return StartFailure{cli::exit_code::io, database.error().message};
  auto remembered = state::ServerMemory::read(**database, std::chrono::system_clock::now());
  if (!remembered) return StartFailure{cli::exit_code::io, remembered.error().message};
  common_->registry.recall(last_words(*remembered));
  common_->store = std::make_unique<state::Store>(std::move(*database), common_->counters, *common_->log);
  if (report::reporting_settings(settings_) == nullptr) return std::nullopt;
  common_->dmarc_reports = std::make_unique<state::DmarcReportStore>(*common_->store, common_->counters);
  return std::nullopt;
}

void Daemon::announce() {
  std::string listeners;
  for (const auto& socket : sockets_.front()) {
    if (!listeners.empty()) listeners += ',';
    listeners += socket.socket.address().to_string();
  }
  common_->log->write(LogLevel::info, "ready",
                      {{"version", version()},
                       {"listen", listeners},
                       {"workers", static_cast<std::int64_t>(sockets_.size())},
                       {"config", loaded_.hash}});
  report_certificates(*built_.snapshot, *common_);
}

void Daemon::on_signal(Reloader& reloader) {
  ::sd_notify(0, "STOPPING=1");
  common_->log->write(LogLevel::info, "stopping", {});
  reloader.stop();
  for (auto& worker : workers_) worker->drain();
}

int Daemon::serve() {
  announce();
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    Worker::Orders orders{built_.for_workers[i], std::move(sockets_[i])};
    workers_.push_back(std::make_unique<Worker>(*common_, std::move(orders), i == 0));
  }
  if (workers_.size() > 1) {
    for (auto& worker : workers_) {
      worker->ask_dns_with_others();
      worker->share_upstream_places();
    }
  }
  Worker& first = *workers_.front();
  Reloader reloader(*common_, *builder_, workers_, built_);
  built_ = {};  // from here on it lives as long as somebody serves by it
  ControlServer control(*common_, reloader, first.loop(), std::move(*control_socket_));
  async::Nursery reloads(first.loop().scheduler());
  reloads.spawn(reloader.follow_names());
  if (common_->store) reloads.spawn(reloader.remember_servers());
  uv::Signals endings(first.loop(), {SIGTERM, SIGINT}, [&](int) { on_signal(reloader); });
  uv::Signals hangups(first.loop(), {SIGHUP}, [&](int) { reloads.spawn(reloader.reload_by_signal()); });

  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers_.size(); ++i)
    threads.emplace_back([worker = workers_[i].get()] { worker->run(); });
  ::sd_notify(0, "READY=1");
  first.run();
  for (std::thread& thread : threads) thread.join();
  common_->log->write(LogLevel::info, "stopped", {});
  return cli::exit_code::ok;
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
  return daemon.serve();
}

}  // namespace

const cli::Command run_entry{"run", "Serve in the foreground", cli::make_invocation<RunOptions, declare, run_command>};

}  // namespace sallyport::app
