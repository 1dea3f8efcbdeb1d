// smtp_load: an SMTP load generator for ./dev bench, on the gateway's own runtime.
//
// Keeps so many sessions open until all have been run; each sends so many messages of one size. With --rate a session
// begins every so often, however long the others take, and what is measured is the time from the moment at which it was
// to begin to the reply to its message. Prints one line of JSON. With --idle it opens its sessions up to EHLO (and
// STARTTLS), says "idle N", and holds them until its standard input ends.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/tls/context.h"
#include "gateway/upstream/channel.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/signals.h"

namespace sallyport::bench {
namespace {

using upstream::UpstreamChannel;

struct Load {
  SocketAddress server;
  std::uint64_t sessions = 1000;
  std::uint64_t parallel = 50;
  std::uint64_t messages = 1;
  double rate = 0;  // sessions that begin in a second; 0: when another one has ended
  std::uint64_t octets = 2048;
  bool starttls = false;
  bool idle = false;
  std::string recipient = "user@rcpt.example";
  std::string content_file;  // the message, with CRLF; empty: one of `octets` octets is made
};

struct Tally {
  std::uint64_t messages = 0;
  std::uint64_t failed = 0;
  std::string first_error;
  std::vector<double> message_ms;
};

std::string make_content(std::uint64_t octets) {
  std::string content = "From: <ann@sender.example>\r\nTo: <user@rcpt.example>\r\nSubject: load\r\n\r\n";
  while (content.size() + 66 < octets)
    content += "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0\r\n";
  return content + ".\r\n";
}

std::string read_content(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream || !content.ends_with("\r\n") || content.find("\n.") != std::string::npos) {
    std::cerr << file << ": expected a message that ends with CRLF and has no lines with a dot in front\n";
    std::exit(65);
  }
  return content + ".\r\n";
}

class Generator {
 public:
  explicit Generator(Load load)
      : load_(std::move(load)),
        dialer_(loop_),
        content_(load_.content_file.empty() ? make_content(load_.octets) : read_content(load_.content_file)),
        sessions_(loop_.scheduler()) {
    upstream_.tls.mode = load_.starttls ? tls::UpstreamTls::require : tls::UpstreamTls::off;
    if (load_.starttls) tls_ = make_client_context(upstream_.tls).value();
  }

  int run() {
    Time began = uv::Loop::now();
    if (load_.rate > 0) {
      loop_.run_until_done(keep_time());
    } else {
      for (std::uint64_t i = 0; i < std::min(load_.parallel, load_.sessions); ++i) sessions_.spawn(lane());
      loop_.run_until_done(wait());
    }
    std::chrono::duration<double> took = uv::Loop::now() - began;
    std::sort(tally_.message_ms.begin(), tally_.message_ms.end());
    nlohmann::json line{{"messages", tally_.messages},
                        {"failed", tally_.failed},
                        {"first_error", tally_.first_error},
                        {"seconds", took.count()},
                        {"messages_per_s", static_cast<double>(tally_.messages) / took.count()},
                        {"p50_ms", percentile(0.50)},
                        {"p99_ms", percentile(0.99)}};
    std::cout << line.dump() << std::endl;
    return tally_.failed == 0 ? 0 : 2;
  }

  int hold() {
    load_.sessions = load_.parallel;
    for (std::uint64_t i = 0; i < load_.parallel; ++i) sessions_.spawn(open_one());
    loop_.run_until_done(wait());
    std::cout << "idle " << held_.size() << std::endl;
    if (held_.size() != load_.parallel) std::cerr << tally_.first_error << "\n";
    char octet;
    while (::read(STDIN_FILENO, &octet, 1) > 0) {
    }
    return held_.size() == load_.parallel ? 0 : 2;
  }

 private:
  double percentile(double share) const {
    if (tally_.message_ms.empty()) return 0;
    return tally_.message_ms[static_cast<std::size_t>(share * static_cast<double>(tally_.message_ms.size() - 1))];
  }

  Task<void> wait() { co_await sessions_.join(); }

  Task<void> keep_time() {
    const Time began = loop_.scheduler().now();
    const std::chrono::duration<double> interval(1 / load_.rate);
    for (std::uint64_t i = 0; i < load_.sessions; ++i) {
      const Time due = began + std::chrono::duration_cast<Duration>(interval * static_cast<double>(i));
      if (due > loop_.scheduler().now()) co_await async::sleep_for(loop_.scheduler(), due - loop_.scheduler().now());
      sessions_.spawn(visit(due));
    }
    co_await sessions_.join();
  }

  Task<void> visit(Time due) {
    auto channel = co_await open();
    if (!channel || !co_await send_one(**channel)) co_return;
    std::chrono::duration<double, std::milli> took = loop_.scheduler().now() - due;
    tally_.message_ms.push_back(took.count());
    ++tally_.messages;
    co_await (*channel)->say_goodbye();
  }

  Task<void> lane() {
    while (begun_ < load_.sessions) {
      ++begun_;
      auto channel = co_await open();
      if (channel) co_await talk(**channel);
    }
  }

  Task<void> open_one() {
    auto channel = co_await open();
    if (channel) held_.push_back(std::move(*channel));
  }

  Task<UpstreamChannel::Outcome<std::unique_ptr<UpstreamChannel>>> open() {
    auto channel = co_await UpstreamChannel::open(loop_.scheduler(), dialer_, tls_.get(), upstream_, load_.server,
                                                  "client.sender.example", {patience, patience});
    if (!channel) fail(channel.error().detail);
    co_return channel;
  }

  Task<void> talk(UpstreamChannel& channel) {
    for (std::uint64_t i = 0; i < load_.messages; ++i) {
      Time began = loop_.scheduler().now();
      if (!co_await send_one(channel)) co_return;
      std::chrono::duration<double, std::milli> took = loop_.scheduler().now() - began;
      tally_.message_ms.push_back(took.count());
      ++tally_.messages;
    }
    co_await channel.say_goodbye();
  }

  Task<bool> send_one(UpstreamChannel& channel) {
    for (std::string command : {std::string("MAIL FROM:<ann@sender.example>\r\n"),
                                "RCPT TO:<" + load_.recipient + ">\r\n", std::string("DATA\r\n")}) {
      auto reply = co_await channel.ask(std::move(command), deadline());
      if (!reply || reply->code >= 400) co_return fail(reply ? std::to_string(reply->code) : reply.error().detail);
    }
    std::string_view content = content_;
    auto sent = co_await channel.finish_content({&content, 1}, deadline());
    if (!sent) co_return fail(sent.error().detail);
    auto reply = co_await channel.read_reply(deadline());
    if (!reply || reply->code != 250) co_return fail(reply ? std::to_string(reply->code) : reply.error().detail);
    co_return true;
  }

  bool fail(const std::string& why) {
    if (tally_.failed++ == 0) tally_.first_error = why;
    return false;
  }

  Time deadline() { return loop_.scheduler().now() + patience; }

  static constexpr Duration patience = std::chrono::seconds(60);

  Load load_;
  uv::Loop loop_;
  uv::Dialer dialer_;
  std::string content_;
  config::UpstreamSettings upstream_;
  std::shared_ptr<const tls::ClientContext> tls_;
  Tally tally_;
  std::uint64_t begun_ = 0;
  std::vector<std::unique_ptr<UpstreamChannel>> held_;
  async::Nursery sessions_;
};

int main(int argc, char** argv) {
  CLI::App app("A closed-loop SMTP load generator");
  Load load;
  std::string server = "127.0.0.1:2525";
  app.add_option("server", server, "ADDRESS:PORT");
  app.add_option("--sessions", load.sessions, "sessions in all");
  app.add_option("--parallel", load.parallel, "sessions at once");
  app.add_option("--messages", load.messages, "messages per session");
  app.add_option("--rate", load.rate, "sessions that begin in a second, of one message each, whatever the others do");
  app.add_option("--size", load.octets, "octets per message");
  app.add_option("--content", load.content_file, "a file with the message, instead of --size");
  app.add_option("--to", load.recipient, "the recipient");
  app.add_flag("--starttls", load.starttls, "STARTTLS with a full handshake each");
  app.add_flag("--idle", load.idle, "open the sessions and hold them until standard input ends");
  CLI11_PARSE(app, argc, argv);
  auto address = SocketAddress::parse(server);
  if (!address) {
    std::cerr << "no address: " << server << "\n";
    return 64;
  }
  load.server = *address;
  uv::ignore_sigpipe();
  Generator generator(load);
  return load.idle ? generator.hold() : generator.run();
}

}  // namespace
}  // namespace sallyport::bench

int main(int argc, char** argv) { return sallyport::bench::main(argc, argv); }
