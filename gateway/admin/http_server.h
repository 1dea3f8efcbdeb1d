// HttpServer: the connections of the admin process.
//
// Each has ten seconds for a request, from its begin or from the end of the answer before, and as long for taking the
// answer (threats.md A7). There are 64 at most: with one more the oldest ends, so that those who only hold connections
// open keep out nobody.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>

#include "gateway/admin/gateway_news.h"

namespace sallyport::admin {

class HttpServer {
 public:
  static constexpr std::size_t most_connections = 64;
  static constexpr std::chrono::seconds patience{10};

  // `socket` listens. `news` outlives the server.
  HttpServer(boost::asio::io_context& loop, boost::asio::ip::tcp::acceptor socket, GatewayNews& news);
  ~HttpServer();

  std::size_t connections() const { return open_.size(); }

 private:
  class Connection;

  void accept();
  void begin(boost::asio::ip::tcp::socket socket);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  GatewayNews& news_;
  std::list<std::shared_ptr<Connection>> open_;  // the oldest first
};

}  // namespace sallyport::admin
