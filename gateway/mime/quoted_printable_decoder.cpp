// Quoted-printable (RFC 2045, 6.7). Trailing white space of a line is dropped; line ends stay as they are.
#include <algorithm>
#include <cstddef>

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

// Where the octet stands next. Looked for again only behind where it was found, so that all is linear.
class NextOctet {
 public:
  NextOctet(std::string_view octets, char octet) : octets_(octets), octet_(octet) { look(0); }
  // At `at` or behind it; the end where there is none. `at` never goes back.
  std::size_t from(std::size_t at) {
    if (found_ < at) look(at);
    return found_;
  }

 private:
  void look(std::size_t at) { found_ = std::min(octets_.find(octet_, at), octets_.size()); }

  std::string_view octets_;
  char octet_;
  std::size_t found_ = 0;
};

// Finds what stands for itself: all before "=", and before white space that the end of a line may follow.
class PlainText {
 public:
  explicit PlainText(std::string_view octets) : octets_(octets), equals_(octets, '='), line_end_(octets, '\n') {}

  // The end of what begins at `at`.
  std::size_t end(std::size_t at) {
    const std::size_t equals = equals_.from(at);
    for (std::size_t line = at; line < equals;) {
      const std::size_t line_end = line_end_.from(line);
      // White space in front of "=" stands for itself.
      if (line_end > equals || (line_end == equals && equals < octets_.size())) break;
      // Carriage returns among it are dropped with it.
      std::size_t blank = line_end;
      for (std::size_t i = line_end; i > line && (is_blank(octets_[i - 1]) || octets_[i - 1] == '\r'); --i) {
        if (is_blank(octets_[i - 1])) blank = i - 1;
      }
      if (blank != line_end) return blank;
      line = line_end + 1;
    }
    return equals;
  }

 private:
  std::string_view octets_;
  NextOctet equals_;
  NextOctet line_end_;
};

class QuotedPrintableDecoder final : public TransferDecoder {
 public:
  explicit QuotedPrintableDecoder(Coding coding) : coding_(coding) {}

  void feed(std::string_view octets, std::string& out) override {
    out.reserve(out.size() + held_.size() + octets.size());
    std::size_t at = 0;
    PlainText plain(octets);
    while (at < octets.size()) {
      if (held_.empty() && skip_ == 0) {
        const std::size_t end = plain.end(at);
        out.append(octets.substr(at, end - at));
        at = end;
        if (at == octets.size()) return;
        if (take_plain_escape(octets.substr(at), out)) {
          at += 3;
          continue;
        }
      }
      take(octets[at++], out);
    }
  }

  void end(std::string& out) override {
    // White space at the very end is not content, nor is a soft break; an escape that is cut off is.
    if (held_.starts_with('=') && held_.size() > 1 && !text::is_space(held_[1])) give_up(out);
    held_.clear();
  }

 private:
  // An escape that is whole and as it should be, as nearly all are.
  static bool take_plain_escape(std::string_view octets, std::string& out) {
    if (octets.size() < 3 || octets[0] != '=' || octets[1] > 'F' || octets[2] > 'F') return false;
    const int high = hex_digit(octets[1]), low = hex_digit(octets[2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
    return true;
  }

  // `held_` is empty, white space that may be the end of a line, or the beginning of an escape.
  void take(char c, std::string& out) {
    if (skip_ > 0) {
      skip_ = c == '=' || c == '\n' ? 0 : skip_ - 1;
      if (c != '=' && c != '\n') return;
    }
    if (held_.empty()) {
      if (c == '=' || text::is_space(c)) {
        held_ = c;
      } else {
        out += c;
      }
    } else if (held_.front() == '=') {
      take_in_escape(c, out);
    } else if (text::is_space(c)) {
      held_ += c;
      if (held_.size() == most_held) flush(out);
    } else if (c == '\r') {
      held_ += c;  // the end of the line, if LF follows
    } else {
      const bool ends_line = held_.ends_with('\r');
      if (c == '\n') {
        held_.clear();
        if (ends_line) out += '\r';
        out += '\n';
        return;
      }
      flush(out);
      take(c, out);
    }
  }

  void take_in_escape(char c, std::string& out) {
    if (c == '\n') {  // a soft break, if there is nothing but white space in front of it
      if (held_.size() > 1 && hex_digit(held_[1]) >= 0) return give_up_and_take(c, out);
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
      out += static_cast<char>(hex_digit(held_[1]) << 4 | hex_digit(c));
      held_.clear();
      return;
    }
    give_up_and_take(c, out);
  }

  // `c` shows that what is held is no escape.
  void give_up_and_take(char c, std::string& out) {
    if (coding_ == Coding::quoted_printable_skipping && held_.size() < 3) skip_ = 3 - held_.size();
    give_up(out);
    take(c, out);
  }

  // What is held is no escape.
  void give_up(std::string& out) {
    faults_.bad_escape = true;
    if (coding_ == Coding::quoted_printable) out += held_;
    if (coding_ == Coding::quoted_printable_dropping) out.append(held_, 1);
    held_.clear();
  }

  void flush(std::string& out) {
    out += held_;
    held_.clear();
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
