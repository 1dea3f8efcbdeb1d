#include "gateway/settings/value_types.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "gateway/base/a_labels.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

namespace sallyport::settings {
namespace {

// The bounds of a row are written like its values, and the same function parses both.
template <class T, class Parse>
bool in_range(const T& value, const Bounds& bounds, Parse parse) {
  const auto bound = [&](std::string_view text) -> T {
    const auto read = parse(text);
    if (!read) broken("settings: a bound that is no value of its row's type");
    return *read;
  };
  if (!bounds.least.empty() && value < bound(bounds.least)) return false;
  return bounds.most.empty() || !(bound(bounds.most) < value);
}

bool read_boolean(const Node& node, const Reading& reading, void* value) {
  if (node.kind != Node::Kind::boolean) return reading.mismatch(node);
  return give(bool(node.boolean), value);
}

bool read_integer(const Node& node, const Reading& reading, void* value) {
  if (node.kind != Node::Kind::integer) return reading.mismatch(node);
  const auto parse = [](std::string_view text) { return text::to_number(text); };
  const auto number = static_cast<std::uint64_t>(node.integer);
  if (node.integer < 0 || !in_range(number, reading.bounds, parse))
    return reading.out_of_range(node, std::to_string(node.integer));
  return give(std::uint64_t(number), value);
}

bool read_size(const Node& node, const Reading& reading, void* value) {
  std::optional<std::uint64_t> octets;
  if (node.kind == Node::Kind::integer && node.integer >= 0) octets = static_cast<std::uint64_t>(node.integer);
  if (node.kind == Node::Kind::text) octets = parse_size(node.text);
  if (!octets) return reading.mismatch(node);
  if (!in_range(*octets, reading.bounds, parse_size)) return reading.out_of_range(node, size_to_text(*octets));
  return give(std::uint64_t(*octets), value);
}

std::string number_text(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end.ptr);
  // A number without a dot or exponent would be an integer in TOML.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

template <class T>
bool read_number(const Node& node, const Reading& reading, void* value) {
  if (node.kind != Node::Kind::number && node.kind != Node::Kind::integer) return reading.mismatch(node);
  const auto parse = [](std::string_view text) {
    double bound = 0;
    std::from_chars(text.data(), text.data() + text.size(), bound);
    return std::optional(bound);
  };
  if (!std::isfinite(node.number) || !in_range(node.number, reading.bounds, parse))
    return reading.out_of_range(node, std::isfinite(node.number) ? number_text(node.number) : "this");
  return give(T(node.number), value);
}

bool read_duration(const Node& node, const Reading& reading, void* value) {
  if (node.kind != Node::Kind::text) return reading.mismatch(node);
  const auto duration = parse_duration(node.text);
  if (!duration) return reading.mismatch(node);
  if (!in_range(*duration, reading.bounds, parse_duration)) return reading.out_of_range(node, quote(node.text));
  return give(Duration(*duration), value);
}

bool read_rate(const Node& node, const Reading& reading, void* value) {
  if (node.kind != Node::Kind::text) return reading.mismatch(node);
  if (node.text == "off") return give(std::optional<Rate>(), value);
  const auto rate = parse_rate(node.text);
  if (!rate) return reading.mismatch(node);
  return give(std::optional<Rate>(*rate), value);
}

Result<IpNetwork> parse_network(std::string_view text, const Reading& reading) {
  if (auto network = IpNetwork::parse(text)) return *network;
  const std::size_t slash = text.find('/');
  if (auto ip = IpAddress::parse(text.substr(0, slash)); ip && slash != std::string_view::npos) {
    const auto bits = text::to_number(text.substr(slash + 1), ip->is_v4() ? 32 : 128);
    if (bits)
      return Failure{quote(text) + " has bits set behind its prefix; the network is " +
                     quote(IpNetwork::of(*ip, static_cast<unsigned>(*bits)).to_string())};
  }
  return reading.wrong(text);
}

// True for "mx.example.com:25", "mx", "localhost": names that would need a resolver.
bool looks_like_host_name(std::string_view text) {
  const std::string_view host = text.substr(0, text.find(':'));
  return is_domain_name(host) && std::any_of(host.begin(), host.end(), text::is_alpha);
}

// `Port` is the default port; 0: the port must be written.
template <std::uint16_t Port>
Result<SocketAddress> parse_address(std::string_view text, const Reading& reading) {
  if (auto address = SocketAddress::parse(text)) {
    if (address->port != 0) return *address;
    return Failure{"the port of an address is 1 to 65535, not 0"};
  }
  std::string_view bare = text;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  if (auto ip = IpAddress::parse(bare)) {
    if (Port != 0) return SocketAddress{*ip, Port};
    return Failure{"the port is missing: expected " + reading.type.expectation() + ", not " + quote(text)};
  }
  if (looks_like_host_name(text))
    return Failure{"host names are not looked up here: write the IP address of " + quote(text) +
                   ", as in \"192.0.2.1:25\""};
  return reading.wrong(text);
}

Result<Endpoint> parse_server(std::string_view text, const Reading& reading) {
  constexpr std::size_t longest_socket_path = 107;  // what sockaddr_un holds
  if (const auto server = Endpoint::parse(text, 25)) {
    if (!server->is_unix()) return *server;
    if (!is_plain_text(server->path())) return reading.wrong(text);
    std::string path = reading.resolve(server->path());
    if (path.size() > longest_socket_path)
      return Failure{"the path of a socket has at most 107 octets, and " + quote(path) + " has " +
                     std::to_string(path.size())};
    return Endpoint::unix_socket(std::move(path));
  }
  if (SocketAddress::parse(text)) return Failure{"the port of an address is 1 to 65535, not 0"};
  return reading.wrong(text);
}

bool read_one_server(const Node& node, const Reading& reading, void* value) {
  if (node.kind != Node::Kind::text) return reading.mismatch(node);
  const auto server = parse_server(node.text, reading);
  if (!server) return reading.fail(node, server.error().message);
  return give(std::vector{*server}, value);
}

Result<std::string> parse_text(std::string_view text, const Reading& reading) {
  if (!is_plain_text(text)) return Failure{"expected " + reading.type.expectation() + ", not a text " + quote(text)};
  return std::string(text);
}

Result<std::string> parse_path(std::string_view text, const Reading& reading) {
  if (!is_plain_text(text)) return Failure{"expected " + reading.type.expectation() + ", not a text " + quote(text)};
  return reading.resolve(text);
}

Result<std::string> parse_glob(std::string_view text, const Reading& reading) {
  if (!is_plain_text(text)) return reading.wrong(text);
  return std::string(text);
}

Result<std::string> parse_domain(std::string_view text, const Reading& reading) {
  if (auto domain = to_a_labels(text); domain && !text.ends_with('.')) return std::move(*domain);
  return reading.wrong(text);
}

// In the form that the DNS has, so that a domain is one whichever way it is written.
Result<std::string> parse_domain_pattern(std::string_view text, const Reading& reading) {
  constexpr std::string_view below = "*.";
  const bool is_below = text.starts_with(below);
  auto domain = to_a_labels(is_below ? text.substr(below.size()) : text);
  if (!domain) return reading.wrong(text);
  return is_below ? std::string(below) + *domain : std::move(*domain);
}

Result<std::string> parse_log_target(std::string_view text, const Reading& reading) {
  if (text == "stderr" || text == "journal") return std::string(text);
  for (const std::string_view prefix : {"file:", "journal:"}) {
    if (text.starts_with(prefix) && text.size() > prefix.size() && is_plain_text(text))
      return std::string(prefix) + reading.resolve(text.substr(prefix.size()));
  }
  return reading.wrong(text);
}

std::string address_text(const SocketAddress& address) { return address.to_string(); }
std::string server_text(const Endpoint& server) { return server.to_string(); }
std::string network_text(const IpNetwork& network) { return network.to_string(); }
std::string same_text(const std::string& text) { return text; }

#define ADDRESS_PATTERN R"({"type": "string", "pattern": "^([0-9.]+|\\[[0-9A-Fa-f.:]+\\]):[0-9]+$"})"
#define SERVER_PATTERN \
  R"({"type": "string", "pattern": "^(unix:.+|[A-Za-z0-9._-]+(:[0-9]+)?|\\[?[0-9A-Fa-f.:]+\\]?(:[0-9]+)?)$"})"
#define ADDRESS_WITHOUT_PORT_PATTERN R"({"type": "string", "pattern": "^([0-9.]+|\\[?[0-9A-Fa-f.:]+\\]?)(:[0-9]+)?$"})"

}  // namespace

bool is_plain_text(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), text::is_control);
}

namespace type {

// clang-format off
constinit const TypeOf<bool> boolean{{
    "boolean", Form::boolean, "true or false", {}, R"({"type": "boolean"})", read_boolean,
    [](const void* value) { return std::string(*static_cast<const bool*>(value) ? "true" : "false"); }}};
constinit const TypeOf<std::uint64_t> integer{{
    "integer", Form::number, "an integer", {}, R"({"type": "integer", "minimum": 0})", read_integer,
    [](const void* value) { return std::to_string(*static_cast<const std::uint64_t*>(value)); }}};
constinit const TypeOf<std::uint64_t> size{{
    "size", Form::text, "a size like \"25MiB\"", {},
    R"({"oneOf": [{"type": "string", "pattern": "^[0-9]+(KiB|MiB|GiB|TiB)?$"}, {"type": "integer", "minimum": 0}]})",
    read_size,
    [](const void* value) { return quote(size_to_text(*static_cast<const std::uint64_t*>(value))); }}};
constinit const TypeOf<double> number{{
    "number", Form::number, "a number", {}, R"({"type": "number"})", read_number<double>,
    [](const void* value) { return number_text(*static_cast<const double*>(value)); }}};
constinit const TypeOf<std::optional<double>> score_of_its_own{{
    "number", Form::number, "a number", {}, R"({"type": "number"})", read_number<std::optional<double>>,
    [](const void* value) {
      const auto& score = *static_cast<const std::optional<double>*>(value);
      return score ? number_text(*score) : std::string();
    }}};
constinit const TypeOf<Duration> duration{{
    "duration", Form::text, "a duration like \"5s\"", {},
    R"({"type": "string", "pattern": "^[0-9]+(d|h|m|s|ms|us|ns)$"})", read_duration,
    [](const void* value) { return quote(to_text(*static_cast<const Duration*>(value))); }}};
constinit const TypeOf<std::optional<Rate>> rate{{
    "rate", Form::text, "a rate like \"300/1h burst 50\", or \"off\"", {},
    R"({"type": "string", "pattern": "^(off|[0-9]+/[0-9]+(d|h|m|s|ms|us|ns)( burst [0-9]+)?)$"})", read_rate,
    [](const void* value) {
      const auto& rate = *static_cast<const std::optional<Rate>*>(value);
      return rate ? quote(to_text(*rate)) : std::string("\"off\"");
    }}};
// clang-format on

constinit const TypeOf<std::vector<IpNetwork>> networks = list_type<IpNetwork, parse_network, network_text>(
    "list of networks", R"(a list of networks like ["10.0.0.0/8", "192.0.2.1"])",
    R"({"type": "array", "items": {"type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]+)?$"}})");
constinit const TypeOf<SocketAddress> address = text_type<SocketAddress, parse_address<0>, address_text>(
    "address", R"(an address like "192.0.2.1:25" or "[2001:db8::1]:25")", ADDRESS_PATTERN);
constinit const TypeOf<std::vector<Endpoint>> servers = list_type<Endpoint, parse_server, server_text>(
    "list of servers", R"(a list of servers like ["192.0.2.1:25", "mail.example.com:25", "unix:/run/lmtp"])",
    R"({"type": "array", "items": )" SERVER_PATTERN "}");
constinit const TypeOf<std::vector<Endpoint>> one_server{
    {"server",
     Form::text,
     R"(a server like "192.0.2.1:25", "mail.example.com:25" or "unix:/run/lmtp")",
     {},
     SERVER_PATTERN,
     read_one_server,
     [](const void* value) {
       const auto& list = *static_cast<const std::vector<Endpoint>*>(value);
       return quote(list.empty() ? std::string() : list.front().to_string());
     }}};
constinit const TypeOf<std::vector<SocketAddress>> name_servers =
    list_type<SocketAddress, parse_address<53>, address_text>(
        "list of addresses", R"(a list of addresses like ["192.0.2.1:25", "[2001:db8::1]:25"])",
        R"({"type": "array", "items": )" ADDRESS_WITHOUT_PORT_PATTERN "}");
constinit const TypeOf<std::string> text =
    text_type<std::string, parse_text, same_text>("text", "a text that is not empty", R"({"type": "string"})");
constinit const TypeOf<std::string> domain = text_type<std::string, parse_domain, same_text>(
    "domain name", R"(a domain name like "mx1.example.com")", R"({"type": "string"})");
constinit const TypeOf<std::string> domain_pattern = text_type<std::string, parse_domain_pattern, same_text>(
    "domain pattern", R"(a domain name like "example.com" or "*.example.com")", R"({"type": "string"})");
constinit const TypeOf<std::string> path =
    text_type<std::string, parse_path, same_text>("path", "a path", R"({"type": "string"})");
constinit const TypeOf<std::string> log_target = text_type<std::string, parse_log_target, same_text>(
    "log target", R"("stderr", "journal", "journal:/path" or "file:/path")",
    R"({"type": "string", "pattern": "^(stderr|journal|journal:.+|file:.+)$"})");
constinit const TypeOf<std::vector<std::string>> domains = list_type<std::string, parse_domain_pattern, same_text>(
    "list of domains", R"(a list of domains like ["example.com", "*.example.com"])",
    R"({"type": "array", "items": {"type": "string", "pattern": "^(\\*\\.)?[A-Za-z0-9_.\\u0080-\\uffff-]+$"}})");
constinit const TypeOf<std::vector<std::string>> globs = list_type<std::string, parse_glob, same_text>(
    "list of file patterns", R"(a list of file patterns like ["tenants/*.toml"])",
    R"({"type": "array", "items": {"type": "string", "minLength": 1}})");

}  // namespace type

}  // namespace sallyport::settings
