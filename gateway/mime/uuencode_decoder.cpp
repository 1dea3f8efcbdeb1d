// uuencode (POSIX), with and without its lines "begin" and "end"; also its variant in base64.
#include <algorithm>
#include <cstddef>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "gateway/mime/line_decoder.h"

namespace sallyport::mime {

namespace {

class UuencodeDecoder final : public LineDecoder {
 private:
  void line(std::string_view line, std::string& out) override {
    if (line.starts_with("begin ") || line.starts_with("begin-base64 ")) {
      faults_.several |= has_begun_;
      has_begun_ = true;
      is_over_ = false;
      is_base64_ = line.starts_with("begin-");
      return;
    }
    if (line.empty() || is_over_) return;
    if (is_base64_) {
      is_over_ = line == "====";
      if (!is_over_) out += from_base64_leniently(line);
      return;
    }
    if (text::trim(line) == "end") {
      is_over_ = true;
      return;
    }
    decode(line, out);
  }
  void end_lines(std::string&) override { faults_.incomplete = has_begun_ && !is_over_; }

  // Text nearly always has octets that are no digits, such as lower-case letters.
  static bool has_only_digits(std::string_view line) {
    return std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '`'; });
  }
  static unsigned value(char c) { return static_cast<unsigned>(c - ' ') & 0x3f; }

  void decode(std::string_view line, std::string& out) {
    // Trailing spaces, which are digits of value 0, are often lost on the way.
    const std::size_t octets = value(line.front());
    const std::string_view digits = line.substr(1);
    const std::size_t full = (octets + 2) / 3 * 4;
    if (line.front() < ' ' || line.front() > '`' || digits.size() > full + 2 ||
        (digits.size() + 4 < full && !(has_begun_ && has_only_digits(digits)))) {
      faults_.junk = true;
      return;
    }
    const auto digit = [digits](std::size_t i) { return i < digits.size() ? value(digits[i]) : 0U; };
    std::size_t left = octets;
    for (std::size_t i = 0; left > 0; i += 4) {
      const unsigned group = digit(i) << 18 | digit(i + 1) << 12 | digit(i + 2) << 6 | digit(i + 3);
      for (unsigned shift : {16U, 8U, 0U}) {
        if (left == 0) break;
        out += static_cast<char>(group >> shift & 0xff);
        --left;
      }
    }
  }

  bool has_begun_ = false;
  bool is_over_ = false;
  bool is_base64_ = false;
};

}  // namespace

std::unique_ptr<TransferDecoder> make_uuencode_decoder() { return std::make_unique<UuencodeDecoder>(); }

}  // namespace sallyport::mime
