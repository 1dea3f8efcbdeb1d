#include "gateway/cli/reply_route.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "gateway/base/descriptor.h"

namespace sallyport::cli {

namespace {

constexpr std::uint16_t some_client_port = 50'000;

// A route that the kernel has found.
struct Route {
  bool is_local = false;              // to this host itself
  std::uint32_t interface_index = 0;  // where it leaves
};

// One RTM_GETROUTE.
class Question {
 public:
  explicit Question(const IpAddress& to) {
    header_.nlmsg_type = RTM_GETROUTE;
    header_.nlmsg_flags = NLM_F_REQUEST;
    header_.nlmsg_seq = 1;
    route_.rtm_family = to.is_v4() ? AF_INET : AF_INET6;
    route_.rtm_dst_len = static_cast<unsigned char>(to.octets().size() * 8);
    add(RTA_DST, to.octets());
  }
  void from(const SocketAddress& source) {
    route_.rtm_src_len = static_cast<unsigned char>(source.ip.octets().size() * 8);
    add(RTA_SRC, source.ip.octets());
    add_number(RTA_IP_PROTO, std::uint8_t{IPPROTO_TCP});
    add_number(RTA_SPORT, htons(source.port));
    add_number(RTA_DPORT, htons(some_client_port));
  }
  void arriving_at(std::uint32_t interface_index) { add_number(RTA_IIF, interface_index); }

  // Nothing: the kernel could not be asked. A route that does not exist is not local, and leaves nowhere.
  std::optional<Route> ask() {
    const Descriptor kernel(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!kernel) return std::nullopt;
    const timeval patience{1, 0};
    ::setsockopt(kernel.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    header_.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof route_) + attributes_.size());
    std::string packet(reinterpret_cast<const char*>(&header_), sizeof header_);
    packet.append(reinterpret_cast<const char*>(&route_), sizeof route_).append(attributes_);
    if (::send(kernel.get(), packet.data(), packet.size(), 0) < 0) return std::nullopt;
    alignas(nlmsghdr) std::array<char, 4096> answer{};
    const ssize_t octets = ::recv(kernel.get(), answer.data(), answer.size(), 0);
    return octets < 0 ? std::nullopt : read(answer.data(), static_cast<int>(octets));
  }

 private:
  void add(unsigned short type, std::string_view value) {
    const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(value.size())), type};
    attributes_.append(reinterpret_cast<const char*>(&attribute), sizeof attribute).append(value);
    attributes_.resize(RTA_ALIGN(attributes_.size()), '\0');
  }
  template <class Number>
  void add_number(unsigned short type, Number number) {
    add(type, {reinterpret_cast<const char*>(&number), sizeof number});
  }

  static std::optional<Route> read(const char* answer, int octets) {
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
    if (!NLMSG_OK(header, static_cast<std::uint32_t>(octets))) return std::nullopt;
    if (header->nlmsg_type == NLMSG_ERROR) {
      nlmsgerr error{};
      std::memcpy(&error, NLMSG_DATA(header), sizeof error);
      const bool is_no_route = error.error == -EHOSTUNREACH || error.error == -ENETUNREACH || error.error == -EACCES;
      return is_no_route ? std::optional(Route{}) : std::nullopt;
    }
    if (header->nlmsg_type != RTM_NEWROUTE) return std::nullopt;
    const auto* found = static_cast<const rtmsg*>(NLMSG_DATA(header));
    Route route{found->rtm_type == RTN_LOCAL, 0};
    auto left = static_cast<int>(RTM_PAYLOAD(header));
    for (const rtattr* attribute = RTM_RTA(found); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
      if (attribute->rta_type == RTA_OIF)
        std::memcpy(&route.interface_index, RTA_DATA(attribute), sizeof(std::uint32_t));
    }
    return route;
  }

  nlmsghdr header_{};
  rtmsg route_{};
  std::string attributes_;
};

IpAddress some_client(const SocketAddress& server) {
  return *IpAddress::parse(server.ip.is_v4() ? "198.51.100.1" : "2001:db8::1");
}

std::string commands(const SocketAddress& server, const Route& to_server) {
  const std::string ip = server.ip.is_v4() ? "`ip " : "`ip -6 ";
  std::string text = ip + "rule add from " + server.ip.to_string() + " ipproto tcp sport " +
                     std::to_string(server.port) + " lookup 100` and " + ip +
                     "route add local default dev lo table 100` take it for this host's own";
  if (!to_server.is_local)
    text += "; on the server, " + ip + "route replace default via ADDRESS_OF_THIS_HOST` sends it here";
  return text;
}

}  // namespace

std::optional<std::string> missing_reply_route(const SocketAddress& server) {
  const auto to_server = Question(server.ip).ask();
  if (!to_server) return std::nullopt;
  Question back(some_client(server));
  back.from(server);
  if (!to_server->is_local) {
    if (to_server->interface_index == 0) return std::nullopt;  // the server cannot be reached at all
    back.arriving_at(to_server->interface_index);
  }
  const auto answer = back.ask();
  if (!answer || answer->is_local) return std::nullopt;
  return "what " + server.to_string() +
         " answers to a client's address is not delivered on this host, unless a packet "
         "filter sees to it: " +
         commands(server, *to_server);
}

}  // namespace sallyport::cli
