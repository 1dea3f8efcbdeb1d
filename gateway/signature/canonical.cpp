#include "gateway/signature/canonical.h"

#include <algorithm>
#include <cstring>

#include "gateway/base/text.h"

namespace sallyport::signature {

namespace {

constexpr std::string_view crlf = "\r\n";

bool ends_run(char c) { return text::is_space(c) || c == '\r'; }

// True if one of the eight octets is below 0x21, as SP, HTAB and CR are. May also be true wrongly, which costs only a
// closer look.
bool may_hold_white(const char* eight) {
  std::uint64_t word;
  std::memcpy(&word, eight, sizeof word);
  return ((word - 0x2121212121212121) & ~word & 0x8080808080808080) != 0;
}

// The position of the first SP, HTAB or CR, or the end.
std::size_t find_white(std::string_view octets, std::size_t from) {
  while (true) {
    while (from + 8 <= octets.size() && !may_hold_white(octets.data() + from)) from += 8;
    const std::size_t stop = std::min(from + 8, octets.size());
    for (; from < stop; ++from) {
      if (ends_run(octets[from])) return from;
    }
    if (from == octets.size()) return from;
  }
}

}  // namespace

std::string_view name(Canonicalization canonicalization) {
  return canonicalization == Canonicalization::simple ? "simple" : "relaxed";
}

void append_relaxed_name(std::string& out, std::string_view name) {
  for (char c : name) out += text::lower(c);
  out += ':';
}

void append_relaxed_value(std::string& out, std::string_view value) {
  const std::size_t begin = out.size();
  bool white_space = false;
  for (std::size_t i = 0; i < value.size();) {
    // Within a field a CRLF is folding: HeaderSection only leaves it there if white space follows.
    if (text::is_space(value[i]) || value.substr(i, 2) == crlf) {
      white_space = true;
      i += value[i] == '\r' ? 2 : 1;
      continue;
    }
    if (white_space && out.size() > begin) out += ' ';
    white_space = false;
    const std::size_t end = find_white(value, i + 1);
    out += value.substr(i, end - i);
    i = end;
  }
}

void append_canonical(std::string& out, const mail::HeaderField& field, Canonicalization how) {
  if (how == Canonicalization::simple) {
    out += field.whole;
    if (!field.whole.ends_with(crlf)) out += crlf;
    return;
  }
  append_relaxed_name(out, field.name);
  append_relaxed_value(out, field.value);
  out += crlf;
}

// How many of `octets`, which begin with text, are canonical unchanged. The octet after them may be text too; the
// caller examines it again.
std::size_t BodyCanonicalizer::run_length(std::string_view octets) const {
  std::size_t at = 1;
  while (true) {
    at = how_ == Canonicalization::relaxed ? find_white(octets, at) : std::min(octets.find('\r', at), octets.size());
    if (at == octets.size()) return at;
    if (octets[at] == ' ' && at + 1 < octets.size() && !ends_run(octets[at + 1])) {
      ++at;  // one space inside a line
    } else if (octets[at] == '\r' && at + 2 < octets.size() && octets[at + 1] == '\n' && !ends_run(octets[at + 2])) {
      at += 2;  // a line end with text after it
    } else {
      return at;
    }
  }
}

// Sends text: what was held back before it was not at the end of a line or of the body, so it is sent first.
void BodyCanonicalizer::pass(std::string_view octets) {
  has_text_ = true;
  constexpr std::string_view many = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
  for (; line_ends_ > 0; line_ends_ -= std::min<std::uint64_t>(line_ends_, many.size() / 2))
    sink_.take(many.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(line_ends_ * 2, many.size()))));
  if (white_space_) sink_.take(" ");
  white_space_ = false;
  sink_.take(octets);
}

void BodyCanonicalizer::feed(std::string_view octets) {
  while (!octets.empty()) {
    const char c = octets.front();
    if (carriage_return_) {
      carriage_return_ = false;
      if (c == '\n') {
        white_space_ = false;
        ++line_ends_;
        octets.remove_prefix(1);
      } else {
        pass("\r");
      }
    } else if (c == '\r') {
      carriage_return_ = true;
      octets.remove_prefix(1);
    } else if (how_ == Canonicalization::relaxed && text::is_space(c)) {
      white_space_ = true;
      octets.remove_prefix(1);
    } else {
      const std::size_t run = run_length(octets);
      pass(octets.substr(0, run));
      octets.remove_prefix(run);
    }
  }
}

void BodyCanonicalizer::end() {
  if (carriage_return_) pass("\r");
  // A body that ends without CRLF gets one. An empty body is CRLF in its simple form and nothing in its relaxed form.
  if (has_text_ || how_ == Canonicalization::simple) sink_.take(crlf);
}

}  // namespace sallyport::signature
