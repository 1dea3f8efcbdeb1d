// Shortage: what this host had none of when a call gave Error::exhausted, for the log.
//
// It stands beside the error as errno does: whoever translates the system's code notes it on the thread of the call,
// and whoever has got `exhausted` takes it there, before anything else is awaited. A call that notes nothing leaves
// `unknown`.
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::io {

enum class Shortage : std::uint8_t {
  unknown,
  open_files,     // of this process, or of the host
  memory,         // of the kernel: for a socket or its buffers
  ports,          // local ports towards that address
  packet_filter,  // no shortage in truth: a packet filter of this host forbids it
};

// What there is none of, in words: "open files".
std::string_view name(Shortage shortage);

void note_shortage(Shortage shortage) noexcept;
// What was noted last on this thread and has not been taken.
Shortage take_shortage() noexcept;

}  // namespace sallyport::io
