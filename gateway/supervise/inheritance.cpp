#include "gateway/supervise/inheritance.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace sallyport::supervise {

void append_fact(std::string& text, std::string_view word, const std::string& value) {
  text += word;
  text += ' ';
  text += value;
  text += '\n';
}

bool is_one_line(std::string_view value) noexcept {
  return std::none_of(value.begin(), value.end(), [](char octet) { return octet >= 0 && octet < ' '; });
}

void append_fact(std::string& text, const HeldSocket& held) {
  append_fact(text, held.is_from_systemd ? "systemd" : "listen",
              std::to_string(held.socket.get()) + ' ' + held.address);
}

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::pair<std::string_view, std::string_view> split_at(std::string_view text, char at) {
  const std::size_t place = text.find(at);
  if (place == text.npos) return {text, {}};
  return {text.substr(0, place), text.substr(place + 1)};
}

namespace {

bool read_line(std::string_view line, Inheritance& to) {
  const auto [word, value] = split_at(line, ' ');
  if (word == "ended") {
    to.last_end = value;
    return true;
  }
  const auto [first, address] = split_at(value, ' ');
  const auto number = number_of(first);
  if (!number) return false;
  if (word == "parent") {
    to.parent = *number;
  } else if (word == "link") {
    to.link.reset(*number);
  } else if (word == "board") {
    to.board.reset(*number);
  } else if (word == "lock") {
    to.state_lock.reset(*number);
  } else if (word == "successor") {
    to.is_successor = *number != 0;
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
  append_fact(text, "parent", std::to_string(inheritance.parent));
  append_fact(text, "link", std::to_string(inheritance.link.get()));
  if (inheritance.board) append_fact(text, "board", std::to_string(inheritance.board.get()));
  if (inheritance.state_lock) append_fact(text, "lock", std::to_string(inheritance.state_lock.get()));
  if (inheritance.is_successor) append_fact(text, "successor", "1");
  for (const HeldSocket& held : inheritance.sockets) append_fact(text, held);
  if (!inheritance.last_end.empty()) append_fact(text, "ended", inheritance.last_end);
  return text;
}

std::optional<Inheritance> from_text(std::string_view text) {
  Inheritance inheritance;
  while (!text.empty()) {
    const auto [line, rest] = split_at(text, '\n');
    if (!read_line(line, inheritance)) {
      let_go_of(inheritance);  // whoever wrote that, the descriptors are not known to be for this process
      return std::nullopt;
    }
    text = rest;
  }
  if (inheritance.parent == 0 || !inheritance.link) {
    let_go_of(inheritance);
    return std::nullopt;
  }
  return inheritance;
}

void let_go_of(Inheritance& inheritance) noexcept {
  inheritance.link.release();
  inheritance.board.release();
  inheritance.state_lock.release();
  for (HeldSocket& held : inheritance.sockets) held.socket.release();
}

void lend(const std::vector<HeldSocket>& held, std::vector<HeldSocket>& to) {
  to.reserve(to.size() + held.size());  // no descriptor is on its way when memory runs out
  for (const HeldSocket& one : held) {
    HeldSocket lent{one.address, Descriptor(), one.is_from_systemd};
    lent.socket.reset(one.socket.get());
    to.push_back(std::move(lent));
  }
}

std::optional<Inheritance> take_inheritance() {
  const char* const text = std::getenv(inheritance_variable);
  if (text == nullptr) return std::nullopt;
  auto inheritance = from_text(text);
  ::unsetenv(inheritance_variable);
  if (!inheritance) return std::nullopt;
  if (inheritance->parent != ::getppid()) {
    // Of somebody else, whose descriptors have other numbers here.
    let_go_of(*inheritance);
    return std::nullopt;
  }
  ::fcntl(inheritance->link.get(), F_SETFD, FD_CLOEXEC);
  for (const Descriptor* held : {&inheritance->board, &inheritance->state_lock}) {
    if (*held) ::fcntl(held->get(), F_SETFD, FD_CLOEXEC);
  }
  for (HeldSocket& held : inheritance->sockets) ::fcntl(held.socket.get(), F_SETFD, FD_CLOEXEC);
  return inheritance;
}

}  // namespace sallyport::supervise
