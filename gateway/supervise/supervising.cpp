#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/supervise/commands.h"
#include "gateway/supervise/supervising_loop.h"

namespace sallyport::supervise {

namespace {

// How often it looks whether the loops turn, and tells systemd that it lives.
constexpr Duration looking_interval = std::chrono::seconds(1);

std::string address_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(socket, plain, &length) < 0) return "?";
  if (address.ss_family == AF_UNIX) {
    const char* const path = reinterpret_cast<const sockaddr_un*>(&address)->sun_path;
    return "unix:" + std::string(path, ::strnlen(path, sizeof(sockaddr_un::sun_path)));
  }
  const auto known = SocketAddress::from(*plain);
  return known ? known->to_string() : "a socket that is not of TCP";
}

std::vector<HeldSocket> sockets_from_systemd() {
  std::vector<HeldSocket> sockets;
  const int count = ::sd_listen_fds(1);
  for (int i = 0; i < count; ++i) {
    const int number = SD_LISTEN_FDS_START + i;
    sockets.push_back({address_of(number), Descriptor(number), true});
  }
  return sockets;
}

Process resumed(HandedChild handed) {
  Child child{handed.pid, std::move(handed.link), std::nullopt};
  if (handed.board) {
    if (auto board = Board::open(std::move(handed.board))) child.board.emplace(std::move(*board));
  }
  Process process(std::move(child));
  process.is_told_to_end = handed.is_told_to_end;
  return process;
}

// Nothing is watched by handlers: signals are read, as everything else.
Descriptor signal_descriptor() {
  sigset_t watched;
  ::sigemptyset(&watched);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&watched, signal);
  std::signal(SIGCHLD, SIG_DFL);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  return Descriptor(::signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC));
}

void tell_systemd(const Message& message) {
  if (is_fit_for_systemd(message.text())) ::sd_notify(0, message.octets.data());
}

// Signals, what serves, its successor, and those that drain; no more than that at most_draining.
constexpr std::size_t watched_at_most = 16;

}  // namespace

void say(const std::string& sentence) {
  const std::string line = "sallyport: " + sentence + "\n";
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
}

Supervising::Supervising(const Orders& orders, std::optional<Handover> handover) : orders_(orders) {
  if (!handover) {
    sockets_ = sockets_from_systemd();
    return;
  }
  sockets_ = std::move(handover->sockets);
  state_lock_ = std::move(handover->state_lock);
  serving_.emplace(resumed(std::move(handover->serving)));
  serving_->ready = handover->ready;
  was_ready_ = true;
  for (HandedChild& child : handover->draining) draining_.push_back(resumed(std::move(child)));
  companion_.resume(handover->companion, std::move(handover->figures), handover->is_companion_told_to_end);
}

std::optional<int> Supervising::start() {
  restart_.reset();
  reload_when_ready_ = false;  // it reads all anew
  auto child = start_child({orders_.arguments, sockets_, state_lock_, running_program_, last_end_});
  if (child) {
    serving_.emplace(std::move(*child));
    return std::nullopt;
  }
  const std::string why = std::strerror(child.error());
  if (!was_ready_) {
    if (child.error() == ENOMEM) {
      say("there is not enough memory to start (" + why +
          "). Raise the limit (MemoryMax= and LimitAS= of the unit, ulimit -v)");
    } else if (child.error() == EMFILE || child.error() == ENFILE) {
      say("too few open files are allowed: the serving process cannot be started (" + why +
          "). Raise the limit (LimitNOFILE= of the unit, ulimit -n)");
    } else {
      say("too few threads are allowed: there is none for the process that serves (" + why +
          "); ulimit -u, or TasksMax of systemd, must leave room beside what else runs as this user");
    }
    return temporary;
  }
  const Duration delay = restarts_.delay_after(std::nullopt);
  say("a serving process cannot be started: " + why + "; the next try is in " + sallyport::to_text(delay));
  restart_ = now() + delay;
  return std::nullopt;
}

// The companion's address is free when this process has ended.
int Supervising::run() {
  const int status = supervise_to_the_end();
  companion_.end();
  return status;
}

int Supervising::supervise_to_the_end() {
  watched_.reserve(watched_at_most);
  signals_ = signal_descriptor();
  if (!signals_) {
    say(std::string("signals cannot be watched: ") + std::strerror(errno));
    return temporary;
  }
  // After an upgrade: the signal of a death in between may have been lost.
  if (serving_) {
    if (const auto status = reap()) return *status;
  } else if (const auto status = start()) {
    return *status;
  }
  while (true) {
    wait(time_until_something_is_due());
    try {
      hear();
      if (failed_) return *failed_;
      if (const auto status = on_signals()) return *status;
      if (is_companion_to_settle_ && serving_) {
        companion_.settle(serving_->figures.text(), running_program_);
        is_companion_to_settle_ = false;
      }
      if (is_of_another_program_) {
        become_the_program();
        is_of_another_program_ = false;  // not when memory ran out: then it is tried again
      }
      const Time time = now();
      companion_.start_if_due(time, running_program_);
      if (restart_ && time >= *restart_) {
        if (const auto status = start()) return *status;
      }
      if (time >= next_look_) {
        look(time);
        // Also a death whose signal came together with that of another one, for which there was no memory.
        if (const auto status = reap()) return *status;
      }
      if (const auto status = status_at_end()) return *status;
    } catch (const std::bad_alloc&) {
      // What could not be done now is tried again. A death that was not dealt with has no child and no time for
      // another.
      if (!serving_ && !restart_ && !end_asked_) restart_ = now() + looking_interval;
    }
  }
}

void Supervising::wait(Duration most) {
  watched_.clear();
  watch(signals_.get());
  if (serving_) watch_link(serving_->link());
  if (successor_) watch_link(successor_->process.link());
  for (const Process& one : draining_) watch_link(one.link());
  ::poll(watched_.data(), watched_.size(),
         static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(most).count()));
}

void Supervising::watch(int descriptor) noexcept {
  // What there is no room for is heard when something else happens, or with the next look.
  if (watched_.size() < watched_.capacity()) watched_.push_back({descriptor, POLLIN, 0});
}

// A link whose other end is closed can always be read, and nothing more will come. That its process has ended is told
// by a signal, which may be long in coming: who traces a process learns of its death first.
void Supervising::watch_link(int link) noexcept {
  pollfd end{link, 0, 0};
  if (::poll(&end, 1, 0) == 1 && (end.revents & POLLHUP) != 0) return;
  watch(link);
}

Duration Supervising::time_until_something_is_due() const {
  Time due = next_look_;
  if (restart_) due = std::min(due, *restart_);
  if (companion_.due()) due = std::min(due, *companion_.due());
  return std::max(due - now(), Duration::zero());
}

void Supervising::hear() {
  // A child has an end of the link as long as it lives, so this ends: it cannot fill the link faster for ever.
  constexpr int most_at_once = 1000;
  for (int i = 0; i < most_at_once && serving_; ++i) {
    auto message = receive_message(serving_->link());
    if (!message) break;
    take_from_serving(std::move(*message));
  }
  for (int i = 0; i < most_at_once && successor_; ++i) {
    auto message = receive_message(successor_->process.link());
    if (!message) break;
    take_from_successor(std::move(*message));
  }
  for (const Process& one : draining_) {
    for (int i = 0; i < most_at_once; ++i) {
      const auto message = receive_message(one.link());
      if (!message) break;
      // Of its end only this is to be told to systemd, and only when it is the end of all.
      if (message->word == Word::notify && end_asked_) tell_systemd(*message);
    }
  }
}

void Supervising::give_up_rights() {
  if (const auto given = orders_.give_up_rights(); !given) {
    say(given.error().message);
    failed_ = permission;
  }
}

void Supervising::hold(Message& message, std::vector<HeldSocket>& in, std::size_t held) {
  if (message.socket && held < most_sockets && is_one_line(message.text()))
    in.push_back({std::string(message.text()), std::move(message.socket), false});
}

void Supervising::take_from_serving(Message message) {
  switch (message.word) {
    case Word::hold:
      // While it ends nothing is kept: who connects then is to be refused.
      if (!end_asked_) hold(message, sockets_, sockets_.size());
      break;
    case Word::release:
      std::erase_if(sockets_,
                    [&](const HeldSocket& held) { return !held.is_from_systemd && held.address == message.text(); });
      break;
    case Word::lock:
      if (!end_asked_) state_lock_ = std::move(message.socket);
      break;
    case Word::give_rights:
      give_up_rights();
      [[fallthrough]];
    case Word::keep_rights:
      send_message(serving_->link(), message.word, {});
      break;
    case Word::ready:
      serving_->ready = now();
      was_ready_ = true;
      is_companion_to_settle_ = true;
      ::sd_notify(0, "READY=1");
      if (std::exchange(reload_when_ready_, false)) ::kill(serving_->pid(), reload_command());
      break;
    case Word::notify:
      tell_systemd(message);
      break;
    case Word::placed:
      finish_upgrade();
      break;
    case Word::figures:
      if (is_one_line(message.text())) serving_->figures = std::move(message);
      break;
    case Word::upgrade:
      begin_upgrade();
      break;
    case Word::end:
      if (!end_asked_) on_end_request(SIGTERM);
      break;
    default:
      break;
  }
}

std::optional<int> Supervising::on_signals() {
  while (true) {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    const auto signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGHUP) {
      on_reload_request();
    } else if (signal == SIGCHLD) {
      if (const auto exit = reap()) return exit;
    } else {
      try {
        hear();  // whether it is ready
      } catch (const std::bad_alloc&) {
        // The signal has been read, and would be lost.
      }
      on_end_request(signal);
      if (const auto exit = status_at_end()) return exit;
    }
  }
}

std::optional<int> Supervising::reap() {
  int status = 0;
  while (const pid_t ended = ::waitpid(-1, &status, WNOHANG)) {
    if (ended < 0) break;
    // Where this is process 1, others' children come here, too.
    if (serving_ && ended == serving_->pid()) {
      if (const auto exit = on_death(status)) return exit;
    } else if (successor_ && ended == successor_->process.pid()) {
      on_successors_death(status);
    } else if (!companion_.is_ended(ended, status, now())) {
      const bool was_ours = std::erase_if(draining_, [=](const Process& one) { return one.pid() == ended; }) > 0;
      const bool is_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (was_ours && !is_well)
        say("a process that was seeing its last sessions off has ended: " + describe_end(status));
    }
    if (const auto exit = status_at_end()) return exit;
  }
  return std::nullopt;
}

std::optional<int> Supervising::status_at_end() const {
  const bool is_all_over = end_asked_ && !serving_ && !successor_ && draining_.empty();
  return is_all_over ? std::optional(exit_status_) : std::nullopt;
}

// Those that drain only open their log anew. One that is not ready yet may have read the files, and opened its log,
// before they were changed: it is told when it is ready.
void Supervising::on_reload_request() {
  if (serving_ && serving_->ready) ::kill(serving_->pid(), reload_command());
  if (serving_ && !serving_->ready) reload_when_ready_ = true;
  for (const Process& one : draining_) ::kill(one.pid(), reload_command());
  if (successor_) reload_after_upgrade_ = true;
}

// The sockets first: who connects from now on is refused when the serving process has closed its own.
void Supervising::on_end_request(int signal) {
  if (!end_asked_) {
    end_asked_ = signal;
    restart_.reset();
    companion_.start_no_more();
    sockets_.clear();
    if (successor_) ::kill(successor_->process.pid(), SIGKILL);
    if (serving_ && !serving_->ready) ::kill(serving_->pid(), SIGKILL);
  }
  if (serving_ && serving_->ready) ::kill(serving_->pid(), end_command());
  for (const Process& one : draining_) ::kill(one.pid(), end_command());
}

void Supervising::end_by(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::_exit(software);
}

std::optional<int> Supervising::on_death(int status) {
  const pid_t ended = serving_->pid();
  try {
    hear();
  } catch (const std::bad_alloc&) {
    // What it has said last is lost; that it has ended is not told twice.
  }
  if (serving_->pid() != ended) {  // its successor has said in this moment that it is ready
    std::erase_if(draining_, [=](const Process& one) { return one.pid() == ended; });
    return std::nullopt;
  }
  const std::optional<Time> ready = serving_->ready;
  serving_.reset();
  finish_upgrade();
  if (end_asked_) {
    if (!ready && !was_ready_) end_by(*end_asked_);  // as a program that has not come to catching signals
    if (ready) exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : software;
    return std::nullopt;
  }
  last_end_ = describe_end(status);
  if (!was_ready_) {
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) return WEXITSTATUS(status);
    say("the process that serves has ended before it was ready: " + last_end_);
    return software;
  }
  const Time time = now();
  const Duration delay = restarts_.delay_after(ready ? std::optional(time - *ready) : std::nullopt);
  restart_ = time + delay;
  say("the process that serves has ended: " + last_end_ + "; another one takes its place " +
      (delay == Duration::zero() ? std::string("at once") : "in " + sallyport::to_text(delay)));
  return std::nullopt;
}

void Supervising::look(Time time) {
  next_look_ = time + looking_interval;
  if (is_watched_) ::sd_notify(0, "WATCHDOG=1");
  const auto has_stalled = [time](Process& one) {
    return one.child.board && one.stall.has_stalled(*one.child.board, time);
  };
  if (serving_ && serving_->ready && has_stalled(*serving_)) {
    say("a loop of the process that serves has not turned for ten seconds; it is killed");
    ::kill(serving_->pid(), SIGKILL);
  }
  for (Process& one : draining_) {
    if (has_stalled(one)) ::kill(one.pid(), SIGKILL);
  }
  if (successor_ && time >= successor_->deadline) give_up_successor();
}

bool is_resumed() { return std::getenv(handover_variable) != nullptr; }

int supervise(const Orders& orders) {
  auto handover = take_handover();
  if (handover) ::prctl(PR_SET_NAME, "sallyport");  // not that of the descriptor it was executed by
  return Supervising(orders, std::move(handover)).run();
}

}  // namespace sallyport::supervise
