// GatewayNews: what the gateway said last of itself, asked over its control socket when somebody wants to know.
//
// An answer, or the lack of one, holds for a second: however many ask here, the gateway is asked once a second at most.
// The question waits on a thread of its own, so that a gateway that does not answer holds up nobody's connection.
// Everything else happens on the thread of the io_context.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/admin/answers.h"
#include "gateway/base/units.h"

namespace sallyport::admin {

class GatewayNews {
 public:
  using Take = std::function<void(const GatewayState&)>;
  static constexpr Duration fresh_for = std::chrono::seconds(1);
  static constexpr Duration patience = std::chrono::seconds(3);

  // `socket`: the path of the gateway's control socket.
  GatewayNews(boost::asio::io_context& loop, std::string socket);
  // Waits for the question that is under way.
  ~GatewayNews();

  // Calls `take` with what is known, once that is fresh: at once, or when the gateway has answered.
  void get(Take take);

 private:
  void ask();
  void heard(GatewayState state);

  boost::asio::io_context& loop_;
  const std::string socket_;
  std::shared_ptr<const GatewayState> known_;
  std::chrono::steady_clock::time_point known_at_;
  std::vector<Take> waiting_;
  std::atomic<bool> is_asking_ = false;  // the asker's thread takes it back where it finds no memory
  boost::asio::thread_pool asker_{1};
};

}  // namespace sallyport::admin
