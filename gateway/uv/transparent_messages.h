// What a loop and the helper process that makes transparent sockets (gateway/app/transparent_helper.h) say to each
// other, over a pair of SOCK_SEQPACKET sockets: a wish, which is a family; and for each wish one answer, which is the
// family, and a socket or the system's error number. Nothing else: no address, no length, no text.
//
// A transparent socket (IP_TRANSPARENT) may be bound to an address of another host. Making one takes CAP_NET_RAW or
// CAP_NET_ADMIN; binding and connecting it takes none.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "gateway/uv/descriptor.h"

namespace sallyport::uv {

enum class IpFamily : std::uint8_t { v4 = 4, v6 = 6 };

struct Answer {
  IpFamily family = IpFamily::v4;
  int error = 0;  // errno; 0: there is a socket
  Descriptor socket;
};

enum class Trouble : std::uint8_t {
  none_yet,  // there is nothing to read, or no room to write
  over,      // the other end has gone, or says what is no message
};

// None of these waits, and none raises SIGPIPE.
Result<Done, Trouble> send_wish(int channel, IpFamily family) noexcept;
Result<IpFamily, Trouble> receive_wish(int channel) noexcept;
Result<Done, Trouble> send_answer(int channel, const Answer& answer) noexcept;
Result<Answer, Trouble> receive_answer(int channel) noexcept;

// A TCP socket that is transparent, non-blocking and closed on exec; or errno.
Result<Descriptor, int> make_transparent_socket(IpFamily family) noexcept;
// Binds it, with a port that the kernel chooses when it connects; gives errno, or 0. Takes no capability.
int bind_to_client(const Descriptor& socket, const IpAddress& client) noexcept;

}  // namespace sallyport::uv
