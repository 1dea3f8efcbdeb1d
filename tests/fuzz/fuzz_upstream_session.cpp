// A hostile upstream through the whole of a session: what it says, when, and how it ends its connections, while a
// client hands in its mail. The invariants are checked at the end (tests/unit/session/invariants.h), above all that the
// client was told 2xx only after the upstream's own for a complete message; nothing may hang, as time runs on; and when
// the upstream has come to its senses the same session delivers.
//
// The input: the first octet's lowest bits choose DATA or BDAT for the client and the size of its message, all else is
// what the upstream says. Five octets are not said but done: FS waits for the gateway to say something, ESC is a cut,
// GS ends the connection, RS resets it, and US lets time pass: as many times 5 s as the next octet says.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {

void report_broken_invariant(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char hear = '\x1c';
constexpr char cut = '\x1b';
constexpr char end = '\x1d';
constexpr char reset = '\x1e';
constexpr char pass_time = '\x1f';
constexpr std::array deeds = {hear, cut, end, reset, pass_time};

class HostileUpstream {
 public:
  explicit HostileUpstream(std::string_view script) : script_(script) {}

  bool has_more() const { return !script_.empty(); }

  Task<void> serve(async::Scheduler& scheduler, std::unique_ptr<io::Stream> stream) {
    while (has_more()) {
      if (!co_await go_on(scheduler, *stream)) co_return;
    }
    // From here on it only listens.
    while (co_await listen(*stream)) {
    }
  }

 private:
  // The next thing said or done; false at the end of the connection.
  Task<bool> go_on(async::Scheduler& scheduler, io::Stream& stream) {
    std::size_t spoken = std::min(script_.find_first_of({deeds.data(), deeds.size()}), script_.size());
    if (spoken > 0) {
      std::string words(script_.substr(0, spoken));
      script_.remove_prefix(spoken);
      co_return (co_await stream.write(words, async::no_deadline)).ok();
    }
    char deed = script_.front();
    script_.remove_prefix(1);
    switch (deed) {
      case hear:
        co_return co_await listen(stream);
      case end:
        stream.close();
        co_return false;
      case reset:
        stream.abort();
        co_return false;
      case pass_time: {
        seconds time(script_.empty() ? 1 : 5 * static_cast<unsigned char>(script_.front()));
        script_.remove_prefix(std::min<std::size_t>(1, script_.size()));
        co_await async::sleep_for(scheduler, time);
        co_return true;
      }
      case cut:
        co_await async::sleep_for(scheduler, milliseconds(1));
        co_return true;
      default:
        ensure(false, "not a deed");
        co_return false;
    }
  }

  static Task<bool> listen(io::Stream& stream) {
    if (stream.input().empty()) {
      auto heard = co_await stream.fill(async::no_deadline);
      if (!heard) co_return false;
    }
    stream.consume(stream.input().size());
    co_return true;
  }

  std::string_view script_;
};

class Client {
 public:
  Client(World& world, std::uint8_t choice) : world_(world), uses_bdat_((choice & 1) != 0) {
    message_ = "Message-ID: <1@example.org>\r\n\r\n";
    do {
      message_ += "a line\r\n.and one with a dot\r\n";
    } while (message_.size() < ((choice & 2) != 0 ? std::size_t{70} * 1024 : 0));
    if ((choice & 4) != 0) world.settings.limits.memory_per_message = 1024;
    world_.connect();
    world_.heard();
    greet();
  }

  // Anew, it hears what the upstream can do by now.
  void greet() { ask("EHLO client.example\r\n"); }

  // True when it was told that the message is accepted.
  bool deliver() {
    ask("MAIL FROM:<ann@example.org>\r\n");
    bool any = ask("RCPT TO:<bob@example.com>\r\n").starts_with("2");
    any = ask("RCPT TO:<carol@example.com>\r\n").starts_with("2") || any;
    if (!any) return false;
    if (uses_bdat_) return ask("BDAT " + std::to_string(message_.size()) + " LAST\r\n" + message_).starts_with("2");
    if (!ask("DATA\r\n").starts_with("354 ")) return false;
    std::string stuffed = message_;
    for (std::size_t at = 0; (at = stuffed.find("\r\n.", at)) != std::string::npos; at += 4)
      stuffed.insert(at + 2, ".");
    return ask(stuffed + ".\r\n").starts_with("2");
  }

  void reset() { ask("RSET\r\n"); }

 private:
  // Whatever is said is answered in good time.
  std::string ask(const std::string& octets) {
    std::string heard = world_.say(octets);
    Time limit = world_.loop.now() + std::chrono::minutes(10);
    while (heard.empty() && !world_.is_over() && world_.loop.advance_to_next_timer()) {
      ensure(world_.loop.now() < limit, "no answer in ten minutes");
      heard = world_.heard();
    }
    ensure(!heard.empty() || world_.is_over(), "no answer, and nothing that could bring one");
    return heard;
  }

  World& world_;
  bool uses_bdat_;
  std::string message_;
};

void play(std::uint8_t choice, std::string_view script) {
  HostileUpstream hostile(script);
  World world;
  world.dialer.serve(first_server, [&](std::unique_ptr<support::MemoryStream> stream) {
    if (!hostile.has_more()) return world.upstream.serve(std::move(stream));
    support::Faults narrow;  // so that a large message is on its way for a while
    narrow.transit_octets = 1024;
    stream->set_read_faults(narrow);
    return hostile.serve(world.loop.scheduler(), std::move(stream));
  });
  Client client(world, choice);
  // So many attempts take in what an input has to say, unless it says a word to each.
  constexpr int enough = 10;
  for (int attempts = 0; attempts < enough && !world.is_over() && hostile.has_more(); ++attempts) {
    client.deliver();
    client.reset();
    world.advance(seconds(70));  // no connection is kept for so long
  }
  if (hostile.has_more() || world.is_over()) return;
  world.advance(seconds(70));  // for a connection that the hostile one has opened and left silent
  if (client.deliver()) return;
  // The hostile one may have announced a SIZE too small for this message: what the sound one takes has been learned
  // with that delivery, and is offered with the next greeting.
  client.reset();
  world.advance(seconds(5));  // U16
  client.greet();
  ensure(client.deliver(), "a sound upstream, and no delivery");
}

}  // namespace
}  // namespace sallyport::session

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);
  sallyport::session::play(data[0], script);
  return 0;
}
