#include "gateway/supervise/children.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "gateway/supervise/handover.h"
#include "gateway/supervise/link.h"

namespace sallyport::supervise {

namespace {

bool is_for_this_process(std::string_view variable) {
  for (const std::string_view prefix : {"NOTIFY_SOCKET=", "LISTEN_", "WATCHDOG_"}) {
    if (variable.starts_with(prefix)) return true;
  }
  const auto is_named = [variable](const char* name) { return variable.starts_with(std::string(name) + "="); };
  return is_named(inheritance_variable) || is_named(handover_variable);
}

std::vector<std::string> environment_for_child() {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_for_this_process(*variable)) environment.emplace_back(*variable);
  }
  return environment;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> words_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"sallyport"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

std::string path_of(const Descriptor& program) {
  return program ? "/proc/self/fd/" + std::to_string(program.get()) : std::string("/proc/self/exe");
}

void let_signals_through() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void keep_open(const Descriptor& descriptor) { ::fcntl(descriptor.get(), F_SETFD, 0); }

constexpr int temporary_failure = 75;

// Without an allocation.
[[noreturn]] void be_sorry() {
  constexpr std::string_view sorry = "sallyport: the program cannot be started once more; is /proc mounted?\n";
  static_cast<void>(!::write(STDERR_FILENO, sorry.data(), sorry.size()));
  ::_exit(temporary_failure);
}

}  // namespace

Result<Child, int> start_child(const Start& start) {
  auto board = Board::make();
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return errno;
  Descriptor ours(pair[0]);
  const Descriptor theirs(pair[1]);
  const Descriptor their_board(board ? ::fcntl(board->descriptor().get(), F_DUPFD_CLOEXEC, 3) : -1);
  Lent<Inheritance> inheritance;
  inheritance->parent = ::getpid();
  inheritance->link.reset(theirs.get());
  inheritance->board.reset(their_board.get());
  inheritance->last_end = start.last_end;
  inheritance->is_successor = start.is_successor;
  lend(start.sockets, inheritance->sockets);
  inheritance->state_lock.reset(start.state_lock.get());
  const std::string text = to_text(*inheritance);
  std::vector<std::string> variables = environment_for_child();
  variables.push_back(std::string(inheritance_variable) + "=" + text);
  std::vector<std::string> words = words_of(start.arguments);
  const std::string program = path_of(start.program);
  const std::vector<char*> argv = pointers_to(words);
  const std::vector<char*> envp = pointers_to(variables);

  const pid_t pid = ::fork();
  if (pid < 0) return errno;
  if (pid > 0) {
    Child child{pid, std::move(ours), std::nullopt};
    if (their_board) child.board.emplace(std::move(*board));
    return child;
  }
  keep_open(theirs);
  if (their_board) keep_open(their_board);
  if (start.state_lock) keep_open(start.state_lock);
  for (const HeldSocket& held : start.sockets) keep_open(held.socket);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
  let_signals_through();
  ::execve(program.c_str(), argv.data(), envp.data());
  // Without an allocation: want of memory may be the reason, and an exception would make this a second supervisor.
  const char* const reason = ::strerrordesc_np(errno);
  send_why(theirs.get(), "the program cannot be executed: ");
  send_why(theirs.get(), reason != nullptr ? reason : "an unknown error");
  be_sorry();
}

pid_t start_companion(const std::vector<std::string>& arguments, const Descriptor& program) {
  std::vector<std::string> variables = environment_for_child();
  std::vector<std::string> words = words_of(arguments);
  const std::string path = path_of(program);
  const std::vector<char*> argv = pointers_to(words);
  const std::vector<char*> envp = pointers_to(variables);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || ::getppid() != parent) ::_exit(temporary_failure);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_DFL);
  let_signals_through();
  ::execve(path.c_str(), argv.data(), envp.data());
  be_sorry();
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace sallyport::supervise
