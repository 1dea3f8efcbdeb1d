// Supervising: the state of the supervising process and its loop. Only for this folder: supervising.cpp has its life,
// upgrading.cpp how a successor takes the place of what serves, and the program of that becomes this process's own.
#pragma once

#include <poll.h>
#include <sys/types.h>
#include <systemd/sd-daemon.h>

#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/descriptor.h"
#include "gateway/base/units.h"
#include "gateway/supervise/children.h"
#include "gateway/supervise/companion.h"
#include "gateway/supervise/handover.h"
#include "gateway/supervise/link.h"
#include "gateway/supervise/program.h"
#include "gateway/supervise/restarts.h"
#include "gateway/supervise/stall.h"
#include "gateway/supervise/supervising.h"

namespace sallyport::supervise {

// Of sysexits.h, as gateway/cli/exit_code.h has them.
inline constexpr int software = 70;
inline constexpr int temporary = 75;
inline constexpr int permission = 77;
inline constexpr int configuration = 78;

// More sockets than any configuration has: what serves may ask for more only by mistake.
inline constexpr std::size_t most_sockets = 65536;

// Of processes that still see their last sessions off; where there are more, the oldest end them.
inline constexpr std::size_t most_draining = 4;

inline Time now() { return std::chrono::steady_clock::now(); }

// One line on stderr, at once. The log is the serving process's; it tells there how the one before it ended.
void say(const std::string& sentence);

// A serving process.
struct Process {
  explicit Process(Child started) : child(std::move(started)) {}
  pid_t pid() const { return child.pid; }
  int link() const { return child.link.get(); }

  Child child;
  std::optional<Time> ready;  // since when it serves
  Message figures;            // what the process for these is to serve beside it; no text: there is to be none
  StallWatch stall;
  bool is_told_to_end = false;
};

// One that is to take the place of the one that serves, and what is to be in force when it does.
struct Successor {
  Process process;
  Descriptor program;  // which it was started from
  Time deadline;
  std::vector<HeldSocket> held;       // beside those that are held already
  std::vector<std::string> released;  // addresses
  Descriptor state_lock;
  bool gives_rights = false;
  std::string why;  // it will not become ready
};

class Supervising {
 public:
  Supervising(const Orders& orders, std::optional<Handover> handover);

  int run();

 private:
  int supervise_to_the_end();
  std::optional<int> start();
  std::optional<int> on_signals();
  std::optional<int> reap();
  std::optional<int> on_death(int status);
  std::optional<int> status_at_end() const;
  void on_end_request(int signal);
  void on_reload_request();
  void wait(Duration most);
  void watch(int descriptor) noexcept;
  void watch_link(int link) noexcept;
  void hear();
  // Holds the socket that the message has, where its address fits and there is room beside those that are `held`.
  static void hold(Message& message, std::vector<HeldSocket>& in, std::size_t held);
  void take_from_serving(Message message);
  void take_from_successor(Message message);
  void give_up_rights();
  void look(Time time);
  Duration time_until_something_is_due() const;
  [[noreturn]] static void end_by(int signal);

  // An upgrade.
  void begin_upgrade();
  void fail_upgrade(int status, std::string_view why);
  void give_up_successor();
  void on_successors_death(int status);
  void hand_over(std::string_view what);
  void finish_upgrade();
  bool is_released_by_successor(const HeldSocket& held) const;
  // Those that were served, and are no more.
  std::vector<std::string> addresses_without_successor() const;
  void become_the_program();
  void describe_all(Handover& handover) const;

  const Orders& orders_;
  const Program program_ = Program::of_this_process();
  Descriptor running_program_;  // where it is another than this process's own
  std::vector<HeldSocket> sockets_;
  Descriptor state_lock_;
  Descriptor signals_;
  std::vector<pollfd> watched_;
  std::optional<Process> serving_;
  std::optional<Successor> successor_;
  std::list<Process> draining_;
  Companion companion_{orders_.companion};
  bool is_companion_to_settle_ = false;     // another process serves
  bool was_ready_ = false;                  // one of them
  std::optional<std::string> taking_over_;  // what the successor has said of itself, until it is in its place
  bool is_of_another_program_ = false;      // the one that serves; this process is to become that, too
  bool reload_after_upgrade_ = false;       // asked for while there was a successor
  bool reload_when_ready_ = false;          // asked for before the one that serves was ready
  std::optional<int> end_asked_;            // the first signal that asked for it
  int exit_status_ = 0;                     // of the one that served when the end was asked for
  std::optional<Time> restart_;
  std::string last_end_;
  Restarts restarts_;
  bool is_watched_ = ::sd_watchdog_enabled(0, nullptr) > 0;  // by systemd, every second is often enough for it
  Time next_look_ = now();
  std::optional<int> failed_;  // the exit status, where this process cannot go on
};

}  // namespace sallyport::supervise
