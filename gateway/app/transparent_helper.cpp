#include "gateway/app/transparent_helper.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/uv/transparent_messages.h"

namespace sallyport::app {

namespace {

constexpr int ready_patience_ms = 10'000;

bool close_between(unsigned first, unsigned last) { return ::syscall(SYS_close_range, first, last, 0U) == 0; }

// `kept`: in ascending order.
bool close_all_but(const std::vector<pollfd>& kept) {
  unsigned next = 0;
  for (const pollfd& one : kept) {
    const auto number = static_cast<unsigned>(one.fd);
    if (number > next && !close_between(next, number - 1)) return false;
    next = number + 1;
  }
  return close_between(next, ~0U);
}

// False: nobody is there any more.
bool answer_wishes(int channel) {
  while (true) {
    const auto wish = uv::receive_wish(channel);
    if (!wish) return wish.error() == uv::Trouble::none_yet;
    uv::Answer answer{*wish, 0, {}};
    auto socket = uv::make_transparent_socket(*wish);
    if (socket) {
      answer.socket = std::move(*socket);
    } else {
      answer.error = socket.error();
    }
    // A loop never has more wishes under way than the channel takes answers.
    if (!uv::send_answer(channel, answer)) return false;
  }
}

// Gives up all that it will not need; gives errno, or 0.
int prepare(const std::vector<pollfd>& channels, const Account* account, pid_t gateway) {
  if (!close_all_but(channels)) return errno;
  ::prctl(PR_SET_NAME, "sallyport-sock");
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE}) std::signal(signal, SIG_IGN);
  if (!keep_right_of_transparent_sockets(account)) return EPERM;
  ::prctl(PR_SET_DUMPABLE, 0);
  // Last: a change of ids or capabilities clears it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  return ::getppid() == gateway ? 0 : ESRCH;
}

// The first answer, on the channel `first`, is unasked: the socket that was made on trial, or why there is none.
[[noreturn]] void serve(std::vector<pollfd> channels, int first, const Account* account, pid_t gateway) {
  uv::Answer trial{uv::IpFamily::v4, prepare(channels, account, gateway), {}};
  if (trial.error == 0) {
    auto socket = uv::make_transparent_socket(trial.family);
    if (socket) trial.socket = std::move(*socket);
    if (!socket) trial.error = socket.error();
  }
  if (!uv::send_answer(first, trial) || trial.error != 0) ::_exit(1);
  trial.socket.reset();
  while (!channels.empty()) {
    if (::poll(channels.data(), channels.size(), -1) < 0 && errno != EINTR) ::_exit(1);
    for (pollfd& channel : channels) {
      if (channel.revents == 0 || answer_wishes(channel.fd)) continue;
      ::close(channel.fd);
      channel.fd = -1;
    }
    channels.erase(std::remove_if(channels.begin(), channels.end(), [](const pollfd& one) { return one.fd < 0; }),
                   channels.end());
  }
  ::_exit(0);
}

Failure system_failure(const char* what) { return Failure{std::string(what) + ": " + std::strerror(errno)}; }

Result<Done> wait_until_ready(int channel) {
  pollfd readable{channel, POLLIN, 0};
  if (::poll(&readable, 1, ready_patience_ms) != 1) return Failure{"it does not answer"};
  const auto answer = uv::receive_answer(channel);
  if (!answer) return Failure{"it has ended at once"};
  if (answer->error != 0) return Failure{std::strerror(answer->error)};
  return Done{};
}

}  // namespace

Result<TransparentHelper> TransparentHelper::start(const Account* account, std::size_t loops) {
  std::vector<Descriptor> ours;
  std::vector<Descriptor> its;
  std::vector<pollfd> watched;
  for (std::size_t i = 0; i < loops; ++i) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
      return system_failure("socketpair");
    ours.emplace_back(pair[0]);
    its.emplace_back(pair[1]);
    watched.push_back({pair[1], POLLIN, 0});
  }
  std::sort(watched.begin(), watched.end(), [](const pollfd& a, const pollfd& b) { return a.fd < b.fd; });
  // Nobody waits for its end by wait(): the kernel forgets it by itself. That is noticed on the channels.
  std::signal(SIGCHLD, SIG_IGN);
  const pid_t gateway = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return system_failure("fork");
  if (child == 0) serve(std::move(watched), its.front().get(), account, gateway);
  its.clear();
  auto ready = wait_until_ready(ours.front().get());
  if (!ready) return ready.error();
  return TransparentHelper(std::move(ours));
}

Descriptor TransparentHelper::take_channel() {
  ensure(!channels_.empty(), "TransparentHelper: more loops than were said");
  Descriptor last = std::move(channels_.back());
  channels_.pop_back();
  return last;
}

}  // namespace sallyport::app
