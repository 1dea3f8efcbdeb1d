#include "gateway/control/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "gateway/control/protocol.h"

namespace sallyport::control {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

// A daemon of one connection: reads until a line is complete, writes its answer and closes.
class OneShotDaemon {
 public:
  explicit OneShotDaemon(std::string answer) : answer_(std::move(answer)) {
    std::string name = (std::filesystem::temp_directory_path() / "sallyport-control-XXXXXX").string();
    directory_ = ::mkdtemp(name.data()) != nullptr ? name : std::string();
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
  }
  ~OneShotDaemon() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
    std::filesystem::remove_all(directory_);
  }

  void serve() { thread_ = std::thread(&OneShotDaemon::serve_one, this); }
  std::string path() const { return directory_ + "/control.sock"; }
  const std::string& request() {
    if (thread_.joinable()) thread_.join();
    return request_;
  }

 private:
  void serve_one() {
    const int client = ::accept(listener_, nullptr, nullptr);
    char c = 0;
    while (::read(client, &c, 1) == 1 && c != '\n') request_ += c;
    std::string_view left = answer_;
    while (!left.empty()) {
      const ::ssize_t n = ::send(client, left.data(), left.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      left.remove_prefix(static_cast<std::size_t>(n));
    }
    ::close(client);
  }

  std::string answer_;
  std::string directory_;
  std::string request_;
  int listener_ = -1;
  std::thread thread_;
};

TEST(ControlClient, AsksAndGetsAnAnswer) {
  OneShotDaemon daemon("{\"ok\":true}\n");
  daemon.serve();
  const auto answer = ask(daemon.path(), "{\"command\":\"stats\"}", seconds(5));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, "{\"ok\":true}");
  EXPECT_EQ(daemon.request(), "{\"command\":\"stats\"}");
}

TEST(ControlClient, ALargeAnswerArrivesWhole) {
  const std::string large(max_response_bytes, 'x');
  OneShotDaemon daemon(large + "\n");
  daemon.serve();
  const auto answer = ask(daemon.path(), "{}", seconds(5));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, large);
}

TEST(ControlClient, ATooLargeAnswerIsRefused) {
  OneShotDaemon daemon(std::string(max_response_bytes + 1, 'x') + "\n");
  daemon.serve();
  const auto answer = ask(daemon.path(), "{}", seconds(5));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "the response is too long");
}

TEST(ControlClient, AnAnswerThatIsCutOff) {
  OneShotDaemon daemon("{\"ok\":");
  daemon.serve();
  const auto answer = ask(daemon.path(), "{}", seconds(5));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("ended before the response did"));
}

TEST(ControlClient, NobodyThere) {
  const auto answer = ask("/nonexistent/control.sock", "{}", seconds(5));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "No such file or directory");
  EXPECT_FALSE(ask(std::string(200, 'x'), "{}", seconds(5)));
}

TEST(ControlClient, SilenceEndsAtTheDeadline) {
  OneShotDaemon daemon("");  // listens, and never accepts
  const auto answer = ask(daemon.path(), "{}", std::chrono::milliseconds(20));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "no answer in time");
}

}  // namespace
}  // namespace sallyport::control
