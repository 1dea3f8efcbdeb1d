// `sallyport run`: the foreground daemon, from its configuration to the last session's end.
#include "gateway/app/run_command.h"

#include <fcntl.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <new>
#include <ostream>
#include <sstream>
#include <system_error>
#include <utility>

#include "gateway/app/common_parts.h"
#include "gateway/app/hardening.h"
#include "gateway/app/landlock.h"
#include "gateway/app/privileges.h"
#include "gateway/app/reload.h"
#include "gateway/app/reply_routes.h"
#include "gateway/app/server_notes.h"
#include "gateway/app/serving_sockets.h"
#include "gateway/app/snapshot.h"
#include "gateway/app/start_limits.h"
#include "gateway/app/state_directory.h"
#include "gateway/app/state_lock.h"
#include "gateway/app/supervisor.h"
#include "gateway/app/upstream_names.h"
#include "gateway/app/worker.h"
#include "gateway/app/worker_threads.h"
#include "gateway/base/blocked_signals.h"
#include "gateway/base/ensure.h"
#include "gateway/base/heap.h"
#include "gateway/base/version.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/look_up_names.h"
#include "gateway/cli/transparent_upstreams.h"
#include "gateway/config/own_doors.h"
#include "gateway/config/worker_count.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"
#include "gateway/crypto/wiping.h"
#include "gateway/report/reporting.h"
#include "gateway/supervise/inheritance.h"
#include "gateway/supervise/supervising.h"
#include "gateway/uv/no_resources.h"
#include "gateway/uv/open_files.h"
#include "gateway/uv/signals.h"
#include "gateway/uv/work_pool.h"

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
// first moment on, nor the kernel's for a file that has its largest size (ulimit -f): the write fails, as on a full
// disk. SIGHUP gets its meaning when the loops run.
void ignore_stray_signals() {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGXFSZ}) std::signal(signal, SIG_IGN);
}

// Raises the limit of open files as far as it may be.
std::optional<StartFailure> check_limits(std::size_t workers, std::size_t listeners) {
  auto files = check_open_files(workers, listeners);
  if (!files) return StartFailure{cli::exit_code::temporary, files.error().message};
  auto memory = check_memory(workers);
  if (!memory) return StartFailure{cli::exit_code::temporary, memory.error().message};
  return std::nullopt;
}

// How long a predecessor that is ending may take to give up its control socket.
constexpr Duration hand_over_patience = std::chrono::seconds(2);

// How long one that has been killed may take until the kernel has closed what it had.
constexpr Duration last_breath = std::chrono::milliseconds(500);

// How long a start may wait for answers about names whose addresses are known from before.
constexpr Duration patience_with_known_names = std::chrono::milliseconds(300);

class Daemon {
 public:
  Daemon(std::string config_file, config::Loaded loaded, supervise::Inheritance inheritance)
      : config_file_(std::move(config_file)),
        loaded_(std::move(loaded)),
        settings_(*loaded_.settings),
        inheritance_(std::move(inheritance)) {}

  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  std::optional<StartFailure> open_everything();
  void make_workers();
  // From `ready` to the end. The failure: a thread could not be had, or the place of the process before this one.
  std::optional<StartFailure> serve();

 private:
  std::size_t workers_wanted() const;
  std::optional<StartFailure> choose_account();
  std::optional<StartFailure> start_helper();
  std::optional<StartFailure> bind_sockets();
  std::optional<StartFailure> open_board();
  std::optional<StartFailure> settle_with_supervisor();
  std::vector<std::string> places_to_write(const std::string& spool) const;
  std::vector<std::string> places_of_sockets() const;
  std::optional<StartFailure> open_state();
  std::optional<StartFailure> open_store();
  std::optional<StartFailure> start_threads();
  void note_lost_memory(std::string_view why);
  std::optional<StartFailure> build_snapshot();
  std::optional<StartFailure> find_servers();
  std::string addresses() const;
  std::optional<StartFailure> take_place();
  void announce();

  const std::string config_file_;
  const config::Loaded loaded_;
  const config::Settings& settings_;
  supervise::Inheritance inheritance_;       // what is not taken out yet
  std::optional<Account> account_;           // who to become; nothing when not started as root
  std::optional<TransparentHelper> helper_;  // until common_ has it
  std::unique_ptr<CommonParts> common_;
  std::unique_ptr<SnapshotBuilder> builder_;
  Built built_;                                  // what is served by at the start
  std::vector<std::vector<NewSocket>> sockets_;  // for each worker, one for each listener
  std::unique_ptr<uv::BoundSocket> control_socket_;
  bool is_beside_control_socket_ = false;  // of the process that serves, whose place this one is to take
  std::vector<std::unique_ptr<Worker>> workers_;
  std::string listening_;  // at these addresses, for the log
  Confinement confinement_ = Confinement::left_out;
};

Daemon::~Daemon() {
  if (is_beside_control_socket_) uv::give_up_place_at(control::socket_path(settings_.state.path));
}

std::size_t Daemon::workers_wanted() const { return config::worker_count(settings_); }

std::optional<StartFailure> Daemon::choose_account() {
  auto account = account_to_serve_as(settings_.user);
  if (!account) return StartFailure{cli::exit_code::permission, account.error().message};
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

// The log's file is made anew beside itself when it has been moved away. The directory of spool files may be a link.
std::vector<std::string> Daemon::places_to_write(const std::string& spool) const {
  std::vector<std::string> places{settings_.state.path, spool};
  constexpr std::string_view file = "file:";
  const std::string_view target = settings_.log.target;
  if (target.starts_with(file)) {
    const std::filesystem::path log(target.substr(file.size()));
    places.push_back(log.has_parent_path() ? log.parent_path().string() : ".");
  }
  return places;
}

// Where the files of listeners lie, which a reload may give up.
std::vector<std::string> Daemon::places_of_sockets() const {
  std::vector<std::string> places;
  for (const config::ListenSettings& listen : settings_.listen) {
    if (listen.address.is_unix()) places.push_back(std::filesystem::path(listen.address.path()).parent_path().string());
  }
  return places;
}

// As the user who serves.
std::optional<StartFailure> Daemon::open_state() {
  const std::string& state = settings_.state.path;
  const std::string path = control::socket_path(state);
  if (is_lock_of(inheritance_.state_lock, state)) {
    common_->state_lock = std::move(inheritance_.state_lock);
    if (!inheritance_.is_successor) write_holder_of_state(common_->state_lock);
    is_beside_control_socket_ = inheritance_.is_successor;
    auto socket = is_beside_control_socket_ ? uv::bind_unix_successor(path) : uv::bind_unix_listener(path);
    if (!socket) return StartFailure{cli::exit_code::io, socket.error().message};
    control_socket_ = std::make_unique<uv::BoundSocket>(std::move(*socket));
    return std::nullopt;
  }
  // A predecessor that has stopped listening and lets its last mails finish gives up both when it is asked.
  const auto is_handed_over = [&path] {
    const auto answer = control::ask(path, control::encode({"hand_over"}), hand_over_patience);
    return answer && control::decode_done(*answer);
  };
  auto lock = lock_state(state, Duration::zero());
  if (lock && !*lock) lock = lock_state(state, is_handed_over() ? hand_over_patience : last_breath);
  if (!lock) return StartFailure{cli::exit_code::io, lock.error().message};
  if (!*lock) {
    return StartFailure{cli::exit_code::io, "state.path: another gateway works in " + state + " (" +
                                                holder_of_state(state) +
                                                "); each needs a directory of its own, or stop that one first"};
  }
  common_->state_lock = std::move(**lock);
  common_->link.keep_lock(common_->state_lock.get());
  auto socket = uv::bind_unix_listener(path);
  // Of a version that knew no lock.
  if (!socket && is_handed_over()) socket = uv::bind_unix_listener(path);
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
  const Serving serving = inheritance_.is_successor ? Serving::another_process : Serving::nobody;
  auto opened =
      open_sockets(settings_.listen, builder_->workers(), std::move(inheritance_.sockets), common_->link, serving);
  if (opened) {
    sockets_ = std::move(*opened);
    return std::nullopt;
  }
  const bool is_configuration = opened.error().kind == SocketProblem::Kind::configuration;
  return StartFailure{is_configuration ? cli::exit_code::configuration : cli::exit_code::io, opened.error().message};
}

std::optional<StartFailure> Daemon::open_everything() {
  if (auto failure = check_limits(workers_wanted(), settings_.listen.size())) return failure;
  if (auto failure = choose_account()) return failure;
  if (auto failure = start_helper()) return failure;
  auto common = make_common_parts(loaded_.settings);
  if (!common) return StartFailure{cli::exit_code::configuration, common.error().message};
  common_ = std::move(*common);
  common_->transparent_helper = std::move(helper_);
  common_->link = supervise::Link(std::move(inheritance_.link));
  if (auto failure = open_board()) return failure;
  if (auto failure = build_snapshot()) return failure;
  if (account_) {
    auto prepared = prepare_state_directory(settings_.state.path, *account_);
    if (!prepared) return StartFailure{cli::exit_code::io, prepared.error().message};
  }
  if (auto failure = bind_sockets()) return failure;
  // From here on nothing needs root, and nothing of a peer has been read yet (threats.md V1).
  auto dropped = drop_privileges(account_);
  if (!dropped) return StartFailure{cli::exit_code::permission, dropped.error().message};
  if (auto failure = settle_with_supervisor()) return failure;
  // What is missing is made now: there is no limit to a directory that is not there.
  auto spool = open_state_directory(settings_.state.path);
  if (!spool) return StartFailure{cli::exit_code::io, spool.error().message};
  common_->spool = mail::make_file_spool(*spool);
  auto confined = confine_writing(places_to_write(*spool), places_of_sockets());
  if (!confined) return StartFailure{cli::exit_code::permission, confined.error().message};
  confinement_ = *confined;
  for (const auto& done : {hide_memory(), refuse_system_calls()}) {
    if (!done) return StartFailure{cli::exit_code::permission, done.error().message};
  }
  if (auto failure = start_threads()) return failure;
  if (auto failure = open_state()) return failure;
  if (auto failure = open_store()) return failure;
  if (auto failure = find_servers()) return failure;
  make_workers();
  return std::nullopt;
}

std::optional<StartFailure> Daemon::open_board() {
  if (!inheritance_.board) return std::nullopt;
  auto board = supervise::Board::open(std::move(inheritance_.board));
  if (!board) return StartFailure{cli::exit_code::temporary, too_little_memory().message};
  common_->board.emplace(std::move(*board));
  return std::nullopt;
}

// The supervising process, too, has no more rights than the next start needs. The change of ids has cleared what ends
// this process with that one.
std::optional<StartFailure> Daemon::settle_with_supervisor() {
  if (!end_with_parent(inheritance_.parent))
    return StartFailure{cli::exit_code::temporary, "the supervising process has ended"};
  if (common_->link.settle_rights(common_->transparent_helper.has_value())) return std::nullopt;
  return StartFailure{cli::exit_code::temporary, "the supervising process does not answer"};
}

// The look at the limit names what is needed. What counts is that each thread is there: other programs of the user may
// have started theirs meanwhile.
std::optional<StartFailure> Daemon::start_threads() {
  auto threads = check_threads(workers_wanted());
  if (!threads) return StartFailure{cli::exit_code::temporary, threads.error().message};
  if (!common_->log->start()) return StartFailure{cli::exit_code::temporary, no_thread_for("the log").message};
  auto work_pool = uv::WorkPool::start(uv::threads_of_work_pool());
  if (!work_pool) {
    const std::string whom = "the work pool (" + work_pool.error().message + ")";
    return StartFailure{cli::exit_code::temporary, no_thread_for(whom).message};
  }
  common_->work_pool = std::move(*work_pool);
  if (!common_->list_files.watch(*common_->log)) {
    return StartFailure{cli::exit_code::temporary, no_thread_for("the lists of rules").message};
  }
  return std::nullopt;
}

// Before anything is served: the first mail finds its server. Names that do not answer are asked for again. What other
// hosts say is read as the user who serves.
std::optional<StartFailure> Daemon::find_servers() {
  upstream::NameBook& names = common_->registry.names();
  const upstream::Names wanted = upstream::names_of(settings_);
  const bool is_all_known = std::all_of(wanted.begin(), wanted.end(),
                                        [&](const std::string& name) { return !names.addresses(name).empty(); });
  const auto news = cli::look_up_names(settings_, names, common_->dns_cache, common_->counters, *common_->log,
                                       is_all_known ? patience_with_known_names : cli::names_patience);
  if (wanted.empty()) return std::nullopt;
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
  const std::string path = state::database_path(settings_.state.path);
  // The database is written into while the gateway serves.
  common_->clock_watch->remember(std::max(state::last_change_of(path), state::last_change_of(path + "-wal")));
  auto database = state::open_or_set_aside(path, common_->counters, *common_->log, std::chrono::system_clock::now());
  if (!database)
    return StartFailure{cli::exit_code::io, database.error().message + describe_room(settings_.state.path)};
  auto remembered = state::ServerMemory::read(**database, std::chrono::system_clock::now());
  if (!remembered) return StartFailure{cli::exit_code::io, remembered.error().message};
  common_->registry.recall(last_words(*remembered));
  // After a death, and for a successor: what names stood for a moment ago counts until the DNS says something else.
  const bool follows_another = inheritance_.is_successor || !inheritance_.last_end.empty();
  const auto recent = state::ServerMemory::read_recent(**database, std::chrono::system_clock::now());
  if (follows_another && recent) recall_names(*recent, common_->registry.names());
  const auto recalled = common_->memory.read(**database, std::chrono::system_clock::now());
  if (!recalled) note_lost_memory(recalled.error().message);
  const auto copies = common_->list_files.urls().keep_in(settings_.state.path + "/lists");
  if (!copies) note_lost_memory(copies.error().message);
  const BlockedSignals blocked;  // in its thread
  common_->store = std::make_unique<state::Store>(std::move(*database), common_->counters, *common_->log);
  common_->memory.keep_in(*common_->store, [] { return std::chrono::system_clock::now(); });
  if (report::reporting_settings(settings_) == nullptr) return std::nullopt;
  common_->dmarc_reports = std::make_unique<state::DmarcReportStore>(*common_->store, common_->counters);
  return std::nullopt;
}

// Rules begin with what could be read, of their memory and of the lists of web servers.
void Daemon::note_lost_memory(std::string_view why) {
  common_->counters.add(Fault::state);
  common_->log->write(LogLevel::warning, "fault", {{"kind", name(Fault::state)}, {"detail", why}});
}

void Daemon::make_workers() {
  listening_ = addresses();
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    Worker::Orders orders{built_.for_workers[i], std::move(sockets_[i])};
    const auto probing = i == 0 ? Worker::Probing::yes : Worker::Probing::no;
    workers_.push_back(std::make_unique<Worker>(*common_, std::move(orders), probing));
    builder_->use_http(i, workers_.back()->http());
    builder_->use_milters(i, workers_.back()->milters());
  }
  if (workers_.size() > 1) {
    for (auto& worker : workers_) {
      worker->ask_dns_with_others();
      worker->share_upstream_places();
    }
  }
}

std::string Daemon::addresses() const {
  std::string listeners;
  for (const auto& socket : sockets_.front()) {
    if (!listeners.empty()) listeners += ',';
    listeners += socket.address.is_unix() ? socket.address.to_string() : socket.socket.address().to_string();
  }
  return listeners;
}

void Daemon::announce() {
  common_->log->write(LogLevel::info, "ready",
                      {{"version", version()},
                       {"listen", listening_},
                       {"workers", static_cast<std::int64_t>(workers_.size())},
                       {"config", loaded_.hash}});
  if (!inheritance_.last_end.empty()) {
    common_->log->write(LogLevel::error, "restarted", {{"detail", inheritance_.last_end}});
  }
  if (confinement_ == Confinement::missing) {
    common_->log->write(LogLevel::info, "landlock",
                        {{"detail", std::string_view("this kernel does not have it: where the gateway may write is "
                                                     "limited by the rights of files alone")}});
  }
  const bool is_default = loaded_.origin_of("limits.sessions").is_default();
  if (const auto shortage = uv::too_few_open_files(settings_.limits.sessions, is_default))
    common_->log->write(LogLevel::warning, "open_files", {{"detail", *shortage}});
  report_missing_routes(*built_.snapshot, *common_);
}

// From here on the process before this one accepts nobody.
std::optional<StartFailure> Daemon::take_place() {
  if (!inheritance_.is_successor) return std::nullopt;
  if (!common_->link.wait_for_place())
    return StartFailure{cli::exit_code::temporary, "the supervising process does not give the place"};
  if (std::exchange(is_beside_control_socket_, false)) {
    const auto taken = uv::take_place_at(control::socket_path(settings_.state.path));
    if (!taken) return StartFailure{cli::exit_code::io, taken.error().message};
    write_holder_of_state(common_->state_lock);
  }
  common_->link.tell_placed();
  return std::nullopt;
}

std::optional<StartFailure> Daemon::serve() {
  {
    Supervisor supervisor(*common_, *builder_, workers_, built_, std::move(*control_socket_));
    WorkerThreads threads;  // which end before the supervisor that they call
    auto begun = threads.begin(workers_, [&supervisor] { supervisor.one_has_ended(); });
    if (!begun) return StartFailure{cli::exit_code::temporary, begun.error().message};
    common_->file_room.emplace(FileRoom::of_this_process(common_->counters));
    if (settings_.admin.listen)
      common_->link.want_figures(settings_.admin.listen->to_string() + ' ' + settings_.state.path);
    common_->link.tell_ready();  // before the log says so, and whoever reads that sends a signal
    if (auto failure = take_place()) return failure;
    announce();
    built_ = {};  // from here on it lives as long as somebody serves by it
    threads.let_serve();
    supervisor.run();
    uv::block_signals_to_the_end();
  }
  workers_.clear();  // after which every mail has its record
  const auto cut = static_cast<std::int64_t>(common_->cut_mails.load());
  common_->log->write(LogLevel::info, "stopped", {{"cut", cut}});
  return std::nullopt;
}

void declare(cli::Syntax& syntax, RunOptions& options) {
  syntax.config_file(options.config_file);
  syntax.flag("--without-admin", "Do not serve admin.listen: `sallyport admin` does it, as a service of its own",
              options.is_without_admin);
}

// Serves until the supervising process ends it.
int load_and_serve(const RunOptions& options, supervise::Inheritance inheritance, const cli::Console& console) {
  // What even the smallest configuration needs.
  if (auto failure = check_limits(1, 0)) return say(*failure, console);
  auto loaded = cli::load_configuration(options.config_file, console);
  if (!loaded) return cli::exit_code::configuration;
  Daemon daemon(options.config_file, std::move(*loaded), std::move(inheritance));
  if (auto failure = daemon.open_everything()) return say(*failure, console);
  if (auto failure = daemon.serve()) return say(*failure, console);
  return cli::exit_code::ok;
}

// Root stays root here: the next serving process opens keys and the log as this one did. It reads nothing of a peer.
Result<Done> give_up_rights() { return is_root() ? Result<Done>(Done{}) : drop_privileges(std::nullopt); }

// What the system does not give is no mistake of the program; with more of it, the same start succeeds.
int with_what_the_system_gives(const cli::Console& console, const std::function<int()>& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return say({cli::exit_code::temporary, too_little_memory().message}, console);
  } catch (const uv::NoResources& error) {
    return say({cli::exit_code::temporary, error.what()}, console);
  } catch (const std::system_error& error) {  // of a thread
    return say({cli::exit_code::temporary, std::string("the system does not give what is needed: ") + error.what()},
               console);
  }
}

// What a successor says on stderr the one who asked for the upgrade hears, too.
int serve(const RunOptions& options, supervise::Inheritance inheritance, const cli::Console& console) {
  settle_heap();
  ensure(crypto::install_wiping(), "run: OpenSSL has been used before");
  ::pthread_setname_np(::pthread_self(), "sallyport");  // not that of the link it was started by
  if (!end_with_parent(inheritance.parent)) return cli::exit_code::temporary;
  const supervise::Link link(Descriptor(::fcntl(inheritance.link.get(), F_DUPFD_CLOEXEC, 3)));
  std::ostringstream said;
  const bool is_heard = inheritance.is_successor;
  const cli::Console heard{console.out, is_heard ? said : console.err};
  const int status =
      with_what_the_system_gives(heard, [&] { return load_and_serve(options, std::move(inheritance), heard); });
  if (!is_heard) return status;
  console.err << said.view();
  link.tell_why(said.view());
  return status;
}

int run_command(const RunOptions& options, const cli::Console& console) {
  uv::ignore_sigpipe();
  // Else they are ignored, and to say so again would lose one that has just come.
  if (!supervise::is_resumed()) ignore_stray_signals();
  if (auto inheritance = supervise::take_inheritance()) return serve(options, std::move(*inheritance), console);
  return with_what_the_system_gives(console, [&] {
    uv::raise_open_files();
    supervise::Orders orders{{"run", "-c", options.config_file}, {}, give_up_rights};
    if (options.is_without_admin) {
      orders.arguments.emplace_back("--without-admin");
    } else {
      orders.companion = {"admin", "--with-parent", "-c", options.config_file};
    }
    return supervise::supervise(orders);
  });
}

}  // namespace

const cli::Command run_entry{"run", "Serve in the foreground", cli::make_invocation<RunOptions, declare, run_command>};

}  // namespace sallyport::app
