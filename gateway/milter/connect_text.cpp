#include "gateway/milter/connect_text.h"

namespace sallyport::milter {

namespace {

constexpr std::string_view ipv6_tag = "IPv6:";

bool is_family(char letter) {
  switch (static_cast<ClientFamily>(letter)) {
    case ClientFamily::unknown:
    case ClientFamily::unix_domain:
    case ClientFamily::ipv4:
    case ClientFamily::ipv6:
      return true;
  }
  return false;
}

}  // namespace

std::optional<ConnectText> take_connect_text(DataReader& data) {
  ConnectText client;
  char family = 0;
  if (!data.text(client.host) || !data.letter(family) || !is_family(family)) return std::nullopt;
  client.family = static_cast<ClientFamily>(family);
  if (client.family == ClientFamily::unknown) return client;
  if (!data.u16(client.port) || !data.text(client.address)) return std::nullopt;
  if (client.family == ClientFamily::ipv6 && client.address.starts_with(ipv6_tag))
    client.address.remove_prefix(ipv6_tag.size());
  return client;
}

}  // namespace sallyport::milter
