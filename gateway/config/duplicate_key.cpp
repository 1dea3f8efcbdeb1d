#include "gateway/config/duplicate_key.h"

#include <algorithm>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/config/document.h"
#include "gateway/config/in_public.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

// How many lines a value that is given twice may have; the library names the line where it ends.
constexpr std::size_t most_lines = 500;

using Path = std::vector<std::string>;

// The key of a statement, without its value: up to the "=" that stands in no quotes. Empty: there is none.
std::string_view key_of_statement(std::string_view statement) {
  char quote = 0;
  for (std::size_t i = 0; i < statement.size(); ++i) {
    const char c = statement[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '=') {
      return statement.substr(0, i);
    } else if (c == '\n') {
      break;
    }
  }
  return {};
}

// The names that lead to what a text of one statement sets. Empty: it is none.
Path path_of(const std::string& text) {
  const auto document = parse_document(text, {}, Duplicates::as_found);
  Path path;
  if (!document) return path;
  const Node* node = &*document;
  while (true) {
    if (node->kind == Node::Kind::array && node->items.size() == 1) node = &node->items.front();
    if (node->kind != Node::Kind::table || node->members.size() != 1) return path;
    path.push_back(node->members.front().key);
    node = &node->members.front().value;
  }
}

bool is_header(std::string_view line) { return text::trim(line).starts_with('['); }

// What the path names in the document; in an array of tables, in its last one.
const Member* find(const Node& document, const Path& path) {
  const Node* node = &document;
  const Member* found = nullptr;
  for (const std::string& name : path) {
    if (node->kind == Node::Kind::array && !node->items.empty()) node = &node->items.back();
    const auto member = std::find_if(node->members.begin(), node->members.end(),
                                     [&](const Member& candidate) { return candidate.key == name; });
    if (member == node->members.end()) return nullptr;
    found = &*member;
    node = &member->value;
  }
  return found;
}

std::string written(const Path& path) {
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) {
    // A list's zone may hold a secret, and errors are logged when they are those of a reload.
    const bool is_zone = i > 0 && path[i - 1] == "zones";
    text +=
        (text.empty() ? "" : ".") + key_segment(is_zone ? name_in_public("policy.dnsbl.zones.*", path[i]) : path[i]);
  }
  return text;
}

class Search {
 public:
  Search(std::string_view toml, const std::string& file, const Origin& at) : toml_(toml), file_(file), at_(at) {
    for (std::size_t begin = 0; begin <= toml.size();) {
      const std::size_t end = std::min(toml.find('\n', begin), toml.size());
      starts_.push_back(begin);
      begin = end + 1;
    }
    starts_.push_back(toml.size() + 1);
  }

  std::optional<ConfigError> run() const {
    if (at_.line == 0 || at_.line >= starts_.size()) return std::nullopt;
    const std::size_t last = at_.line - 1;
    const std::size_t lowest = last - std::min(last, most_lines);
    for (std::size_t first = last + 1; first-- > lowest;) {
      const std::string statement = lines(first, last + 1);
      const bool opens_table = is_header(statement);
      Path path = path_of(opens_table ? statement : std::string(key_of_statement(statement)) + "= 0");
      // On the line itself the value may be the first of several lines.
      const bool is_whole = first == last || parse_document(statement, {}, Duplicates::as_found).ok();
      if (path.empty() || !is_whole) continue;
      const auto before = parse_document(lines(0, first), file_, Duplicates::as_found);
      if (!before) continue;
      if (!opens_table) {
        Path section = section_before(first);
        path.insert(path.begin(), section.begin(), section.end());
      }
      const Member* earlier = find(*before, path);
      if (earlier == nullptr) return std::nullopt;
      const std::string name = written(path);
      const std::string what =
          opens_table ? "[" + name + "] begins a second time: its keys stand at " : name + " is already set at ";
      return ConfigError{{file_, static_cast<std::uint32_t>(first + 1), 1}, what + earlier->at.to_string()};
    }
    return std::nullopt;
  }

 private:
  // From line `first` up to, and without, line `end`; both count from 0.
  std::string lines(std::size_t first, std::size_t end) const {
    return std::string(toml_.substr(starts_[first], starts_[end] - starts_[first] - (end > first ? 1 : 0)));
  }

  // The table that lines before this one belong to.
  Path section_before(std::size_t line) const {
    while (line-- > 0) {
      const std::string text = lines(line, line + 1);
      if (!is_header(text)) continue;
      Path path = path_of(text);
      if (!path.empty()) return path;
    }
    return {};
  }

  const std::string_view toml_;
  const std::string& file_;
  const Origin& at_;
  std::vector<std::size_t> starts_;  // of each line, and past the last
};

}  // namespace

std::optional<ConfigError> explain_duplicate(std::string_view toml, const std::string& file, const Origin& at) {
  return Search(toml, file, at).run();
}

}  // namespace sallyport::config
