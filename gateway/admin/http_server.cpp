#include "gateway/admin/http_server.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace sallyport::admin {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// After a failed accept, such as for want of descriptors.
constexpr std::chrono::milliseconds accept_pause{200};

}  // namespace

// Lives as long as one of its handlers is pending. The server keeps it in its list until it closes.
class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, GatewayNews& news)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), news_(news) {}

  // `on_close` is called once.
  void begin(std::function<void()> on_close) {
    on_close_ = std::move(on_close);
    start_timer();
    go_on();
  }

  void close() {
    if (!socket_.is_open()) return;
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    if (auto tell = std::exchange(on_close_, nullptr)) tell();
  }

 private:
  void start_timer() {
    timer_.expires_after(patience);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->close();
    });
  }

  void go_on() {
    const RequestReader::Outcome outcome = reader_.next();
    if (const auto* request = std::get_if<HttpRequest>(&outcome)) {
      if (!needs_state(*request)) return send(answer(*request, Failure{}));
      // Until the gateway has answered the client is not waited for, and that wait has its own end.
      timer_.cancel();
      return news_.get([self = shared_from_this(), request = *request](const GatewayState& gateway) {
        self->send(answer(request, gateway));
      });
    }
    if (const auto* refusal = std::get_if<HttpRefusal>(&outcome)) return send(answer(*refusal));
    read();
  }

  void read() {
    socket_.async_read_some(asio::buffer(block_), [self = shared_from_this()](error_code error, std::size_t octets) {
      if (error) return self->close();
      self->reader_.feed({self->block_.data(), octets});
      self->go_on();
    });
  }

  void send(const HttpResponse& response) {
    if (!socket_.is_open()) return;
    output_ = response.to_text();
    start_timer();
    asio::async_write(socket_, asio::buffer(output_),
                      [self = shared_from_this(), keeps = response.keeps_connection](error_code error, std::size_t) {
                        if (error) return self->close();
                        if (!keeps) return self->take_leave();
                        self->start_timer();
                        self->go_on();
                      });
  }

  // What the client still sends is read and dropped until it has seen our end, or the kernel would answer with a reset
  // that may overtake the answer (RFC 9112, 9.6).
  void take_leave() {
    error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    if (error) return close();
    drop_rest();
  }

  void drop_rest() {
    socket_.async_read_some(asio::buffer(block_), [self = shared_from_this()](error_code error, std::size_t octets) {
      self->dropped_ += octets;
      if (error || self->dropped_ > max_body_bytes) return self->close();
      self->drop_rest();
    });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  GatewayNews& news_;
  RequestReader reader_;
  std::array<char, 4096> block_;
  std::string output_;
  std::size_t dropped_ = 0;
  std::function<void()> on_close_;
};

HttpServer::HttpServer(asio::io_context& loop, tcp::acceptor socket, GatewayNews& news)
    : acceptor_(std::move(socket)), pause_(loop), news_(news) {
  accept();
}

HttpServer::~HttpServer() {
  while (!open_.empty()) {
    const auto oldest = open_.front();
    oldest->close();
  }
}

void HttpServer::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      begin(std::move(socket));
      return accept();
    }
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](error_code stopped) {
      if (!stopped) accept();
    });
  });
}

void HttpServer::begin(tcp::socket socket) {
  if (open_.size() >= most_connections) {
    const auto oldest = open_.front();
    oldest->close();
  }
  auto connection = std::make_shared<Connection>(std::move(socket), news_);
  const auto place = open_.insert(open_.end(), connection);
  connection->begin([this, place] { open_.erase(place); });
}

}  // namespace sallyport::admin
