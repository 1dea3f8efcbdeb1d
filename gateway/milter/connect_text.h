// What the command `C` says of the client, as it stands on the wire. decode_command() makes an address of ours from it,
// libsallyport-milter the sockaddr that a filter gets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/milter/packet.h"
#include "gateway/milter/protocol.h"

namespace sallyport::milter {

struct ConnectText {
  std::string_view host;  // in the packet, where a NUL follows it
  ClientFamily family = ClientFamily::unknown;
  std::uint16_t port = 0;
  std::string_view address;  // not looked at yet; an IPv6 one without the tag "IPv6:" that some MTAs write in front
};

// Takes it from the front of `data`; what an MTA has put behind it stays there. Nothing where a part is missing, and
// for a family that is none.
std::optional<ConnectText> take_connect_text(DataReader& data);

}  // namespace sallyport::milter
