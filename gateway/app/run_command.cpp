// `sallyport run`: the foreground daemon, from its configuration to the last session's end.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <thread>

#include "gateway/app/commands.h"
#include "gateway/app/common_parts.h"
#include "gateway/app/control_server.h"
#include "gateway/app/exit_code.h"
#include "gateway/app/policy_parts.h"
#include "gateway/app/privileges.h"
#include "gateway/app/version.h"
#include "gateway/app/worker.h"
#include "gateway/control/protocol.h"
#include "gateway/uv/signals.h"

namespace sallyport::app {

namespace {

// What ends the start: a sentence, and the exit status that goes with it.
struct StartFailure {
  int status;
  std::string message;
};

int say(const StartFailure& failure) {
  std::cerr << "sallyport: " << failure.message << "\n";
  return failure.status;
}

// The directory and its owner. One that exists keeps its mode and owner unless it is empty-handed us by root's first
// start.
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
  explicit Daemon(const config::Loaded& loaded) : loaded_(loaded), settings_(*loaded.settings) {}

  std::optional<StartFailure> open_everything();
  int serve();

 private:
  std::optional<StartFailure> choose_account();
  std::optional<StartFailure> open_state();
  std::optional<StartFailure> open_store();
  std::optional<StartFailure> bind_sockets();
  std::optional<StartFailure> make_policies();
  void announce();
  void on_signal();

  const config::Loaded& loaded_;
  const config::Settings& settings_;
  std::optional<Account> account_;  // who to become; nothing when not started as root
  std::unique_ptr<CommonParts> common_;
  std::vector<std::vector<uv::BoundSocket>> sockets_;  // for each worker, one for each door
  std::unique_ptr<uv::BoundSocket> control_socket_;
  std::vector<WorkerPolicies> policies_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

std::optional<StartFailure> Daemon::choose_account() {
  if (!is_root()) return std::nullopt;
  auto account = find_account(settings_.user);
  if (!account) {
    return StartFailure{exit_code::permission,
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
    if (!made) return StartFailure{exit_code::io, made.error().message};
  }
  common_->spool = mail::make_file_spool(spool);
  auto control = uv::bind_unix_listener(control::socket_path(state));
  if (!control) return StartFailure{exit_code::io, control.error().message};
  if (account_ && ::chown(control::socket_path(state).c_str(), account_->uid, account_->gid) != 0) {
    return StartFailure{exit_code::io,
                        "cannot give the control socket to " + account_->name + ": " + std::strerror(errno)};
  }
  control_socket_ = std::make_unique<uv::BoundSocket>(std::move(*control));
  return std::nullopt;
}

std::optional<StartFailure> Daemon::bind_sockets() {
  std::uint64_t workers =
      settings_.workers != 0 ? settings_.workers : std::max(1u, std::thread::hardware_concurrency());
  sockets_.resize(workers);
  for (auto& sockets : sockets_) {
    for (const config::ListenSettings& listen : settings_.listen) {
      auto socket = uv::bind_listener(listen.address);
      if (!socket) return StartFailure{exit_code::io, socket.error().message};
      sockets.push_back(std::move(*socket));
    }
  }
  return std::nullopt;
}

std::optional<StartFailure> Daemon::make_policies() {
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    auto policies = make_worker_policies(settings_, common_->rates, common_->suffixes);
    if (!policies) return StartFailure{exit_code::configuration, policies.error().message};
    policies_.push_back(std::move(*policies));
  }
  return std::nullopt;
}

std::optional<StartFailure> Daemon::open_everything() {
  raise_descriptor_limit();
  if (auto failure = choose_account()) return failure;
  auto common = make_common_parts(loaded_);
  if (!common) return StartFailure{exit_code::configuration, common.error().message};
  common_ = std::move(*common);
  if (auto failure = open_state()) return failure;
  if (auto failure = bind_sockets()) return failure;
  if (auto failure = make_policies()) return failure;
  // From here on nothing needs root, and nothing of a peer has been read yet (threats.md V1).
  auto dropped = account_ ? drop_privileges(*account_) : refuse_new_privileges();
  if (!dropped) return StartFailure{exit_code::permission, dropped.error().message};
  return open_store();
}

// As the user who serves: the database and what SQLite puts beside it belong to nobody else.
std::optional<StartFailure> Daemon::open_store() {
  if (!settings_.policy.dmarc_report.enabled) return std::nullopt;
  auto database = state::Database::open(state::database_path(settings_.state.path), state::Database::Missing::create);
  if (!database) return StartFailure{exit_code::io, database.error().message};
  common_->store = std::make_unique<state::Store>(std::move(*database), common_->counters, *common_->log);
  common_->dmarc_reports = std::make_unique<state::DmarcReportStore>(*common_->store, common_->counters);
  return std::nullopt;
}

void Daemon::announce() {
  std::string listeners;
  for (const auto& socket : sockets_.front()) {
    if (!listeners.empty()) listeners += ',';
    listeners += socket.address().to_string();
  }
  common_->log->write(LogLevel::info, "ready",
                      {{"version", version()},
                       {"listen", listeners},
                       {"workers", static_cast<std::int64_t>(sockets_.size())},
                       {"config", common_->configuration_hash}});
  for (const session::Door& door : common_->doors) {
    if (!door.tls) continue;
    WallTime now = std::chrono::system_clock::now();
    auto left = std::chrono::duration_cast<std::chrono::seconds>(door.tls->expires_at() - now);
    common_->counters.set(Gauge::cert_expires_in_seconds, left.count());
    for (const std::string& warning : door.tls->warnings(now)) {
      common_->counters.add(Fault::cert_expired);
      common_->log->write(LogLevel::warning, "fault", {{"kind", name(Fault::cert_expired)}, {"detail", warning}});
    }
    break;  // all doors have the same certificates
  }
}

void Daemon::on_signal() {
  ::sd_notify(0, "STOPPING=1");
  common_->log->write(LogLevel::info, "stopping", {});
  for (auto& worker : workers_) worker->drain();
}

int Daemon::serve() {
  announce();
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    workers_.push_back(std::make_unique<Worker>(*common_, std::move(sockets_[i]), std::move(policies_[i]), i == 0));
  }
  if (workers_.size() > 1) {
    for (auto& worker : workers_) worker->ask_dns_with_others();
  }
  Worker& first = *workers_.front();
  ControlServer control(*common_, first.loop(), std::move(*control_socket_));
  uv::Signals signals(first.loop(), {SIGTERM, SIGINT}, [this](int) { on_signal(); });

  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers_.size(); ++i)
    threads.emplace_back([worker = workers_[i].get()] { worker->run(); });
  ::sd_notify(0, "READY=1");
  first.run();
  for (std::thread& thread : threads) thread.join();
  common_->log->write(LogLevel::info, "stopped", {});
  return exit_code::ok;
}

}  // namespace

int run_command(const RunOptions& options) {
  uv::ignore_sigpipe();
  auto loaded = config::load(options.config_file, config::Disk());
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) std::cerr << error.to_string() << "\n";
    return exit_code::configuration;
  }
  Daemon daemon(*loaded);
  if (auto failure = daemon.open_everything()) return say(*failure);
  return daemon.serve();
}

}  // namespace sallyport::app
