#include "gateway/settings/value_type.h"

#include <algorithm>
#include <filesystem>

#include "gateway/base/text.h"
#include "gateway/settings/likely_value.h"

namespace sallyport::settings {

bool Reading::fail(const Node& node, std::string message) const {
  errors.push_back({node.at, std::move(message)});
  return false;
}

bool Reading::mismatch(const Node& node) const {
  std::string got(describe(node.kind));
  if (node.kind == Node::Kind::text) got += " " + quote(node.text);
  if (node.kind == Node::Kind::integer) got += " " + std::to_string(node.integer);
  if (node.kind == Node::Kind::boolean) got = node.boolean ? "true" : "false";
  std::string message = "expected " + type.expectation() + ", not " + got;
  const std::string written = node.kind == Node::Kind::integer ? std::to_string(node.integer) : node.text;
  if (const std::string likely = likely_value(type.name, written); !likely.empty())
    message += "; did you mean " + quote(likely) + "?";
  return fail(node, std::move(message));
}

bool Reading::out_of_range(const Node& node, std::string_view got) const {
  std::string message(got);
  message += " is out of range: ";
  if (bounds.most.empty())
    message.append("at least ").append(bounds.least);
  else
    message.append(bounds.least).append(" to ").append(bounds.most);
  return fail(node, std::move(message));
}

Failure Reading::wrong(std::string_view text) const {
  return Failure{"expected " + type.expectation() + ", not " + quote(text)};
}

std::string Reading::resolve(std::string_view path) const {
  const std::filesystem::path below = std::filesystem::path(directory) / path;
  std::string resolved = below.lexically_normal().string();
  // "certs/" and "certs" are one directory.
  if (resolved.size() > 1 && resolved.back() == '/') resolved.pop_back();
  return resolved;
}

std::string ValueType::expectation() const {
  if (words.empty()) return std::string(expected);
  std::string text = "one of ";
  for (const std::string_view word : words) {
    if (word != words.front()) text += ", ";
    text += quote(word);
  }
  return text;
}

namespace detail {

bool read_texts(const Node& node, const Reading& reading, void* list,
                bool (*add)(const Node& item, const Reading& reading, void* list)) {
  if (node.kind != Node::Kind::array) return reading.mismatch(node);
  bool good = true;
  for (const Node& item : node.items) {
    if (item.kind != Node::Kind::text)
      good = reading.mismatch(item);
    else
      good = add(item, reading, list) && good;
  }
  return good;
}

bool check_length(const Node& node, const Reading& reading, std::size_t length) {
  if (length >= text::to_number(reading.bounds.least).value_or(0)) return true;
  return reading.fail(node, "this list must not be empty");
}

}  // namespace detail

std::optional<std::size_t> read_word(const Node& node, const Reading& reading) {
  if (node.kind != Node::Kind::text) {
    reading.mismatch(node);
    return std::nullopt;
  }
  const auto& words = reading.type.words;
  const auto found = std::find(words.begin(), words.end(), node.text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string message = reading.wrong(node.text).message;
  const std::vector<std::string> candidates(words.begin(), words.end());
  const std::string_view meant = text::did_you_mean(node.text, candidates);
  // Nobody who writes "on" means "off".
  if (!meant.empty() && node.text != "on") message += "; did you mean " + quote(meant) + "?";
  reading.fail(node, std::move(message));
  return std::nullopt;
}

}  // namespace sallyport::settings
