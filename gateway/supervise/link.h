// Link: what a serving process and its supervisor tell each other. One message is one packet of a socket pair, a word
// and a text, with a descriptor where a socket is handed over.
//
// The supervisor may be root, and what serves reads octets of strangers: the supervisor believes no more than that a
// socket is to be held or let go of, that this process is ready or cannot be, what systemd is to hear, that the process
// for figures and health is wanted, that somebody asks for the end, or for an upgrade: then it starts the program at
// its own path, whatever that is by now.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/base/descriptor.h"

namespace sallyport::supervise {

enum class Word : std::uint8_t {
  hold,         // a listening socket, of the address in the text
  release,      // those of the address in the text
  keep_rights,  // the capabilities are needed for the next serving process
  give_rights,  // they are not; these two are answered, with any packet
  ready,        // it serves
  notify,       // the text, to systemd
  lock,         // the descriptor with the lock on the state directory, to be kept for the next process
  placed,       // the successor that may serve has put everything in its place
  upgrade,      // start the program anew, and let this process hand over to it
  why,          // a piece of the reason for which this process (or another, in the other direction) is not ready
  // From the supervisor.
  serve,         // to a successor that is ready: it has the place now
  not_upgraded,  // the successor has not become ready, for the reason before; an exit status
  upgraded,      // it has the place; its version
  gone,          // of the addresses of this process, the successor does not serve the one in the text
  // From what serves; here, as the numbers of words stay.
  figures,  // what the process for figures and health is to serve, by the configuration; before `ready`
  end,      // finish what is under way, and end: as by SIGTERM, but a second one changes nothing
};

// Which version of `supervising.h`'s own text over an upgrade a program reads; a successor names it when it is ready.
inline constexpr int handover_format = 3;

// Takes no memory beside itself, so none is lost for want of it.
struct Message {
  static constexpr std::size_t most_octets = 1023;  // of the text

  Word word = Word::ready;
  std::array<char, most_octets + 1> octets{};  // with a zero behind the text
  std::size_t size = 0;
  Descriptor socket;

  std::string_view text() const { return {octets.data(), size}; }
};

// True if it was sent. Never blocks, unless `wait`.
bool send_message(int link, Word word, std::string_view text, int socket = -1, bool wait = false) noexcept;
// The reason in as many messages as it takes; what is too long for them is left out.
void send_why(int link, std::string_view reason) noexcept;
// Never blocks. Nothing when none is there; a packet that is no message is skipped, and of several descriptors in one
// packet only the first is taken.
std::optional<Message> receive_message(int link) noexcept;

// Whether systemd may be told this state in the name of the supervising process, which may be root: what a serving
// process has to say, and nothing else. One that a stranger has taken over could name any process as the main one of
// the service, and systemd would end that in its place.
bool is_fit_for_systemd(std::string_view state) noexcept;

// The serving process's end. Any thread may call; without a supervisor (a test) nothing happens.
class Link {
 public:
  Link() = default;
  explicit Link(Descriptor link) : link_(std::move(link)) {}

  void hold(std::string_view address, int socket) const;
  void release(std::string_view address) const;
  // Returns when the supervisor has as few rights as it may have. False: it does not answer.
  bool settle_rights(bool are_needed) const;
  // The process for figures and health is to run beside this one; what it serves is in the text.
  void want_figures(std::string_view what) const;
  // With what an upgrade has to know of this program.
  void tell_ready() const;
  // For a successor, after tell_ready(): returns when it has the place. False: it is not to have it.
  bool wait_for_place() const;
  void tell_placed() const;
  // Why this process will not become ready.
  void tell_why(std::string_view reason) const;
  void keep_lock(int descriptor) const;
  // False: it cannot be asked for.
  bool ask_for_upgrade() const;
  bool ask_for_end() const;
  // The next message of the supervisor's, if there is one. One thread at a time.
  std::optional<Message> next() const;
  // What sd_notify() would say: systemd hears the main process of a unit only, and that is the supervisor.
  void notify(std::string_view state) const;

 private:
  Descriptor link_;
};

}  // namespace sallyport::supervise
