#include "gateway/resolver/settings.h"

#include "gateway/base/text.h"

namespace sallyport::resolver {

namespace {
using settings::row;
namespace type = settings::type;
constexpr settings::Reload restart = settings::Reload::restart;

constexpr settings::Row rows[] = {
    row<&ResolverSettings::servers>(
        "servers", type::name_servers,
        "The recursive name servers, asked in this order; empty for those of /etc/resolv.conf.", {.reload = restart}),
    row<&ResolverSettings::timeout>("timeout", "How long one question may take, all servers and retries together.",
                                    {.least = "100ms", .most = "60s", .reload = restart}),
    row<&ResolverSettings::cache_entries>("cache_entries", "How many answers are kept.",
                                          {.least = "0", .most = "100000000", .reload = restart}),
    row<&ResolverSettings::use_0x20>(
        "use_0x20", "Whether the case of letters in questions is random, so that forged answers are harder to guess.",
        {.reload = restart}),
    row<&ResolverSettings::failure_ttl>("failure_ttl", "How long a failure stands as the answer to its question.",
                                        {.least = "0s", .most = "60s", .reload = restart}),
    row<&ResolverSettings::max_in_flight>("max_in_flight", "How many questions one worker may have open at once.",
                                          {.least = "1", .most = "60000", .reload = restart}),
};

constexpr std::uint16_t dns_port = 53;
constexpr std::size_t most_servers = 3;  // MAXNS of resolv.conf(5)
}  // namespace

constinit const settings::SectionOf<ResolverSettings> resolver_section{"dns", rows};

std::vector<SocketAddress> servers_of_resolv_conf(std::string_view text) {
  std::vector<SocketAddress> servers;
  for (std::string_view line : text::split(text, '\n')) {
    if (servers.size() == most_servers) break;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (text::take_word(line) != "nameserver") continue;
    if (auto address = IpAddress::parse(text::take_word(line))) servers.push_back(SocketAddress{*address, dns_port});
  }
  if (servers.empty()) servers.push_back(SocketAddress{IpAddress::v4({127, 0, 0, 1}), dns_port});
  return servers;
}

}  // namespace sallyport::resolver
