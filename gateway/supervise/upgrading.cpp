// How a successor takes the place of what serves. It starts on the same sockets beside the one that serves, and says
// when it is ready: that is the moment of the change. Before it, whatever happens to the successor changes nothing;
// after it, the one that served sees its sessions off.
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "gateway/supervise/commands.h"
#include "gateway/supervise/supervising_loop.h"

namespace sallyport::supervise {

namespace {

// How long a successor may take until it is ready. It may have to look up names that nobody answers for.
constexpr Duration longest_start = std::chrono::seconds(60);
}  // namespace

void Supervising::begin_upgrade() {
  if (end_asked_ || successor_ || taking_over_ || is_of_another_program_ || !serving_->ready)
    return fail_upgrade(temporary, "this is not the time for it");
  try {
    auto program = program_.open();
    if (!program) return fail_upgrade(temporary, program.error().message);
    auto child = start_child({orders_.arguments, sockets_, state_lock_, *program, {}, true});
    if (!child) return fail_upgrade(temporary, std::strerror(child.error()));
    reload_after_upgrade_ = false;
    successor_.emplace(
        Successor{Process(std::move(*child)), std::move(*program), now() + longest_start, {}, {}, {}, false, {}});
  } catch (const std::bad_alloc&) {
    fail_upgrade(temporary, "the supervising process has not enough memory for it; try again");
  }
}

// What serves goes on.
void Supervising::fail_upgrade(int status, std::string_view why) {
  successor_.reset();
  if (!serving_) return;
  send_why(serving_->link(), why);
  send_message(serving_->link(), Word::not_upgraded, std::to_string(status));
}

void Supervising::give_up_successor() {
  if (successor_->why.empty()) successor_->why = "it was not ready within " + sallyport::to_text(longest_start);
  ::kill(successor_->process.pid(), SIGKILL);
}

// Whatever memory there is, it is a successor no more: its number may be another process's from now on.
void Supervising::on_successors_death(int status) {
  std::string why;
  try {
    hear();  // why
    if (!successor_) return;
    why = std::move(successor_->why);
    if (end_asked_) why = "the gateway is asked to end";
    if (why.empty()) why = "it ended before it was ready: " + describe_end(status);
    say("the program that was to take over has not become ready, and what serves goes on: " + why);
  } catch (const std::bad_alloc&) {
    if (!successor_) return;
  }
  const bool is_configuration = WIFEXITED(status) && WEXITSTATUS(status) == configuration;
  fail_upgrade(is_configuration ? configuration : temporary, why);
}

void Supervising::take_from_successor(Message message) {
  const int link = successor_->process.link();
  switch (message.word) {
    case Word::hold:
      hold(message, successor_->held, sockets_.size() + successor_->held.size());
      break;
    case Word::release:
      successor_->released.emplace_back(message.text());
      break;
    case Word::lock:
      successor_->state_lock = std::move(message.socket);
      break;
    case Word::give_rights:
      successor_->gives_rights = true;  // when it has the place
      [[fallthrough]];
    case Word::keep_rights:
      send_message(link, message.word, {});
      break;
    case Word::figures:
      if (is_one_line(message.text())) successor_->process.figures = std::move(message);
      break;
    case Word::why:
      successor_->why += message.text();
      break;
    case Word::ready:
      if (!end_asked_) hand_over(message.text());
      break;
    default:
      break;
  }
}

bool Supervising::is_released_by_successor(const HeldSocket& held) const {
  const std::vector<std::string>& released = successor_->released;
  return !held.is_from_systemd && std::find(released.begin(), released.end(), held.address) != released.end();
}

std::vector<std::string> Supervising::addresses_without_successor() const {
  std::vector<std::string> gone;
  for (const HeldSocket& held : sockets_) {
    const bool is_new = std::find(gone.begin(), gone.end(), held.address) == gone.end();
    if (is_new && is_released_by_successor(held)) gone.push_back(held.address);
  }
  return gone;
}

// From here on the successor is the one that serves, and whatever happens to it happens to that. `what`: the format of
// handovers and the version of its program. Memory that runs out does so before anything is changed.
void Supervising::hand_over(std::string_view what) {
  std::string taking_over(what);
  const std::vector<std::string> gone = addresses_without_successor();
  sockets_.reserve(sockets_.size() + successor_->held.size());
  std::list<Process> leaving;
  if (serving_) leaving.push_back(std::move(*serving_));
  if (!send_message(successor_->process.link(), Word::serve, {})) {  // it has ended: its death is told soon
    if (!leaving.empty()) serving_.emplace(std::move(leaving.front()));
    return;
  }
  std::erase_if(sockets_, [this](const HeldSocket& held) { return is_released_by_successor(held); });
  for (HeldSocket& held : successor_->held) sockets_.push_back(std::move(held));
  if (successor_->state_lock) state_lock_ = std::move(successor_->state_lock);
  for (const Process& one : leaving) {
    for (const std::string& address : gone) send_message(one.link(), Word::gone, address);
    // To one that has not come to catching it, it is the end: it has served nobody yet.
    ::kill(one.pid(), hand_over_command());
  }
  draining_.splice(draining_.end(), leaving);
  const bool gives_rights = successor_->gives_rights;
  serving_.emplace(std::move(successor_->process));
  serving_->ready = now();
  running_program_ = std::move(successor_->program);
  successor_.reset();
  taking_over_ = std::move(taking_over);
  restart_.reset();
  restarts_ = Restarts();
  last_end_.clear();
  reload_when_ready_ = false;
  const std::size_t too_many = draining_.size() - std::min(draining_.size(), most_draining);
  std::for_each_n(draining_.begin(), too_many, [](Process& one) {  // the oldest come first
    if (!std::exchange(one.is_told_to_end, true)) ::kill(one.pid(), end_command());
  });
  if (std::exchange(reload_after_upgrade_, false)) ::kill(serving_->pid(), reload_command());
  if (gives_rights) give_up_rights();
}

// It is in its place, or has died on the way there, and is replaced as any that has died.
void Supervising::finish_upgrade() {
  if (!taking_over_) return;
  is_companion_to_settle_ = true;
  const std::string what = *std::exchange(taking_over_, std::nullopt);
  const auto [format, version] = split_at(what, ' ');
  for (const Process& one : draining_) send_message(one.link(), Word::upgraded, version);
  is_of_another_program_ = number_of(format) == handover_format;
  if (is_of_another_program_) return;
  say("version " + std::string(version) + " serves; the process that supervises it stays that of the version before");
}

void Supervising::describe_all(Handover& handover) const {
  const auto lent = [](const Process& one) {
    return HandedChild{one.pid(), Descriptor(one.link()),
                       Descriptor(one.child.board ? one.child.board->descriptor().get() : -1), one.is_told_to_end};
  };
  handover.process = ::getpid();
  lend(sockets_, handover.sockets);
  handover.state_lock.reset(state_lock_.get());
  handover.serving = lent(*serving_);
  handover.ready = *serving_->ready;
  handover.draining.reserve(draining_.size());  // no descriptor is on its way when memory runs out
  for (const Process& one : draining_) handover.draining.push_back(lent(one));
  handover.companion = companion_.pid();
  handover.figures = companion_.wanted();
  handover.is_companion_told_to_end = companion_.is_told_to_end();
}

// In place: systemd and the children see the same process. When that cannot be, this program goes on supervising.
void Supervising::become_the_program() {
  if (!serving_ || end_asked_) return;  // what runs goes on, and a death has its process of the new program
  Lent<Handover> handover;
  describe_all(*handover);
  const std::string text = to_text(*handover);
  const std::string file = "/proc/self/fd/" + std::to_string(running_program_.get());
  std::vector<std::string> words{program_.path()};
  words.insert(words.end(), orders_.arguments.begin(), orders_.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  keep_open(*handover, true);
  // Without the variable, for want of memory, it would know nothing of its children.
  if (::setenv(handover_variable, text.c_str(), 1) == 0) ::execve(file.c_str(), argv.data(), environ);
  const int error = errno;
  ::unsetenv(handover_variable);
  keep_open(*handover, false);
  say(std::string("the process that supervises stays that of the version before: ") + std::strerror(error));
}

}  // namespace sallyport::supervise
