#include "policies/milters/settings.h"

#include <algorithm>
#include <set>

#include "gateway/base/text.h"
#include "gateway/settings/table_list.h"
#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using milter::MacroStage;
using settings::Node;
using settings::Reading;
using settings::row;

namespace type = settings::type;

constexpr std::size_t longest_name = 40;
constexpr std::size_t most_macros = 50;
constexpr std::uint16_t no_port = 0;

bool is_name(std::string_view name) {
  const auto fits = [](char c) { return text::is_alnum(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), fits);
}

// -- the types of values that no other section has

bool read_address(const Node& node, const Reading& reading, void* value) {
  constexpr std::size_t longest_socket_path = 107;  // what sockaddr_un holds
  if (node.kind != Node::Kind::text) return reading.mismatch(node);
  auto address = parse_milter_address(node.text);
  if (!address) return reading.fail(node, reading.wrong(node.text).message);
  if (address->is_unix()) {
    std::string path = reading.resolve(address->path());
    if (path.size() > longest_socket_path) return reading.fail(node, "the path of a socket has at most 107 octets");
    address = Endpoint::unix_socket(std::move(path));
  }
  return settings::give(std::vector{*address}, value);
}

constexpr settings::TypeOf<std::vector<Endpoint>> address_type{
    {"address of a milter",
     settings::Form::text,
     R"(a socket like "unix:/run/opendkim/opendkim.sock", "inet:localhost:8891" or "127.0.0.1:8891")",
     {},
     R"({"type": "string"})",
     read_address,
     [](const void* value) {
       const auto& list = *static_cast<const std::vector<Endpoint>*>(value);
       return settings::quote(list.empty() ? std::string() : list.front().to_string());
     }}};

constexpr settings::TypeOf<std::optional<Mode>> mode_type{
    {"word",
     settings::Form::text,
     {},
     words_of<Mode>,
     {},
     [](const Node& node, const Reading& reading, void* value) {
       const auto found = settings::read_word(node, reading);
       return found && settings::give(std::optional<Mode>(static_cast<Mode>(*found)), value);
     },
     [](const void* value) {
       const auto& mode = *static_cast<const std::optional<Mode>*>(value);
       return mode ? settings::quote(word(*mode)) : std::string();
     }}};

Result<std::string> parse_name(std::string_view name, const Reading& reading) {
  if (!is_name(name)) return reading.wrong(name);
  return std::string(name);
}
std::string same_text(const std::string& text) { return text; }
constexpr auto name_type = settings::text_type<std::string, parse_name, same_text>(
    "name", R"(a name of at most 40 letters, digits, "-", "_" and ".")", R"({"type": "string"})");

Result<Endpoint> parse_listener(std::string_view text, const Reading& reading) {
  constexpr std::string_view local = "unix:";
  if (text.size() > local.size() && text.starts_with(local))
    return Endpoint::unix_socket(reading.resolve(text.substr(local.size())));
  const auto address = SocketAddress::parse(text);
  return address ? Result<Endpoint>(*address) : Result<Endpoint>(reading.wrong(text));
}
std::string listener_text(const Endpoint& address) { return address.to_string(); }
constexpr auto listeners_type = settings::list_type<Endpoint, parse_listener, listener_text>(
    "list of addresses", R"(a list of addresses of [[listen]] like ["0.0.0.0:25"])",
    R"({"type": "array", "items": {"type": "string"}})");

// "j", "{client_addr}"; long names are also taken without their braces.
bool is_macro_name(std::string_view name) {
  if (name.size() == 1) return text::is_printable(name.front()) && name.front() != ' ';
  if (name.starts_with('{') && name.ends_with('}')) name = name.substr(1, name.size() - 2);
  const auto fits = [](char c) { return text::is_alnum(c) || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), fits);
}

bool add_macro(const Node& item, const Reading& reading, void* list) {
  if (!is_macro_name(item.text)) return reading.fail(item, settings::quote(item.text) + " is no name of a macro");
  const bool is_bare = item.text.size() > 1 && item.text.front() != '{';
  static_cast<std::vector<std::string>*>(list)->push_back(is_bare ? "{" + item.text + "}" : item.text);
  return true;
}

constexpr settings::TypeOf<MacroNames> macros_type{
    {"list of macros",
     settings::Form::list,
     R"(a list of macros like ["j", "{client_addr}"])",
     {},
     R"({"type": "array", "items": {"type": "string"}})",
     [](const Node& node, const Reading& reading, void* value) {
       std::vector<std::string> names;
       if (!settings::detail::read_texts(node, reading, &names, add_macro)) return false;
       if (names.size() > most_macros) return reading.fail(node, "at most 50 macros are sent at a stage");
       return settings::give(MacroNames(std::move(names)), value);
     },
     [](const void* value) {
       const auto& names = *static_cast<const MacroNames*>(value);
       if (!names) return std::string();
       std::string text = "[";
       for (const std::string& name : *names) {
         if (text.size() > 1) text += ", ";
         text += settings::quote(name);
       }
       return text + "]";
     }}};

template <MacroStage Stage>
void* macros_of(void* milter, std::span<const settings::Place>) {
  return &static_cast<MilterSettings*>(milter)->macros[static_cast<std::size_t>(Stage)];
}
template <MacroStage Stage>
constexpr settings::Row macros_row(std::string_view key, std::string_view doc) {
  return settings::Row{key, &macros_type, doc, {}, macros_of<Stage>};
}

constexpr settings::Row milter_rows[] = {
    row<&MilterSettings::address>("address", address_type, "Where the milter listens.", {.required = true}),
    row<&MilterSettings::name>("name", name_type, "How it is called in the log; default: after its address."),
    row<&MilterSettings::mode>("mode", mode_type, "How it takes part; default: policy.milters_mode."),
    row<&MilterSettings::on_error>("on_error", "What becomes of mail about which it cannot be asked."),
    row<&MilterSettings::connect_timeout>("connect_timeout", type::duration, "How long connecting may take.",
                                          {.least = "1ms", .most = "10m"}),
    row<&MilterSettings::command_timeout>("command_timeout", type::duration, "How long one answer may take.",
                                          {.least = "1ms", .most = "10m"}),
    row<&MilterSettings::message_timeout>("message_timeout", type::duration,
                                          "How long it may take with one mail, all its answers together.",
                                          {.least = "1ms", .most = "10m"}),
    row<&MilterSettings::max_connections>("max_connections", "How many connections to it there are at most.",
                                          {.least = "1", .most = "100000"}),
    row<&MilterSettings::reuse>("reuse", "Whether a connection carries one SMTP session after another."),
    row<&MilterSettings::listeners>("listeners", listeners_type,
                                    "The addresses of [[listen]] whose mail it is asked about; none: all."),
    macros_row<MacroStage::connect>("macros_connect", "Macros that it is sent with the connection."),
    macros_row<MacroStage::helo>("macros_helo", "Macros that it is sent with HELO."),
    macros_row<MacroStage::mail>("macros_mail", "Macros that it is sent with MAIL."),
    macros_row<MacroStage::rcpt>("macros_rcpt", "Macros that it is sent with RCPT."),
    macros_row<MacroStage::data>("macros_data", "Macros that it is sent with DATA."),
    macros_row<MacroStage::end_of_header>("macros_end_of_header", "Macros that it is sent at the end of the header."),
    macros_row<MacroStage::end_of_message>("macros_end_of_message", "Macros that it is sent at the end of the mail."),
};
constexpr auto milters_type = settings::table_list<MilterSettings, milter_rows>(
    "list of milters", R"([[policy.milters]] blocks, each with an address like "unix:/run/opendkim/opendkim.sock")",
    R"({"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["address"],
        "properties": {
          "address": {"type": "string"}, "name": {"type": "string"},
          "mode": {"enum": ["enforce", "shadow", "off"]}, "on_error": {"enum": ["tempfail", "skip", "reject"]},
          "connect_timeout": {"type": "string"}, "command_timeout": {"type": "string"},
          "message_timeout": {"type": "string"}, "max_connections": {"type": "integer", "minimum": 1},
          "reuse": {"type": "boolean"}, "listeners": {"type": "array", "items": {"type": "string"}},
          "macros_connect": {"type": "array", "items": {"type": "string"}},
          "macros_helo": {"type": "array", "items": {"type": "string"}},
          "macros_mail": {"type": "array", "items": {"type": "string"}},
          "macros_rcpt": {"type": "array", "items": {"type": "string"}},
          "macros_data": {"type": "array", "items": {"type": "string"}},
          "macros_end_of_header": {"type": "array", "items": {"type": "string"}},
          "macros_end_of_message": {"type": "array", "items": {"type": "string"}}}}})");

constexpr settings::Row rows[] = {
    row<&MiltersSettings::milters>("milters", milters_type, "The milters that are asked, in this order."),
    settings::row<&MiltersSettings::mode>("milters_mode", "How milters take part that say nothing of their own.",
                                          {.falls_back_to = {"policy.mode", true}}),
};

// Symbols and facts go by the name.
void check_names(const MiltersSettings& settings, settings::Check& check) {
  std::set<std::string> names;
  for (const MilterSettings& milter : settings.milters) {
    const std::string name = milter.shown_name();
    if (!names.insert(name).second)
      check.fail({"milters"}, "two milters are called " + settings::quote(name) + ": give one of them another `name`");
  }
}

std::string_view without_extension(std::string_view file) {
  const std::size_t dot = file.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? file : file.substr(0, dot);
}

}  // namespace

std::string MilterSettings::shown_name() const {
  if (!name.empty()) return name;
  if (address.empty()) return "milter";
  const Endpoint& at = address.front();
  if (!at.is_unix()) return at.to_string();
  std::string_view path = at.path();
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::string_view last = without_extension(path.substr(slash == std::string_view::npos ? 0 : slash + 1));
    const bool says_nothing = last == "milter" || last == "socket" || last == "sock" || last == "run";
    if (!says_nothing && is_name(last)) return std::string(last);
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return "milter";
}

std::optional<Endpoint> parse_milter_address(std::string_view text) {
  for (const std::string_view local : {"unix:", "local:"}) {
    if (!text.starts_with(local)) continue;
    const std::string_view path = text.substr(local.size());
    return settings::is_plain_text(path) ? std::optional(Endpoint::unix_socket(std::string(path))) : std::nullopt;
  }
  if (text.starts_with('/')) return parse_milter_address("unix:" + std::string(text));
  const bool is_named = text.starts_with("inet:") || text.starts_with("inet6:");
  std::string place(is_named ? text.substr(text.find(':') + 1) : text);
  // "8891@localhost", as libmilter writes it.
  if (const std::size_t at = place.find('@'); at != std::string::npos) {
    std::string host = place.substr(at + 1);
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
    place = host + ":" + place.substr(0, at);
  }
  auto endpoint = Endpoint::parse(place, no_port);
  if (!endpoint || endpoint->is_unix() || endpoint->port() == 0) return std::nullopt;
  return endpoint;
}

constinit const settings::SectionOf<MiltersSettings> milters_section{
    "policy", rows, {}, settings::check_with<MiltersSettings, check_names>};

}  // namespace sallyport::policies
