#include "gateway/uv/bound_socket.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "gateway/base/address_overlap.h"
#include "gateway/uv/listening_sockets.h"

namespace sallyport::uv {
namespace {

const SocketAddress any_port{IpAddress::v4({127, 0, 0, 1}), 0};

class Folder {
 public:
  Folder() { path_ = ::mkdtemp(name_); }
  ~Folder() {
    ::unlink(file("socket").c_str());
    ::rmdir(path_.c_str());
  }
  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  char name_[32] = "/tmp/sallyport-uv-XXXXXX";
  std::string path_;
};

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

TEST(BindListener, TellsThePortTheKernelChose) {
  auto bound = bind_listener(any_port);
  ASSERT_TRUE(bound);
  EXPECT_NE(bound->address().port, 0);
  EXPECT_EQ(bound->address().ip, any_port.ip);
  EXPECT_FALSE(bound->is_unix());
}

TEST(BindListener, SeveralWorkersBindTheSameAddress) {
  auto first = bind_listener(any_port);
  ASSERT_TRUE(first);
  EXPECT_TRUE(bind_listener(first->address()));
}

TEST(BindListener, SaysWhatIsWrong) {
  auto bound = bind_listener(SocketAddress{IpAddress::v4({192, 0, 2, 1}), 2525});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().message, "cannot bind 192.0.2.1:2525: Cannot assign requested address");
  EXPECT_EQ(bound.error().error, EADDRNOTAVAIL);
}

TEST(BindListener, ServesBothFamiliesAtTheAnyAddress) {
  auto bound = bind_listener(SocketAddress{*IpAddress::parse("::"), 0});
  ASSERT_TRUE(bound);
  sockaddr_storage address{};
  socklen_t length = SocketAddress{any_port.ip, bound->address().port}.to_sockaddr(address);
  Descriptor client(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
}

TEST(BindListeners, GivesEachWorkerASocketOfTheSameAddress) {
  auto bound = bind_listeners(any_port, 3);
  ASSERT_TRUE(bound);
  ASSERT_EQ(bound->size(), 3u);
  for (const BoundSocket& socket : *bound) EXPECT_EQ(socket.address(), bound->front().address());
}

TEST(BindListeners, TakesFurtherOnesOfThisProcessForNoStrangers) {
  // A reload may bind what overlaps. Another program may have a port at another address: then another port is tried.
  bool overlap = false;
  for (int attempt = 0; attempt < 20 && !overlap; ++attempt) {
    const auto bound = bind_listeners(any_port, 1);
    ASSERT_TRUE(bound);
    overlap = bind_listeners(SocketAddress{IpAddress(), bound->front().address().port}, 2).ok();
  }
  EXPECT_TRUE(overlap);
}

// Another process of the same user, which lets others in. It listens until its standard input ends.
class OtherProcess {
 public:
  explicit OtherProcess(const SocketAddress& address) {
    int ends[2], ready[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[1]);
      auto bound = bind_listener(address);
      const std::uint16_t chosen = bound ? bound->address().port : 0;
      char end = 0;
      if (::write(ready[1], &chosen, sizeof chosen) == sizeof chosen) static_cast<void>(::read(ends[0], &end, 1));
      ::_exit(0);
    }
    ::close(ends[0]);
    ::close(ready[1]);
    end_.reset(ends[1]);
    EXPECT_EQ(::read(ready[0], &port, sizeof port), ssize_t{sizeof port});
    ::close(ready[0]);
  }
  void end() {
    end_.reset();
    if (pid_ > 0) ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  ~OtherProcess() { end(); }

  std::uint16_t port = 0;

 private:
  Descriptor end_;
  pid_t pid_ = 0;
};

TEST(BindListeners, RefusesAnAddressThatAnotherProcessListensAt) {
  OtherProcess other(any_port);
  ASSERT_NE(other.port, 0);
  EXPECT_TRUE(bind_listener(SocketAddress{any_port.ip, other.port}));  // the kernel itself has nothing against it
  for (const IpAddress& ip : {any_port.ip, IpAddress(), *IpAddress::parse("::")}) {
    const SocketAddress address{ip, other.port};
    auto bound = bind_listeners(address, 2);
    ASSERT_FALSE(bound) << address.to_string();
    EXPECT_EQ(bound.error().error, EADDRINUSE);
    EXPECT_EQ(bound.error().message.find("cannot bind " + address.to_string() + ": it is in use, "), 0u);
    EXPECT_NE(bound.error().message.find("listens at 127.0.0.1:" + std::to_string(other.port)), std::string::npos);
  }
  other.end();
  EXPECT_TRUE(bind_listeners(SocketAddress{any_port.ip, other.port}, 2));
}

TEST(Overlap, IsWhatOneConnectionCouldReach) {
  const auto meet = [](const char* one, const char* other) {
    return overlap(*SocketAddress::parse(one), *SocketAddress::parse(other));
  };
  EXPECT_TRUE(meet("192.0.2.1:25", "192.0.2.1:25"));
  EXPECT_TRUE(meet("0.0.0.0:25", "192.0.2.1:25"));
  EXPECT_TRUE(meet("192.0.2.1:25", "[::]:25"));
  EXPECT_TRUE(meet("[::]:25", "[2001:db8::1]:25"));
  EXPECT_FALSE(meet("0.0.0.0:25", "[2001:db8::1]:25"));
  EXPECT_FALSE(meet("192.0.2.1:25", "192.0.2.2:25"));
  EXPECT_FALSE(meet("[::]:25", "[::]:26"));
}

TEST(AdoptListener, TakesOverWhatListens) {
  auto bound = bind_listener(any_port);
  ASSERT_TRUE(bound);
  auto adopted = adopt_listener(Descriptor(::dup(bound->descriptor())));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->address(), bound->address());
  EXPECT_FALSE(adopt_listener(Descriptor(::socket(AF_INET, SOCK_STREAM, 0))));
  EXPECT_FALSE(adopt_listener(Descriptor(::dup(STDERR_FILENO))));
}

TEST(BindUnixListener, MakesASocketForOwnerAndGroupAndRemovesIt) {
  Folder folder;
  std::string path = folder.file("socket");
  {
    auto bound = bind_unix_listener(path);
    ASSERT_TRUE(bound);
    EXPECT_TRUE(bound->is_unix());
    struct stat found {};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0660u);
    BoundSocket moved = std::move(*bound);
    EXPECT_TRUE(exists(path));
  }
  EXPECT_FALSE(exists(path));
}

TEST(BindUnixListener, ReplacesWhatADeadProcessLeft) {
  Folder folder;
  std::string path = folder.file("socket");
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_TRUE(exists(path));
  EXPECT_TRUE(bind_unix_listener(path));
}

TEST(BindUnixListener, LeavesALivingOneAlone) {
  Folder folder;
  std::string path = folder.file("socket");
  auto first = bind_unix_listener(path);
  ASSERT_TRUE(first);
  auto second = bind_unix_listener(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "cannot bind " + path + ": another process serves it");
  EXPECT_TRUE(exists(path));
}

TEST(BindUnixSuccessor, TakesThePlaceOfOneThatServesInOneStep) {
  Folder folder;
  std::string path = folder.file("socket");
  std::optional<BoundSocket> first = bind_unix_listener(path).value();
  {
    auto given_up = bind_unix_successor(path);
    ASSERT_TRUE(given_up);
  }
  EXPECT_TRUE(exists(path));
  give_up_place_at(path);
  EXPECT_FALSE(exists(path + ".next"));

  std::optional<BoundSocket> second = bind_unix_successor(path).value();
  first->leave_file();
  ASSERT_TRUE(take_place_at(path));
  EXPECT_FALSE(exists(path + ".next"));
  first.reset();
  EXPECT_TRUE(exists(path));  // which is the second one's by now
  second.reset();
  EXPECT_FALSE(exists(path));
  EXPECT_FALSE(take_place_at(path));
}

TEST(BindUnixListener, LeavesAFileAlone) {
  Folder folder;
  std::string path = folder.file("socket");
  std::ofstream(path) << "precious";
  auto bound = bind_unix_listener(path);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().message, "cannot bind " + path + ": there is a file that is no socket");
  EXPECT_TRUE(exists(path));
}

TEST(BindUnixListener, SaysWhatIsWrong) {
  EXPECT_FALSE(bind_unix_listener(""));
  EXPECT_FALSE(bind_unix_listener(std::string(108, 'x')));
  EXPECT_EQ(bind_unix_listener("/nowhere/at/all").error().message,
            "cannot bind /nowhere/at/all: No such file or directory");
}

}  // namespace
}  // namespace sallyport::uv
