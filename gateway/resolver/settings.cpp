#include "gateway/resolver/settings.h"

#include "gateway/base/text.h"

namespace sallyport::resolver {

namespace {
constexpr std::uint16_t dns_port = 53;
constexpr std::size_t most_servers = 3;  // MAXNS of resolv.conf(5)

// The first word of a text that begins with it, which is taken away.
std::string_view take_word(std::string_view& text) {
  text = text::trim(text);
  std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}
}  // namespace

std::vector<SocketAddress> servers_of_resolv_conf(std::string_view text) {
  std::vector<SocketAddress> servers;
  for (std::string_view line : text::split(text, '\n')) {
    if (servers.size() == most_servers) break;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (take_word(line) != "nameserver") continue;
    if (auto address = IpAddress::parse(take_word(line))) servers.push_back(SocketAddress{*address, dns_port});
  }
  if (servers.empty()) servers.push_back(SocketAddress{IpAddress::v4({127, 0, 0, 1}), dns_port});
  return servers;
}

}  // namespace sallyport::resolver
