#include "tests/unit/session/dialogue_file.h"

#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/tls/context.h"
#include "policies/policy_list.h"
#include "tests/unit/session/world.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::session {

namespace {

class NoRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer{}; }
};

// What a line of the script wants and does not get.
struct Disagreement : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t to_number(const std::string& word) {
  auto number = text::to_number(word);
  if (!number) throw Disagreement("not a number: " + word);
  return *number;
}

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (matches(pattern, text.substr(at))) return true;
  }
  return false;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    switch (text[++at]) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'x':
        out += text::from_hex(text.substr(at + 1, 2)).value();
        at += 2;
        break;
      case '(': {
        std::size_t end = text.find(')', at);
        std::string count(text.substr(at + 3, end - at - 3));
        out.append(to_number(count), text[at + 1]);
        at = end;
        break;
      }
      default:
        out += text[at];
    }
  }
  return out;
}

// "reply" with line ends after each "\n" and at its end.
std::string to_reply(std::string_view text) {
  if (text == "close" || text == "reset" || text == "silence") return std::string(text);
  std::string reply;
  std::string unescaped = unescape(text);
  for (std::string_view line : text::split(unescaped, '\n')) reply.append(line).append("\r\n");
  return reply;
}

using Setter = std::function<void(World&, const std::string&)>;

const std::map<std::string, Setter, std::less<>>& setters() {
  static const std::map<std::string, Setter, std::less<>> table{
      {"bare_newline",
       [](World& world, const std::string&) { world.door.settings.bare_newline = config::BareNewlinePolicy::reject; }},
      {"tls",
       [](World& world, const std::string& value) {
         tls::ServerTlsSettings settings;
         settings.certificates = {tls::common_certificates().ecdsa};
         world.door.tls = tls::make_server_context(settings).value();
         world.door.settings.require_tls = value == "required";
       }},
      {"proxy_protocol_from",
       [](World& world, const std::string& value) {
         world.door.settings.proxy_protocol_from = {IpNetwork::parse(value).value()};
       }},
      {"places",
       [](World& world, const std::string& value) { world.slots.places = static_cast<int>(to_number(value)); }},
      {"server",
       [](World& world, const std::string& value) {
         if (value == "refused") world.dialer.fail(first_server, io::Error::refused);
         if (value == "unreachable") world.dialer.fail(first_server, io::Error::unreachable);
         if (value == "silent") world.dialer.fail(first_server, io::Error::timed_out);
       }},
      {"tenant",
       [](World& world, const std::string& value) {  // NAME DOMAIN
         std::size_t space = value.find(' ');
         std::string name = value.substr(0, space);
         world.settings.tenants[name] = {name, {value.substr(space + 1)}, "default"};
       }},
      {"dnsbl", [](World& world, const std::string& zone) { world.settings.policy.dnsbl.zones[zone].score = 8.0; }},
      {"message_size",
       [](World& world, const std::string& value) { world.settings.limits.message_size = to_number(value); }},
      {"recipients",
       [](World& world, const std::string& value) { world.settings.limits.recipients = to_number(value); }},
      {"errors_per_session",
       [](World& world, const std::string& value) { world.settings.limits.errors_per_session = to_number(value); }},
      {"junk_commands",
       [](World& world, const std::string& value) { world.settings.limits.junk_commands = to_number(value); }},
      {"unknown_recipients",
       [](World& world, const std::string& value) { world.settings.limits.unknown_recipients = to_number(value); }},
      {"unknown_recipients_close",
       [](World& world, const std::string& value) {
         world.settings.limits.unknown_recipients_close = to_number(value);
       }},
      {"bdat_chunks",
       [](World& world, const std::string& value) { world.settings.limits.bdat_chunks = to_number(value); }},
      {"hops", [](World& world, const std::string& value) { world.settings.limits.hops = to_number(value); }},
      {"allow_routed_local", [](World& world, const std::string&) { world.settings.limits.allow_routed_local = true; }},
  };
  return table;
}

class Script {
 public:
  explicit Script(bool octet_by_octet) : octet_by_octet_(octet_by_octet) {}

  void obey(const std::string& line) {
    std::string_view rest = line;
    std::string word(rest.substr(0, rest.find(' ')));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    std::string_view argument = word == "C-" || word == "C:" ? rest : text::trim(rest);
    if (word == "C:" || word == "C-") {
      segment_ += unescape(argument) + (word == "C:" ? "\r\n" : "");
      return;
    }
    send_segment();
    auto command = commands().find(word);
    if (command == commands().end()) throw Disagreement("no such word: " + word);
    command->second(*this, std::string(argument));
  }

  void end() {
    send_segment();
    hear_nothing_more();
  }

 private:
  using Commands = std::map<std::string, std::function<void(Script&, const std::string&)>, std::less<>>;
  static const Commands& commands() {
    static const Commands table{
        {"config", &Script::configure},    {"dns", &Script::add_record}, {"upstream", &Script::queue_reply},
        {"upstream*", &Script::set_reply}, {"greeted", &Script::greet},  {"S:", &Script::hear},
        {"U:", &Script::see_command},      {"M:", &Script::see_content}, {"stored", &Script::see_stored},
        {"count", &Script::see_count},     {"log", &Script::see_log},    {"wait", &Script::wait},
        {"leave", &Script::leave},         {"closed", &Script::see_end}, {"whole", &Script::pass},
    };
    return table;
  }

  void pass(const std::string&) {}

  static std::pair<std::string, std::string> split_once(const std::string& text) {
    std::size_t space = text.find(' ');
    if (space == std::string::npos) return {text, ""};
    return {text.substr(0, space), std::string(text::trim(std::string_view(text).substr(space)))};
  }

  void configure(const std::string& argument) {
    auto [key, value] = split_once(argument);
    auto setter = setters().find(key);
    if (setter == setters().end()) throw Disagreement("no such setting: " + key);
    setter->second(world_, value);
  }
  void add_record(const std::string& argument) {
    auto [type, rest] = split_once(argument);
    auto [owner, value] = split_once(rest);
    if (type == "A") world_.resolver.zone().a(owner, value);
    if (type == "TXT") world_.resolver.zone().txt(owner, value);
  }
  static std::string verb_of(const std::string& word) { return word == "hello" ? std::string() : word; }
  void queue_reply(const std::string& argument) {
    auto [verb, reply] = split_once(argument);
    world_.upstream.queued[verb_of(verb)].push_back(to_reply(reply));
  }
  void set_reply(const std::string& argument) {
    auto [verb, reply] = split_once(argument);
    world_.upstream.replies[verb_of(verb)] = to_reply(reply);
  }
  void greet(const std::string&) {
    connect();
    world_.greet_connected();
  }

  void connect() {
    if (is_connected_) return;
    is_connected_ = true;
    policies::PolicyParts parts{rates_, world_.settings.hostname, {"example.com"}};
    if (!world_.settings.policy.dnsbl.zones.empty())
      world_.policies = policies::make_policies(world_.settings.policy, parts);
    world_.connect();
  }
  void send_segment() {
    if (segment_.empty()) return;
    connect();
    if (octet_by_octet_) {
      for (char octet : segment_) heard_ += world_.say(std::string_view(&octet, 1));
    } else {
      heard_ += world_.say(segment_);
    }
    segment_.clear();
  }

  std::optional<std::string> next_line() {
    heard_ += world_.heard();
    std::size_t end = heard_.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string line = heard_.substr(0, end);
    heard_.erase(0, end + 2);
    return line;
  }
  void hear(const std::string& pattern) {
    connect();
    if (pattern == "...") {
      skips_lines_ = true;
      return;
    }
    std::string passed_over;
    while (true) {
      auto line = next_line();
      if (!line) throw Disagreement("not heard: " + pattern + (passed_over.empty() ? "" : "; instead: " + passed_over));
      if (matches(pattern, *line)) break;
      if (!skips_lines_) throw Disagreement("heard: " + *line + "\n  instead of: " + pattern);
      passed_over += *line + "\n";
    }
    skips_lines_ = false;
  }
  void hear_nothing_more() {
    if (!is_connected_) throw Disagreement("nothing was said at all");
    if (auto line = next_line(); line && !skips_lines_) throw Disagreement("heard besides: " + *line);
    skips_lines_ = false;
  }

  void see_command(const std::string& pattern) {
    const auto& commands = world_.upstream.commands;
    for (std::size_t at = commands_seen_; at < commands.size(); ++at) {
      if (!matches(pattern, commands[at])) continue;
      commands_seen_ = at + 1;
      return;
    }
    std::string all;
    for (std::size_t at = commands_seen_; at < commands.size(); ++at) all += "\n  " + commands[at];
    throw Disagreement("the upstream has not seen: " + pattern + "; but:" + all);
  }
  void see_content(const std::string& pattern) {
    if (world_.upstream.stored.empty()) throw Disagreement("the upstream has taken no message");
    const std::string& content = world_.upstream.stored.back().content;
    std::string wanted = unescape(pattern);
    for (std::string_view line : text::split(content, '\n')) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (matches(wanted, line)) return;
    }
    throw Disagreement("no such line in the message: " + pattern + "\n" + content);
  }
  void see_stored(const std::string& number) {
    expect("messages taken", world_.upstream.stored.size(), to_number(number));
  }
  void see_count(const std::string& argument) {
    auto [kind, number] = split_once(argument);
    std::uint64_t count = 0;
    for (const auto& [name, value] : world_.counters.all()) {
      if (name.find("kind=\"" + kind + "\"") != std::string::npos) count += static_cast<std::uint64_t>(value);
    }
    expect(kind, count, to_number(number));
  }
  static void expect(const std::string& what, std::uint64_t is, std::uint64_t wanted) {
    if (is != wanted) throw Disagreement(what + ": " + std::to_string(is) + " instead of " + std::to_string(wanted));
  }
  void see_log(const std::string& pattern) {
    std::string all;
    for (const std::string& line : world_.log.lines) {
      if (matches("*" + pattern + "*", line)) return;
      all += "\n  " + line;
    }
    throw Disagreement("not in the log: " + pattern + "; but:" + all);
  }
  void wait(const std::string& duration) { world_.advance(parse_duration(duration).value()); }
  void leave(const std::string&) {
    world_.client->end();
    heard_ += world_.heard();
  }
  void see_end(const std::string&) {
    hear_nothing_more();
    if (!world_.is_over()) throw Disagreement("the connection is still open");
  }

  bool octet_by_octet_;
  NoRates rates_;
  World world_;
  bool is_connected_ = false;
  bool skips_lines_ = false;
  std::string segment_;
  std::string heard_;
  std::size_t commands_seen_ = 0;
};

}  // namespace

bool is_whole_only(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (line == "whole") return true;
  }
  return false;
}

std::string run_dialogue(const std::filesystem::path& file, bool octet_by_octet) {
  std::ifstream in(file);
  Script script(octet_by_octet);
  std::string line;
  int number = 0;
  try {
    while (std::getline(in, line)) {
      ++number;
      if (!line.empty() && !line.starts_with('#')) script.obey(line);
    }
    script.end();
  } catch (const std::exception& error) {
    return file.string() + ":" + std::to_string(number) + ": " + error.what();
  }
  return {};
}

}  // namespace sallyport::session
