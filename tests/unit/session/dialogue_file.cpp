#include "tests/unit/session/dialogue_file.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "lua/engine/settings.h"
#include "policies/dnsbl/settings.h"
#include "policies/policy_list.h"
#include "tests/unit/session/dialogue_client.h"
#include "tests/unit/session/dialogue_settings.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {

namespace {

// Thrown when a line of the script expects something that does not happen.
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

// Converts a reply: a line end for each "\n" and at its end.
std::string to_reply(std::string_view text) {
  if (text == "close" || text == "reset" || text == "silence") return std::string(text);
  std::string reply;
  std::string unescaped = unescape(text);
  for (std::string_view line : text::split(unescaped, '\n')) reply.append(line).append("\r\n");
  return reply;
}

// Splits a line into its first word and the rest.
std::pair<std::string, std::string_view> take_word(const std::string& line) {
  std::string_view rest = line;
  std::string word(rest.substr(0, rest.find(' ')));
  rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  return {std::move(word), rest};
}

// The octets that a line adds to what the client sends next; nothing for other lines.
std::optional<std::string> sent_by(const std::string& line) {
  auto [word, text] = take_word(line);
  if (word == "C:") return unescape(text) + "\r\n";
  if (word == "C-") return unescape(text);
  return std::nullopt;
}

// I3: a bare CR, a bare LF or a NUL never goes upstream.
bool has_bare_octet(std::string_view octets) {
  for (std::size_t at = 0; at < octets.size(); ++at) {
    if (octets[at] == '\0') return true;
    if (octets[at] == '\r' && octets.substr(at + 1, 1) != "\n") return true;
    if (octets[at] == '\n' && (at == 0 || octets[at - 1] != '\r')) return true;
  }
  return false;
}

class Script {
 public:
  explicit Script(const Manner& manner) : manner_(manner) {
    configure("bare_newline " + std::string(manner.rejects_bare_newlines ? "reject" : "normalize"));
    // So that both cases are tested: without any policy, and with one that only looks.
    world_.watches_content = manner.pieces != Manner::Pieces::whole;
  }

  void obey(const std::string& line) {
    if (auto octets = sent_by(line)) {
      segment_ += *octets;
      return;
    }
    send_segment();
    auto [word, argument] = take_word(line);
    auto command = commands().find(word);
    if (command == commands().end()) throw Disagreement("no such word: " + word);
    command->second(*this, std::string(text::trim(argument)));
  }

  void end() {
    send_segment();
    hear_nothing_more();
    for (const FakeUpstream::Stored& mail : world_.upstream.stored) {
      if (has_bare_octet(mail.wire)) throw Disagreement("a bare CR, a bare LF or a NUL went upstream");
    }
  }

 private:
  using Commands = std::map<std::string, std::function<void(Script&, const std::string&)>, std::less<>>;
  static const Commands& commands() {
    static const Commands table{
        {"config", &Script::configure},    {"dns", &Script::add_record},          {"upstream", &Script::queue_reply},
        {"upstream*", &Script::set_reply}, {"greeted", &Script::greet},           {"S:", &Script::hear},
        {"quiet", &Script::hear_nothing},  {"U:", &Script::see_command},          {"U!", &Script::see_no_command},
        {"M:", &Script::see_content},      {"M!", &Script::see_no_content},       {"ends", &Script::see_end_of_content},
        {"wire", &Script::see_wire},       {"stored", &Script::see_stored},       {"count", &Script::see_count},
        {"log", &Script::see_log},         {"log!", &Script::see_nothing_in_log}, {"wait", &Script::wait},
        {"leave", &Script::leave},         {"closed", &Script::see_end},          {"whole", &Script::pass},
        {"plain", &Script::pass},
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
    if (!session::configure(world_, key, value)) throw Disagreement("no such setting: " + key);
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
    client_->heard();
    client_->say("EHLO client.example\r\n");
  }

  void connect() {
    if (client_) return;
    if (!world_.settings.policy.of(policies::dnsbl_section).zones.empty()) {
      world_.settings.policy.edit(lua::rules_section).mode = policies::Mode::off;
      for (const policies::PolicyEntry* entry : policies::policy_list()) world_.add(*entry);
    }
    bool in_crumbs = manner_.pieces == Manner::Pieces::octet_by_octet;
    client_ = manner_.over_tls ? connect_over_tls(world_, in_crumbs) : connect_in_the_clear(world_);
  }
  void send_segment() {
    if (segment_.empty()) return;
    connect();
    std::string_view rest = segment_;
    while (!rest.empty()) {
      std::size_t piece = rest.size();
      if (manner_.pieces == Manner::Pieces::octet_by_octet) piece = 1;
      if (manner_.pieces == Manner::Pieces::cut_in_two && rest.size() == segment_.size())
        piece = std::min(piece, manner_.cut_at);
      heard_ += client_->say(rest.substr(0, piece));
      rest.remove_prefix(piece);
    }
    segment_.clear();
  }

  std::optional<std::string> next_line() {
    heard_ += client_->heard();
    std::size_t end = heard_.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string line = heard_.substr(0, end);
    heard_.erase(0, end + 2);
    return line;
  }
  void hear(const std::string& text) {
    connect();
    std::string pattern = unescape(text);
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
    if (!client_) throw Disagreement("nothing was said at all");
    if (auto line = next_line(); line && !skips_lines_) throw Disagreement("heard besides: " + *line);
    skips_lines_ = false;
  }

  void hear_nothing(const std::string&) {
    connect();
    heard_ += client_->heard();
    if (!heard_.empty()) throw Disagreement("heard too early: " + heard_);
  }

  void see_command(const std::string& text) {
    std::string pattern = unescape(text);
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
  void see_no_command(const std::string& pattern) {
    for (const std::string& command : world_.upstream.commands) {
      if (matches(unescape(pattern), command)) throw Disagreement("the upstream has seen: " + command);
    }
  }
  const FakeUpstream::Stored& last_stored() const {
    if (world_.upstream.stored.empty()) throw Disagreement("the upstream has taken no message");
    return world_.upstream.stored.back();
  }
  bool has_line(const std::string& pattern) const {
    std::string wanted = unescape(pattern);
    for (std::string_view line : text::split(last_stored().content, '\n')) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (matches(wanted, line)) return true;
    }
    return false;
  }
  void see_content(const std::string& pattern) {
    if (!has_line(pattern))
      throw Disagreement("no such line in the message: " + pattern + "\n" + last_stored().content);
  }
  void see_no_content(const std::string& pattern) {
    if (has_line(pattern)) throw Disagreement("there is such a line in the message: " + pattern);
  }
  void see_end_of_content(const std::string& octets) {
    if (!last_stored().content.ends_with(unescape(octets)))
      throw Disagreement("the message does not end with: " + octets + "\n" + last_stored().content);
  }
  void see_wire(const std::string& octets) {
    if (!last_stored().wire.ends_with(unescape(octets)))
      throw Disagreement("it did not go upstream as: " + octets + "\n" + last_stored().wire);
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
  void see_nothing_in_log(const std::string& pattern) {
    for (const std::string& line : world_.log.lines) {
      if (matches("*" + pattern + "*", line)) throw Disagreement("in the log: " + line);
    }
  }
  void wait(const std::string& duration) { world_.advance(parse_duration(duration).value()); }
  void leave(const std::string&) {
    client_->leave();
    heard_ += client_->heard();
  }
  void see_end(const std::string&) {
    hear_nothing_more();
    if (!world_.is_over()) throw Disagreement("the connection is still open");
  }

  Manner manner_;
  World world_;
  std::unique_ptr<DialogueClient> client_;
  bool skips_lines_ = false;
  std::string segment_;
  std::string heard_;
  std::size_t commands_seen_ = 0;
};

}  // namespace

std::string Manner::to_string() const {
  std::string text = over_tls ? "over TLS" : "in the clear";
  if (pieces == Pieces::octet_by_octet) text += ", octet by octet";
  if (pieces == Pieces::cut_in_two) text += ", cut at " + std::to_string(cut_at);
  return text + (rejects_bare_newlines ? ", rejecting bare line ends" : ", mending bare line ends");
}

Dialogue::Dialogue(const std::filesystem::path& file) : name_(file.string()) {
  std::ifstream in(file);
  std::string line;
  std::size_t segment = 0;
  while (std::getline(in, line)) {
    whole_only_ = whole_only_ || line == "whole";
    plain_only_ = plain_only_ || line == "plain";
    names_bare_newline_ = names_bare_newline_ || line.starts_with("config bare_newline ");
    auto octets = sent_by(line);
    segment = octets ? segment + octets->size() : 0;
    longest_segment_ = std::max(longest_segment_, segment);
    lines_.push_back(line);
  }
}

std::string Dialogue::run(const Manner& manner) const {
  int number = 0;
  try {
    Script script(manner);
    for (const std::string& line : lines_) {
      ++number;
      if (!line.empty() && !line.starts_with('#')) script.obey(line);
    }
    script.end();
  } catch (const std::exception& error) {
    return name_ + ":" + std::to_string(number) + ": " + error.what() + "\n(" + manner.to_string() + ")";
  }
  return {};
}

}  // namespace sallyport::session
