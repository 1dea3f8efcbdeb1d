#include "gateway/supervise/inheritance.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <utility>

namespace sallyport::supervise {

namespace {

// One fact a line: a word, and what belongs to it after a space.
void append(std::string& text, std::string_view word, const std::string& value) {
  text += word;
  text += ' ';
  text += value;
  text += '\n';
}

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::pair<std::string_view, std::string_view> split(std::string_view text, char at) {
  const std::size_t place = text.find(at);
  if (place == text.npos) return {text, {}};
  return {text.substr(0, place), text.substr(place + 1)};
}

bool read_line(std::string_view line, Inheritance& to) {
  const auto [word, value] = split(line, ' ');
  if (word == "ended") {
    to.last_end = value;
    return true;
  }
  const auto [first, address] = split(value, ' ');
  const auto number = number_of(first);
  if (!number) return false;
  if (word == "parent") {
    to.parent = *number;
  } else if (word == "link") {
    to.link.reset(*number);
  } else if (word == "board") {
    to.board.reset(*number);
  } else if (word == "listen" || word == "systemd") {
    to.sockets.push_back({std::string(address), Descriptor(*number), word == "systemd"});
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string to_text(const Inheritance& inheritance) {
  std::string text;
  append(text, "parent", std::to_string(inheritance.parent));
  append(text, "link", std::to_string(inheritance.link.get()));
  if (inheritance.board) append(text, "board", std::to_string(inheritance.board.get()));
  for (const HeldSocket& held : inheritance.sockets) {
    append(text, held.is_from_systemd ? "systemd" : "listen", std::to_string(held.socket.get()) + ' ' + held.address);
  }
  if (!inheritance.last_end.empty()) append(text, "ended", inheritance.last_end);
  return text;
}

std::optional<Inheritance> from_text(std::string_view text) {
  Inheritance inheritance;
  while (!text.empty()) {
    const auto [line, rest] = split(text, '\n');
    if (!read_line(line, inheritance)) return std::nullopt;
    text = rest;
  }
  if (inheritance.parent == 0 || !inheritance.link) return std::nullopt;
  return inheritance;
}

std::optional<Inheritance> take_inheritance() {
  const char* const text = std::getenv(inheritance_variable);
  if (text == nullptr) return std::nullopt;
  auto inheritance = from_text(text);
  ::unsetenv(inheritance_variable);
  if (!inheritance) return std::nullopt;
  if (inheritance->parent != ::getppid()) {
    // Of somebody else, whose descriptors have other numbers here.
    inheritance->link.release();
    inheritance->board.release();
    for (HeldSocket& held : inheritance->sockets) held.socket.release();
    return std::nullopt;
  }
  ::fcntl(inheritance->link.get(), F_SETFD, FD_CLOEXEC);
  if (inheritance->board) ::fcntl(inheritance->board.get(), F_SETFD, FD_CLOEXEC);
  for (HeldSocket& held : inheritance->sockets) ::fcntl(held.socket.get(), F_SETFD, FD_CLOEXEC);
  return inheritance;
}

}  // namespace sallyport::supervise
