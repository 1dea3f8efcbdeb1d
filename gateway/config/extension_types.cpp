#include "gateway/config/extension_types.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::config {

namespace {

using settings::Form;
using settings::give;
using settings::Node;
using settings::quote;
using settings::Reading;

// RFC 5321, 4.1.1.1: a letter or digit, then letters, digits and hyphens.
bool is_ehlo_keyword(std::string_view word) {
  return !word.empty() && word.front() != '-' &&
         std::all_of(word.begin(), word.end(), [](char c) { return text::is_alnum(c) || c == '-'; });
}

Result<std::string> parse_keyword(std::string_view word, const Reading& reading) {
  if (!is_ehlo_keyword(word)) return reading.wrong(word);
  return text::to_upper(word);
}

std::string same(const std::string& keyword) { return keyword; }

bool add_offered(const Node& item, const Reading& reading, void* list) {
  std::string keyword = text::to_upper(item.text);
  if (std::find(offerable_extensions.begin(), offerable_extensions.end(), keyword) == offerable_extensions.end()) {
    const std::vector<std::string> known(offerable_extensions.begin(), offerable_extensions.end());
    return reading.fail(
        item, quote(item.text) + " does not depend on the servers: expected some of " + text::join(known, ", "));
  }
  static_cast<std::vector<std::string>*>(list)->push_back(std::move(keyword));
  return true;
}

bool read_offered(const Node& node, const Reading& reading, void* value) {
  if (node.kind == Node::Kind::text && node.text == "common") return give(OfferedExtensions{}, value);
  if (node.kind != Node::Kind::array) return reading.mismatch(node);
  OfferedExtensions offered{false, {}};
  if (!settings::detail::read_texts(node, reading, &offered.keywords, add_offered)) return false;
  return give(std::move(offered), value);
}

std::string offered_text(const void* value) {
  const auto& offered = *static_cast<const OfferedExtensions*>(value);
  return offered.is_common ? quote("common") : ehlo_keywords_type.to_toml(&offered.keywords);
}

Result<std::optional<SocketAddress>> parse_optional_address(std::string_view text, const Reading& reading) {
  if (text.empty()) return std::optional<SocketAddress>();
  const auto address = SocketAddress::parse(text);
  if (!address) return reading.wrong(text);
  if (address->port == 0) return Failure{"the port of an address is 1 to 65535, not 0"};
  return address;
}

std::string optional_address_text(const std::optional<SocketAddress>& address) {
  return address ? address->to_string() : std::string();
}

// Addresses as everywhere else, and sockets as `servers` has them.
bool read_listen_address(const Node& node, const Reading& reading, void* value) {
  if (node.kind == Node::Kind::text && node.text.starts_with("unix:")) {
    std::vector<Endpoint> socket;
    if (!settings::type::one_server.read(node, reading, &socket)) return false;
    return give(std::move(socket.front()), value);
  }
  SocketAddress address;
  if (!settings::type::address.read(node, reading, &address)) return false;
  return give(Endpoint(address), value);
}

constexpr std::uint32_t most_bits = 0777;

Result<FileMode> parse_file_mode(std::string_view text, const Reading& reading) {
  FileMode mode;
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  if (text.size() < 3 || text.size() > 4 || !std::all_of(text.begin(), text.end(), is_octal))
    return reading.wrong(text);
  for (const char c : text) mode.bits = mode.bits * 8 + static_cast<std::uint32_t>(c - '0');
  if (mode.bits > most_bits) return reading.wrong(text);
  return mode;
}

std::string file_mode_text(const FileMode& mode) {
  std::string text = "0";
  for (const unsigned shift : {6u, 3u, 0u}) text += static_cast<char>('0' + ((mode.bits >> shift) & 7));
  return text;
}

}  // namespace

constinit const settings::TypeOf<Endpoint> listen_address_type{
    {"address",
     Form::text,
     R"(an address like "192.0.2.1:25" or "[2001:db8::1]:25", or a socket like "unix:/run/sallyport/milter.sock")",
     {},
     R"({"type": "string", "pattern": "^(unix:.+|([0-9.]+|\\[[0-9A-Fa-f.:]+\\]):[0-9]+)$"})",
     read_listen_address,
     [](const void* value) { return quote(static_cast<const Endpoint*>(value)->to_string()); }}};

constinit const settings::TypeOf<FileMode> file_mode_type =
    settings::text_type<FileMode, parse_file_mode, file_mode_text>("file mode", R"(permissions like "0660")",
                                                                   R"({"type": "string", "pattern": "^[0-7]{3,4}$"})");

constinit const settings::TypeOf<std::vector<std::string>> ehlo_keywords_type =
    settings::list_type<std::string, parse_keyword, same>(
        "list of EHLO keywords", R"(a list of EHLO keywords like ["CHUNKING", "DSN"])",
        R"({"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9-]*$"}})");

constinit const settings::TypeOf<OfferedExtensions> offered_extensions_type{
    {"extensions",
     Form::other,
     R"("common" or a list like ["8BITMIME", "SMTPUTF8", "DSN"])",
     {},
     R"({"oneOf": [{"const": "common"}, {"type": "array", "items": {"type": "string"}}]})",
     read_offered,
     offered_text}};

constinit const settings::TypeOf<std::optional<SocketAddress>> optional_address_type =
    settings::text_type<std::optional<SocketAddress>, parse_optional_address, optional_address_text>(
        "address", R"(an address like "127.0.0.1:8080" or "[::1]:8080", or "")",
        R"({"type": "string", "pattern": "^(|([0-9.]+|\\[[0-9A-Fa-f.:]+\\]):[0-9]+)$"})");

}  // namespace sallyport::config
