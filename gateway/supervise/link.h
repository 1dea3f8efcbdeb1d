// Link: what a serving process tells its supervisor. One message is one packet of a socket pair, a word and a text,
// with a descriptor where a socket is handed over.
//
// The supervisor may be root, and what serves reads octets of strangers: the supervisor believes no more than that a
// socket is to be held or let go of, that this process is ready, and what systemd is to hear.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
};

struct Message {
  Word word = Word::ready;
  std::string text;
  Descriptor socket;
};

// True if it was sent. Never blocks, unless `wait`.
bool send_message(int link, Word word, std::string_view text, int socket = -1, bool wait = false) noexcept;
// Never blocks. Nothing when none is there; a packet that is no message is skipped. Throws std::bad_alloc.
std::optional<Message> receive_message(int link);

// The serving process's end. Any thread may call; without a supervisor (a test) nothing happens.
class Link {
 public:
  Link() = default;
  explicit Link(Descriptor link) : link_(std::move(link)) {}

  void hold(std::string_view address, int socket) const;
  void release(std::string_view address) const;
  // Returns when the supervisor has as few rights as it may have. False: it does not answer.
  bool settle_rights(bool are_needed) const;
  void tell_ready() const;
  // What sd_notify() would say: systemd hears the main process of a unit only, and that is the supervisor.
  void notify(std::string_view state) const;

 private:
  Descriptor link_;
};

}  // namespace sallyport::supervise
