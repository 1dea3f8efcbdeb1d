#include "gateway/supervise/supervising.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/supervise/children.h"
#include "gateway/supervise/commands.h"
#include "gateway/supervise/link.h"
#include "gateway/supervise/restarts.h"
#include "gateway/supervise/stall.h"

namespace sallyport::supervise {

namespace {

// Of sysexits.h, as gateway/cli/exit_code.h has them.
constexpr int temporary = 75;
constexpr int software = 70;
constexpr int permission = 77;

// How often it looks whether the loops turn, and tells systemd that it lives.
constexpr Duration looking_interval = std::chrono::seconds(1);
// More sockets than any configuration has: what serves may ask for more only by mistake.
constexpr std::size_t most_sockets = 65536;

Time now() { return std::chrono::steady_clock::now(); }

// One line, at once. The log is the serving process's; it tells there how the one before it ended.
void say(const std::string& sentence) {
  const std::string line = "sallyport: " + sentence + "\n";
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
}

std::string address_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(socket, plain, &length) < 0) return "?";
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

class Supervising {
 public:
  explicit Supervising(const Orders& orders) : orders_(orders), sockets_(sockets_from_systemd()) {}

  int run();

 private:
  std::optional<int> start();
  std::optional<int> on_signals();
  std::optional<int> on_death(int status);
  void on_end_request(int signal);
  void hear();
  void take(Message message);
  void look(Time time);
  Duration time_until_something_is_due() const;
  [[noreturn]] static void end_by(int signal);

  const Orders& orders_;
  std::vector<HeldSocket> sockets_;
  Descriptor signals_;
  std::optional<Child> child_;
  std::optional<Time> ready_;     // since when the child serves
  bool was_ready_ = false;        // one of them
  std::optional<int> end_asked_;  // the first signal that asked for it
  std::optional<Time> restart_;
  std::string last_end_;
  Restarts restarts_;
  StallWatch stall_;
  bool is_watched_ = ::sd_watchdog_enabled(0, nullptr) > 0;  // by systemd, every second is often enough for it
  Time next_look_ = now();
  std::optional<int> failed_;  // the exit status, where this process cannot go on
};

// Nothing is watched by handlers: signals are read, as everything else.
Descriptor signal_descriptor() {
  sigset_t watched;
  ::sigemptyset(&watched);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&watched, signal);
  std::signal(SIGCHLD, SIG_DFL);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  return Descriptor(::signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC));
}

std::optional<int> Supervising::start() {
  restart_.reset();
  ready_.reset();
  auto child = start_child(orders_.arguments, sockets_, last_end_);
  if (child) {
    child_.emplace(std::move(*child));
    stall_ = StallWatch();
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

int Supervising::run() {
  signals_ = signal_descriptor();
  if (!signals_) {
    say(std::string("signals cannot be watched: ") + std::strerror(errno));
    return temporary;
  }
  if (const auto status = start()) return *status;
  while (true) {
    std::array<pollfd, 2> watched{{{signals_.get(), POLLIN, 0}, {child_ ? child_->link.get() : -1, POLLIN, 0}}};
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(time_until_something_is_due());
    ::poll(watched.data(), watched.size(), static_cast<int>(wait.count()));
    try {
      hear();
      if (failed_) return *failed_;
      if (const auto status = on_signals()) return *status;
      const Time time = now();
      if (restart_ && time >= *restart_) {
        if (const auto status = start()) return *status;
      }
      if (time >= next_look_) look(time);
    } catch (const std::bad_alloc&) {
      // What could not be done now is tried again. A death that was not dealt with has no child and no time for
      // another.
      if (!child_ && !restart_) restart_ = now() + looking_interval;
    }
  }
}

Duration Supervising::time_until_something_is_due() const {
  Time due = next_look_;
  if (restart_) due = std::min(due, *restart_);
  return std::max(due - now(), Duration::zero());
}

void Supervising::hear() {
  // The child has an end of the link as long as it lives, so this ends: it cannot fill the link faster for ever.
  constexpr int most_at_once = 1000;
  for (int i = 0; i < most_at_once && child_; ++i) {
    auto message = receive_message(child_->link.get());
    if (!message) return;
    take(std::move(*message));
  }
}

void Supervising::take(Message message) {
  switch (message.word) {
    case Word::hold:
      // While it ends nothing is kept: who connects then is to be refused.
      if (!end_asked_ && message.socket && sockets_.size() < most_sockets)
        sockets_.push_back({std::move(message.text), std::move(message.socket), false});
      break;
    case Word::release:
      std::erase_if(sockets_,
                    [&](const HeldSocket& held) { return !held.is_from_systemd && held.address == message.text; });
      break;
    case Word::give_rights:
      if (const auto given = orders_.give_up_rights(); !given) {
        say(given.error().message);
        failed_ = permission;
      }
      [[fallthrough]];
    case Word::keep_rights:
      send_message(child_->link.get(), message.word, {});
      break;
    case Word::ready:
      ready_ = now();
      was_ready_ = true;
      ::sd_notify(0, "READY=1");
      break;
    case Word::notify:
      ::sd_notify(0, message.text.c_str());
      break;
  }
}

std::optional<int> Supervising::on_signals() {
  while (true) {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    const auto signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGHUP) {
      if (ready_) ::kill(child_->pid, reload_command());
    } else if (signal == SIGCHLD) {
      int status = 0;
      while (const pid_t ended = ::waitpid(-1, &status, WNOHANG)) {
        if (ended < 0) break;
        if (!child_ || ended != child_->pid) continue;  // where this is process 1, others' children come here, too
        if (const auto exit = on_death(status)) return exit;
      }
    } else {
      hear();  // whether it is ready
      if (!child_) return 0;
      on_end_request(signal);
    }
  }
}

// The sockets first: who connects from now on is refused when the serving process has closed its own.
void Supervising::on_end_request(int signal) {
  if (!end_asked_) {
    end_asked_ = signal;
    sockets_.clear();
    if (!ready_) ::kill(child_->pid, SIGKILL);
  }
  if (ready_) ::kill(child_->pid, end_command());
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
  hear();
  const std::optional<Time> ready = std::exchange(ready_, std::nullopt);
  child_.reset();
  if (end_asked_) {
    if (!ready && !was_ready_) end_by(*end_asked_);  // as a program that has not come to catching signals
    if (!ready) return 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : software;
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
  if (!child_ || !ready_ || !child_->board || !stall_.has_stalled(*child_->board, time)) return;
  say("a loop of the process that serves has not turned for ten seconds; it is killed");
  ::kill(child_->pid, SIGKILL);
}

}  // namespace

int supervise(const Orders& orders) { return Supervising(orders).run(); }

}  // namespace sallyport::supervise
