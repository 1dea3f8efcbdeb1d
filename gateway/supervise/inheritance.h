// Inheritance: what a serving process gets from its supervisor when it is started: descriptors, and their meaning in an
// environment variable, which is for that process alone (as LISTEN_PID is): it names its parent.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/descriptor.h"

namespace sallyport::supervise {

inline constexpr const char* inheritance_variable = "SALLYPORT_SERVING";

// A listening socket.
struct HeldSocket {
  std::string address;  // as the configuration has it; of one from systemd the address that it is bound to
  Descriptor socket;
  bool is_from_systemd = false;
};

struct Inheritance {
  pid_t parent = 0;
  Descriptor link;        // to the supervisor (link.h)
  Descriptor board;       // shared with it (board.h); may be missing
  Descriptor state_lock;  // that a process before this one has taken; missing for the first
  std::vector<HeldSocket> sockets;
  std::string last_end;       // how the process before this one ended; empty for the first
  bool is_successor = false;  // another one serves at the same sockets, until this one is ready
};

// Who owns the descriptors is somebody else: none is closed here.
void let_go_of(Inheritance& inheritance) noexcept;

// A description of descriptors that stay the caller's. Whatever happens, they are let go of and not closed.
template <typename Description>
class Lent {
 public:
  Lent() = default;
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { let_go_of(description_); }

  Description& operator*() { return description_; }
  Description* operator->() { return &description_; }

 private:
  Description description_;
};

// Adds those that are held to a description that only lends them.
void lend(const std::vector<HeldSocket>& held, std::vector<HeldSocket>& to);

// One fact a line, for variables of this kind: a word, and what belongs to it after a space.
void append_fact(std::string& text, std::string_view word, const std::string& value);
// Whether a value can stand in such a line: what a serving process says must not make lines of its own.
bool is_one_line(std::string_view value) noexcept;
// The same of a socket.
void append_fact(std::string& text, const HeldSocket& held);
// What comes before the first `at`, and what comes behind it.
std::pair<std::string_view, std::string_view> split_at(std::string_view text, char at);
// A number of digits only, at the beginning of a value.
std::optional<int> number_of(std::string_view text);

// For the variable; the descriptors keep their numbers.
std::string to_text(const Inheritance& inheritance);
// The descriptors are owned by the result. Nothing if the text is malformed.
std::optional<Inheritance> from_text(std::string_view text);

// Reads the variable and removes it. Nothing when this process has no supervisor: the variable is missing, or not meant
// for it.
std::optional<Inheritance> take_inheritance();

}  // namespace sallyport::supervise
