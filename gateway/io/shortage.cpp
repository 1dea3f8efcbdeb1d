#include "gateway/io/shortage.h"

#include <utility>

namespace sallyport::io {

namespace {

thread_local Shortage noted = Shortage::unknown;

}  // namespace

std::string_view name(Shortage shortage) {
  switch (shortage) {
    case Shortage::open_files:
      return "open files";
    case Shortage::memory:
      return "memory for sockets";
    case Shortage::ports:
      return "local ports";
    case Shortage::packet_filter:
      return "ways through the packet filter of this host";
    case Shortage::unknown:
      break;
  }
  return "resources";
}

void note_shortage(Shortage shortage) noexcept { noted = shortage; }

Shortage take_shortage() noexcept { return std::exchange(noted, Shortage::unknown); }

}  // namespace sallyport::io
