// Handover: what a supervising process leaves to the program that it becomes by an upgrade (execve in place, so that it
// stays the same process and the parent of the same children): descriptors, and their meaning in an environment
// variable, which is for that process alone.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/descriptor.h"
#include "gateway/base/units.h"
#include "gateway/supervise/inheritance.h"

namespace sallyport::supervise {

inline constexpr const char* handover_variable = "SALLYPORT_SUPERVISING";

struct HandedChild {
  pid_t pid = 0;
  Descriptor link;
  Descriptor board;             // may be missing
  bool is_told_to_end = false;  // one that drains: a second time would break off its mails
};

struct Handover {
  pid_t process = 0;
  std::vector<HeldSocket> sockets;
  Descriptor state_lock;
  HandedChild serving;
  Time ready{};                       // since when it serves
  std::vector<HandedChild> draining;  // those that served before it
  pid_t companion = 0;                // 0: it does not run
  std::string figures;                // what is wanted of it; "": nothing
  bool is_companion_told_to_end = false;
};

// For the variable; the descriptors keep their numbers.
std::string to_text(const Handover& handover);
// The descriptors are owned by the result. Nothing if the text is malformed.
std::optional<Handover> handover_from_text(std::string_view text);

// Reads the variable and removes it. Nothing when it is missing or not meant for this process.
std::optional<Handover> take_handover();
// Whether the descriptors of the handover stay open when another program is executed.
void keep_open(const Handover& handover, bool is_kept);
// Gives up the descriptors without closing them.
void let_go_of(Handover& handover) noexcept;

}  // namespace sallyport::supervise
