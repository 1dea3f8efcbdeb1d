#include "gateway/supervise/handover.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <functional>
#include <utility>

namespace sallyport::supervise {

namespace {

void append_child(std::string& text, std::string_view word, const HandedChild& child) {
  append_fact(text, word,
              std::to_string(child.pid) + ' ' + std::to_string(child.link.get()) +
                  (child.board ? ' ' + std::to_string(child.board.get()) : std::string()));
}

std::optional<HandedChild> child_from(std::string_view value) {
  const auto [pid_text, descriptors] = split_at(value, ' ');
  const auto [link_text, board_text] = split_at(descriptors, ' ');
  const auto pid = number_of(pid_text);
  const auto link = number_of(link_text);
  const auto board = board_text.empty() ? std::optional(-1) : number_of(board_text);
  if (!pid || *pid == 0 || !link || !board) return std::nullopt;
  return HandedChild{*pid, Descriptor(*link), Descriptor(*board)};
}

std::optional<std::int64_t> nanoseconds_from(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool read_fact(std::string_view line, Handover& to) {
  const auto [word, value] = split_at(line, ' ');
  if (word == "serving" || word == "draining" || word == "ending") {
    auto child = child_from(value);
    if (!child) return false;
    child->is_told_to_end = word == "ending";
    if (word == "serving") {
      to.serving = std::move(*child);
    } else {
      to.draining.push_back(std::move(*child));
    }
    return true;
  }
  if (word == "ready") {
    const auto since = nanoseconds_from(value);
    to.ready = Time(Duration(since.value_or(0)));
    return since.has_value();
  }
  const auto [first, address] = split_at(value, ' ');
  const auto number = number_of(first);
  if (!number) return false;
  if (word == "process") {
    to.process = *number;
  } else if (word == "companion" || word == "companion-ending") {
    to.companion = *number;
    to.figures = address;
    to.is_companion_told_to_end = word == "companion-ending";
  } else if (word == "lock") {
    to.state_lock.reset(*number);
  } else if (word == "listen" || word == "systemd") {
    to.sockets.push_back({std::string(address), Descriptor(*number), word == "systemd"});
  } else {
    return false;
  }
  return true;
}

void with_each(const Handover& handover, const std::function<void(const Descriptor&)>& act) {
  for (const HeldSocket& held : handover.sockets) act(held.socket);
  act(handover.state_lock);
  const auto with_child = [&act](const HandedChild& child) {
    act(child.link);
    act(child.board);
  };
  with_child(handover.serving);
  for (const HandedChild& child : handover.draining) with_child(child);
}

}  // namespace

std::string to_text(const Handover& handover) {
  std::string text;
  append_fact(text, "process", std::to_string(handover.process));
  for (const HeldSocket& held : handover.sockets) append_fact(text, held);
  if (handover.state_lock) append_fact(text, "lock", std::to_string(handover.state_lock.get()));
  append_child(text, "serving", handover.serving);
  append_fact(text, "ready", std::to_string(handover.ready.time_since_epoch().count()));
  for (const HandedChild& child : handover.draining)
    append_child(text, child.is_told_to_end ? "ending" : "draining", child);
  if (handover.companion != 0 || !handover.figures.empty())
    append_fact(text, handover.is_companion_told_to_end ? "companion-ending" : "companion",
                std::to_string(handover.companion) + ' ' + handover.figures);
  return text;
}

std::optional<Handover> handover_from_text(std::string_view text) {
  Handover handover;
  while (!text.empty()) {
    const auto [line, rest] = split_at(text, '\n');
    if (!read_fact(line, handover)) {
      let_go_of(handover);
      return std::nullopt;
    }
    text = rest;
  }
  if (handover.process == 0 || handover.serving.pid == 0) {
    let_go_of(handover);
    return std::nullopt;
  }
  return handover;
}

std::optional<Handover> take_handover() {
  const char* const text = std::getenv(handover_variable);
  if (text == nullptr) return std::nullopt;
  auto handover = handover_from_text(text);
  ::unsetenv(handover_variable);
  if (!handover) return std::nullopt;
  if (handover->process != ::getpid()) {
    // Of somebody else, whose descriptors have other numbers here.
    let_go_of(*handover);
    return std::nullopt;
  }
  keep_open(*handover, false);
  return handover;
}

void keep_open(const Handover& handover, bool is_kept) {
  with_each(handover, [is_kept](const Descriptor& one) {
    if (one) ::fcntl(one.get(), F_SETFD, is_kept ? 0 : FD_CLOEXEC);
  });
}

void let_go_of(Handover& handover) noexcept {
  for (HeldSocket& held : handover.sockets) held.socket.release();
  handover.state_lock.release();
  const auto from_child = [](HandedChild& child) {
    child.link.release();
    child.board.release();
  };
  from_child(handover.serving);
  for (HandedChild& child : handover.draining) from_child(child);
}

}  // namespace sallyport::supervise
