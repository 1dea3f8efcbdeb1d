#include "gateway/admin/process.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "gateway/admin/gateway_news.h"
#include "gateway/admin/http_server.h"

namespace sallyport::admin {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds parent_interval{1};

tcp::endpoint endpoint_of(const SocketAddress& address) {
  ::sockaddr_storage storage{};
  const std::size_t length = address.to_sockaddr(storage);
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &storage, std::min(length, endpoint.capacity()));
  endpoint.resize(length);
  return endpoint;
}

// Without SO_REUSEPORT: the address is this process's alone.
error_code open_socket(tcp::acceptor& acceptor, const SocketAddress& address) {
  const tcp::endpoint endpoint = endpoint_of(address);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

// The kernel sends SIGTERM when the parent dies. A parent that died before it was told so is found by looking.
class ParentWatch {
 public:
  ParentWatch(asio::io_context& loop, ::pid_t parent) : loop_(loop), timer_(loop), parent_(parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    look();
  }

 private:
  void look() {
    if (::getppid() != parent_) return loop_.stop();
    timer_.expires_after(parent_interval);
    timer_.async_wait([this](error_code stopped) {
      if (!stopped) look();
    });
  }

  asio::io_context& loop_;
  asio::steady_timer timer_;
  const ::pid_t parent_;
};

}  // namespace

struct AdminProcess::Parts {
  asio::io_context loop{1};
  asio::signal_set endings{loop, SIGTERM, SIGINT};  // caught from before anybody can connect
  tcp::acceptor acceptor{loop};
};

AdminProcess::AdminProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
AdminProcess::~AdminProcess() = default;

Result<std::unique_ptr<AdminProcess>> AdminProcess::listen(const SocketAddress& address) {
  auto parts = std::make_unique<Parts>();
  if (const error_code error = open_socket(parts->acceptor, address))
    return Failure{address.to_string() + " cannot be listened at: " + error.message()};
  return std::unique_ptr<AdminProcess>(new AdminProcess(std::move(parts)));
}

void AdminProcess::serve(const std::string& control_socket, std::optional<::pid_t> parent) {
  asio::io_context& loop = parts_->loop;
  std::optional<ParentWatch> watch;
  if (parent) watch.emplace(loop, *parent);
  parts_->endings.async_wait([&loop](error_code error, int) {
    if (!error) loop.stop();
  });
  GatewayNews news(loop, control_socket);
  HttpServer server(loop, std::move(parts_->acceptor), news);
  loop.run();
}

}  // namespace sallyport::admin
