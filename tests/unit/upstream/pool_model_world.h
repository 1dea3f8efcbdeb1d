// The world of the pool's model test: servers that change their ways, dialers that know how many connections are being
// opened, and clients that go away. All on one manual loop.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/io/dialer.h"
#include "gateway/upstream/delivery_client.h"
#include "tests/support/memory_stream.h"

namespace sallyport::upstream::model {

// A server. What it is like may change at any time; connections that are open go on.
struct Server {
  enum class Reach : std::uint8_t { accepts, refuses, no_answer, no_greeting, we_lack_descriptors };

  Reach reach = Reach::accepts;
  int most = 1000;   // connections at once; others are greeted with 421
  Duration delay{};  // before the greeting
  bool answers_quit = true;
  std::vector<io::Stream*> open;  // those it serves
  int quits = 0;                  // on connections that were not opened by a probe
  int turned_away = 0;            // connections that came to nothing
  int probes_begun = 0;
  int probes_under_way = 0;
  bool may_fail = false;  // it has been such that a connection might fail for its sake
};

// A probe whose connection is not ready yet.
class ProbeUnderWay {
 public:
  ProbeUnderWay(Server& server, bool is_probe) : server_(is_probe ? &server : nullptr) {
    if (server_ == nullptr) return;
    ++server_->probes_begun;
    ++server_->probes_under_way;
  }
  ProbeUnderWay(const ProbeUnderWay&) = delete;
  ProbeUnderWay& operator=(const ProbeUnderWay&) = delete;
  ~ProbeUnderWay() { end(); }
  void end() {
    if (server_ != nullptr) --server_->probes_under_way;
    server_ = nullptr;
  }

 private:
  Server* server_;
};

class Servers {
 public:
  explicit Servers(async::Scheduler& scheduler) : scheduler_(scheduler), scripts_(scheduler) {}

  Server& at(const SocketAddress& address) { return servers_[address]; }
  std::map<SocketAddress, Server>& all() { return servers_; }
  std::size_t scripts_running() const { return scripts_.size(); }
  int sum_of(int Server::*number) const {
    int sum = 0;
    for (const auto& [address, server] : servers_) sum += server.*number;
    return sum;
  }
  // The server closes a connection on which it is not asked anything.
  static void drop_one(Server& server, std::size_t index) {
    if (!server.open.empty()) server.open[index % server.open.size()]->close();
  }
  void accept(Server& server, std::unique_ptr<io::Stream> stream, bool is_probe) {
    scripts_.spawn(serve(server, std::move(stream), is_probe));
  }

 private:
  struct Serving {
    Server& server;
    io::Stream* stream;
    Serving(Server& at, io::Stream& one) : server(at), stream(&one) { server.open.push_back(stream); }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;
    ~Serving() { std::erase(server.open, stream); }
  };

  // One line; empty at the end of the connection.
  static Task<std::string> read_line(io::Stream& stream) {
    std::size_t end;
    while ((end = stream.input().find("\r\n")) == std::string_view::npos) {
      auto more = co_await stream.fill(async::no_deadline);
      if (!more) co_return std::string();
    }
    std::string line(stream.input().substr(0, end));
    stream.consume(end + 2);
    co_return line;
  }

  Task<void> serve(Server& server, std::unique_ptr<io::Stream> stream, bool is_probe) {
    ProbeUnderWay probing(server, is_probe);
    if (server.reach == Server::Reach::no_greeting) {
      while (true) {
        const std::string line = co_await read_line(*stream);
        if (line.empty()) co_return;
      }
    }
    if (static_cast<int>(server.open.size()) >= server.most) {
      ++server.turned_away;
      static_cast<void>(co_await stream->write("421 4.3.2 Enough\r\n", async::no_deadline));
      co_return stream->close();
    }
    const Serving serving(server, *stream);
    const Time greeted_at = scheduler_.now() + server.delay;
    while (scheduler_.now() < greeted_at) {
      auto early = co_await stream->fill(greeted_at);
      if (!early && early.error() != io::Error::timed_out) co_return;
      static_cast<void>(stream->input());  // has been seen: what comes next ends the next wait
    }
    static_cast<void>(co_await stream->write("220 model\r\n", async::no_deadline));
    while (true) {
      const std::string line = co_await read_line(*stream);
      if (line.empty()) co_return;
      if (line.starts_with("PROXY")) continue;
      const bool is_quit = line == "QUIT";
      if (is_quit && !is_probe) ++server.quits;
      probing.end();
      if (is_quit && !server.answers_quit) continue;
      static_cast<void>(co_await stream->write(is_quit ? "221 Bye\r\n" : "250 Ok\r\n", async::no_deadline));
      if (is_quit) co_return stream->close();
    }
  }

  async::Scheduler& scheduler_;
  std::map<SocketAddress, Server> servers_;
  async::Nursery scripts_;
};

// One worker's.
class Dialer final : public io::Dialer {
 public:
  Dialer(async::Scheduler& scheduler, Servers& servers, bool is_for_probes)
      : scheduler_(scheduler), servers_(servers), is_for_probes_(is_for_probes) {}

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress to, Time deadline) override {
    Server& server = servers_.at(to);
    const ProbeUnderWay probing(server, is_for_probes_);
    if (server.reach != Server::Reach::accepts) ++server.turned_away;
    switch (server.reach) {
      case Server::Reach::we_lack_descriptors:
        co_return io::Error::exhausted;
      case Server::Reach::refuses:
        co_return io::Error::refused;
      case Server::Reach::no_answer:
        co_await async::SleepUntil(scheduler_, deadline);
        co_return io::Error::timed_out;
      default:
        break;
    }
    auto [client_end, server_end] = support::memory_streams(scheduler_);
    servers_.accept(server, std::move(server_end), is_for_probes_);
    co_return std::unique_ptr<io::Stream>(std::move(client_end));
  }

 private:
  async::Scheduler& scheduler_;
  Servers& servers_;
  const bool is_for_probes_;
};

struct Client final : DeliveryClient {
  bool is_gone = false;
  bool has_left() override { return is_gone; }
  bool has_gone() const override { return is_gone; }
};

}  // namespace sallyport::upstream::model
