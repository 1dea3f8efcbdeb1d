#include "gateway/admin/gateway_news.h"

#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "gateway/control/client.h"
#include "gateway/control/protocol.h"

namespace sallyport::admin {

namespace {

GatewayState ask_gateway(const std::string& socket) {
  const auto line = control::ask(socket, control::encode({"metrics"}), GatewayNews::patience);
  if (!line) return line.error();
  return control::decode_state(*line);
}

}  // namespace

GatewayNews::GatewayNews(boost::asio::io_context& loop, std::string socket) : loop_(loop), socket_(std::move(socket)) {}

GatewayNews::~GatewayNews() { asker_.join(); }

void GatewayNews::get(Take take) {
  if (known_ && std::chrono::steady_clock::now() - known_at_ < fresh_for) {
    const auto state = known_;
    return take(*state);
  }
  waiting_.push_back(std::move(take));
  if (!is_asking_) ask();
}

void GatewayNews::ask() {
  is_asking_ = true;
  boost::asio::post(asker_, [this] {
    try {
      GatewayState state = ask_gateway(socket_);
      boost::asio::post(loop_, [this, state = std::move(state)]() mutable { heard(std::move(state)); });
    } catch (const std::bad_alloc&) {
      is_asking_ = false;  // the next who wants to know has it asked again, and then all hear it
    }
  });
}

void GatewayNews::heard(GatewayState state) {
  is_asking_ = false;
  known_ = std::make_shared<const GatewayState>(std::move(state));
  known_at_ = std::chrono::steady_clock::now();
  const auto told = known_;
  for (const Take& take : std::exchange(waiting_, {})) take(*told);
}

}  // namespace sallyport::admin
