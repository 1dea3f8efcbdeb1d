// Quoted-printable (RFC 2045, 6.7). Trailing white space of a line is dropped; line ends stay as they are.
#include <cstddef>
#include <cstring>

#include "gateway/base/octet_search.h"
#include "gateway/base/text.h"
#include "gateway/mime/transfer.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t most_held = 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Where white space in front of the line end at `end` begins; `end` where there is none. `begin`: how far back it may
// reach. Carriage returns among it are dropped with it.
std::size_t blank_before(std::string_view octets, std::size_t begin, std::size_t end) {
  std::size_t blank = end;
  for (std::size_t i = end; i > begin && (is_blank(octets[i - 1]) || octets[i - 1] == '\r'); --i) {
    if (is_blank(octets[i - 1])) blank = i - 1;
  }
  return blank;
}

// What stands for itself from `at` on: all before "=", and before white space that the end of a line may follow. Gives
// where it ends.
std::size_t plain_until(std::string_view octets, std::size_t at) {
  while (true) {
    const std::size_t mark = find_octet<'=', '\n'>(octets, at);
    // White space in front of "=" stands for itself.
    if (mark < octets.size() && octets[mark] == '=') return mark;
    const std::size_t blank = blank_before(octets, at, mark);
    if (blank != mark || mark == octets.size()) return blank;
    at = mark + 1;
  }
}

class QuotedPrintableDecoder final : public TransferDecoder {
 public:
  explicit QuotedPrintableDecoder(Coding coding) : coding_(coding) {}

  void feed(std::string_view octets, std::string& out) override {
    const std::size_t before = out.size();
    // Each octet that comes in stands for one at the most.
    out.resize(before + held_.size() + octets.size());
    char* to = out.data() + before;
    std::size_t at = 0;
    while (at < octets.size()) {
      if (held_.empty() && skip_ == 0) {
        const std::size_t end = plain_until(octets, at);
        std::memcpy(to, octets.data() + at, end - at);
        to += end - at;
        at = end;
        if (at == octets.size()) break;
        if (const std::size_t taken = take_plain_escape(octets.substr(at), to)) {
          at += taken;
          continue;
        }
      }
      take(octets[at++], to);
    }
    out.resize(static_cast<std::size_t>(to - out.data()));
  }

  void end(std::string& out) override {
    // White space at the very end is not content, nor is a soft break; an escape that is cut off is.
    if (held_.starts_with('=') && held_.size() > 1 && !text::is_space(held_[1])) {
      const std::size_t before = out.size();
      out.resize(before + held_.size());
      char* to = out.data() + before;
      give_up(to);
      out.resize(static_cast<std::size_t>(to - out.data()));
    }
    held_.clear();
  }

 private:
  // An escape that is whole and as it should be, as nearly all are, or the end of a line that is none. Gives its
  // octets; 0: it is not one of these.
  static std::size_t take_plain_escape(std::string_view octets, char*& to) {
    if (octets[0] != '=') return 0;
    if (octets.size() > 1 && octets[1] == '\n') return 2;
    if (octets.size() < 3) return 0;
    if (octets[1] == '\r' && octets[2] == '\n') return 3;
    if (octets[1] > 'F' || octets[2] > 'F') return 0;
    const int high = hex_digit(octets[1]), low = hex_digit(octets[2]);
    if (high < 0 || low < 0) return 0;
    *to++ = static_cast<char>(high << 4 | low);
    return 3;
  }

  // `held_` is empty, white space that may be the end of a line, or the beginning of an escape.
  void take(char c, char*& to) {
    if (skip_ > 0) {
      skip_ = c == '=' || c == '\n' ? 0 : skip_ - 1;
      if (c != '=' && c != '\n') return;
    }
    if (held_.empty()) {
      if (c == '=' || text::is_space(c)) {
        held_ = c;
      } else {
        *to++ = c;
      }
    } else if (held_.front() == '=') {
      take_in_escape(c, to);
    } else if (text::is_space(c)) {
      held_ += c;
      if (held_.size() == most_held) flush(to);
    } else if (c == '\r') {
      held_ += c;  // the end of the line, if LF follows
    } else {
      const bool ends_line = held_.ends_with('\r');
      if (c == '\n') {
        held_.clear();
        if (ends_line) *to++ = '\r';
        *to++ = '\n';
        return;
      }
      flush(to);
      take(c, to);
    }
  }

  void take_in_escape(char c, char*& to) {
    if (c == '\n') {  // a soft break, if there is nothing but white space in front of it
      if (held_.size() > 1 && hex_digit(held_[1]) >= 0) return give_up_and_take(c, to);
      held_.clear();
      return;
    }
    const bool only_white = held_.size() == 1 || text::is_space(held_[1]) || held_[1] == '\r';
    if (only_white && (text::is_space(c) || c == '\r') && held_.size() < most_held) {
      held_ += c;
      return;
    }
    if (held_.size() == 1 && hex_digit(c) >= 0) {
      held_ += c;
      return;
    }
    if (held_.size() == 2 && hex_digit(held_[1]) >= 0 && hex_digit(c) >= 0) {
      const bool is_lower = text::lower(held_[1]) == held_[1] && text::is_alpha(held_[1]);
      if (is_lower || (c >= 'a' && c <= 'f')) {
        faults_.lower_case = true;
        if (coding_ == Coding::quoted_printable_skipping) {
          held_.clear();
          return;
        }
      }
      *to++ = static_cast<char>(hex_digit(held_[1]) << 4 | hex_digit(c));
      held_.clear();
      return;
    }
    give_up_and_take(c, to);
  }

  // `c` shows that what is held is no escape.
  void give_up_and_take(char c, char*& to) {
    if (coding_ == Coding::quoted_printable_skipping && held_.size() < 3) skip_ = 3 - held_.size();
    give_up(to);
    take(c, to);
  }

  // What is held is no escape.
  void give_up(char*& to) {
    faults_.bad_escape = true;
    if (coding_ == Coding::quoted_printable) put(held_, to);
    if (coding_ == Coding::quoted_printable_dropping) put(std::string_view(held_).substr(1), to);
    held_.clear();
  }

  void flush(char*& to) {
    put(held_, to);
    held_.clear();
  }

  static void put(std::string_view octets, char*& to) {
    std::memcpy(to, octets.data(), octets.size());
    to += octets.size();
  }

  Coding coding_;
  std::string held_;
  std::size_t skip_ = 0;  // so many of the next octets are left out
};

}  // namespace

std::unique_ptr<TransferDecoder> make_quoted_printable_decoder(Coding coding) {
  return std::make_unique<QuotedPrintableDecoder>(coding);
}

}  // namespace sallyport::mime
