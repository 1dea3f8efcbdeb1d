// slow_clients: holds so many sessions, each slow in one of the ways of threats.md R1, for ./dev bench.
//
// One way after the other: silent from the greeting on, half a line, a TLS handshake, a mail without content, content
// by DATA and by BDAT, and one that reads no replies. Whoever is sent away comes again a second later. Says "slow N"
// when each has begun, and ends when its standard input does.
#include <sys/select.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/io/stream.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/open_files.h"
#include "gateway/uv/signals.h"

namespace sallyport::bench {
namespace {

constexpr Duration patience = std::chrono::seconds(60);
constexpr Duration pause_of_trickle = std::chrono::seconds(5);

class Slow {
 public:
  Slow(SocketAddress server, std::size_t count)
      : server_(server), count_(count), dialer_(loop_), sessions_(loop_.scheduler()) {}

  void run() {
    for (std::size_t i = 0; i < count_; ++i) sessions_.spawn(come_again_and_again(i % 7));
    loop_.run_until_done(hold());
  }

 private:
  // Looks at standard input now and then.
  Task<void> hold() {
    bool is_told = false;
    while (true) {
      co_await async::sleep_for(loop_.scheduler(), std::chrono::milliseconds(200));
      if (!is_told && begun_ >= count_) {
        std::cout << "slow " << begun_ << std::endl;
        is_told = true;
      }
      if (is_told && has_input_ended()) std::_Exit(0);
    }
  }

  static bool has_input_ended() {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(STDIN_FILENO, &set);
    timeval now{};
    char octet;
    return ::select(STDIN_FILENO + 1, &set, nullptr, nullptr, &now) > 0 && ::read(STDIN_FILENO, &octet, 1) <= 0;
  }

  Task<void> come_again_and_again(std::size_t way) {
    bool is_first = true;
    while (true) {
      auto stream = co_await dialer_.dial(server_, now() + patience);
      if (stream) co_await be_slow(**stream, way, std::exchange(is_first, false));
      co_await async::sleep_for(loop_.scheduler(), std::chrono::seconds(1));
    }
  }

  Task<void> be_slow(io::Stream& stream, std::size_t way, bool is_first) {
    bool has_begun = co_await hear(stream);
    if (has_begun && way == 2)
      has_begun = co_await say(stream, "EHLO slow.example\r\n") && co_await say(stream, "STARTTLS\r\n");
    if (has_begun && way >= 3 && way <= 5) {
      has_begun = co_await say(stream, "EHLO slow.example\r\n") &&
                  co_await say(stream, "MAIL FROM:<ann@sender.example>\r\n") &&
                  co_await say(stream, "RCPT TO:<user@rcpt.example>\r\n");
    }
    if (has_begun && way == 4) has_begun = co_await say(stream, "DATA\r\n");
    if (has_begun && way == 5) has_begun = (co_await stream.write("BDAT 100000000\r\n", now() + patience)).ok();
    if (is_first) ++begun_;
    if (!has_begun) co_return;
    if (way == 6) co_return co_await read_nothing(stream);
    const bool is_silent = way == 0 || way == 3;
    const std::string_view piece = way == 1 ? "N" : way == 2 ? "\x16" : "slow\r\n";
    while (true) {
      if (!is_silent && !(co_await stream.write(piece, now() + patience))) co_return;
      auto more = co_await stream.fill(now() + pause_of_trickle);
      if (more || more.error() != io::Error::timed_out) co_return;  // it is sent away
    }
  }

  // Fewer commands than are taken for junk.
  Task<void> read_nothing(io::Stream& stream) {
    std::string words;
    for (int i = 0; i < 90; ++i) words += "HELP\r\n";
    auto sent = co_await stream.write(words, now() + patience);
    while (sent && !stream.is_broken() && !stream.peer_has_ended()) {
      co_await async::sleep_for(loop_.scheduler(), pause_of_trickle);
    }
  }

  Task<bool> say(io::Stream& stream, std::string_view words) {
    auto sent = co_await stream.write(words, now() + patience);
    if (!sent) co_return false;
    co_return co_await hear(stream);
  }

  // One whole reply, and nothing behind it.
  Task<bool> hear(io::Stream& stream) {
    const Time deadline = now() + patience;
    while (true) {
      const std::string_view input = stream.input();
      const std::size_t last = input.size() < 2 ? std::string_view::npos : input.rfind('\n', input.size() - 2);
      const std::string_view line = input.substr(last == std::string_view::npos ? 0 : last + 1);
      if (input.ends_with("\r\n") && line.size() > 3 && line[3] == ' ') {
        const bool is_good = line[0] < '4';
        stream.consume(input.size());
        co_return is_good;
      }
      auto more = co_await stream.fill(deadline);
      if (!more) co_return false;
    }
  }

  Time now() { return loop_.scheduler().now(); }

  SocketAddress server_;
  std::size_t count_;
  std::size_t begun_ = 0;
  uv::Loop loop_;
  uv::Dialer dialer_;
  async::Nursery sessions_;
};

}  // namespace
}  // namespace sallyport::bench

int main(int argc, char** argv) {
  const auto server = sallyport::SocketAddress::parse(argc == 3 ? argv[1] : "");
  if (!server) {
    std::cerr << "usage: slow_clients ADDRESS:PORT COUNT\n";
    return 64;
  }
  sallyport::uv::ignore_sigpipe();
  sallyport::uv::raise_open_files();
  sallyport::bench::Slow(*server, static_cast<std::size_t>(std::atoll(argv[2]))).run();
}
