// Base64 as readers of mail take it, in nine ways (see Coding).
#include <array>
#include <cstddef>

#include "gateway/mime/transfer.h"

namespace sallyport::mime {

namespace {

enum Octet : std::uint8_t { padding = 64, line_end = 65, white = 66, url_digit = 67, junk = 68 };

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  table.fill(junk);
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < digits.size(); ++i) table[static_cast<unsigned char>(digits[i])] = std::uint8_t(i);
  table['='] = padding;
  table['\n'] = line_end;
  for (unsigned char c : {' ', '\t', '\r', '\v', '\f'}) table[c] = white;
  table['-'] = url_digit;
  table['_'] = url_digit;
  return table;
}
constexpr std::array<std::uint8_t, 256> table = make_table();

std::uint8_t kind_of(char c) { return table[static_cast<unsigned char>(c)]; }

class Base64Decoder final : public TransferDecoder {
 public:
  explicit Base64Decoder(Coding coding) : coding_(coding), skips_line_(coding == Coding::base64_from_line_2) {}

  void feed(std::string_view octets, std::string& out) override {
    std::size_t at = 0;
    while (at < octets.size() && !is_over_) {
      if (count_ == 0 && padding_ == 0 && !skips_line_ && !skips_to_line_end_) at = take_groups(octets, at, out);
      if (at < octets.size()) take(octets[at++], out);
    }
  }

  void end(std::string& out) override {
    if (count_ != 0) faults_.incomplete = true;
    emit_rest(out);
  }

 private:
  // Decodes whole groups of digits, as long as there is nothing else. Nearly all octets pass here.
  std::size_t take_groups(std::string_view octets, std::size_t at, std::string& out) {
    const std::size_t begin = at;
    const std::size_t filled = out.size();
    out.resize(filled + (octets.size() - at) / 4 * 3);
    char* to = out.data() + filled;
    const char* from = octets.data();
    for (; at + 4 <= octets.size(); at += 4) {
      const std::uint32_t a = kind_of(from[at]);
      const std::uint32_t b = kind_of(from[at + 1]);
      const std::uint32_t c = kind_of(from[at + 2]);
      const std::uint32_t d = kind_of(from[at + 3]);
      if ((a | b | c | d) >= 64) break;
      const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
      to[0] = static_cast<char>(group >> 16);
      to[1] = static_cast<char>(group >> 8);
      to[2] = static_cast<char>(group);
      to += 3;
    }
    out.resize(static_cast<std::size_t>(to - out.data()));
    if (at > begin) note_digits(at - begin);
    return at;
  }

  void note_digits(std::size_t count) {
    if (was_padded_ || line_was_uneven_) note_order();
    line_digits_ += count;
  }
  // Digits have come behind what should have been the end of them.
  void note_order() {
    faults_.padding_inside |= was_padded_;
    faults_.uneven_lines |= line_was_uneven_;
    was_padded_ = false;
    line_was_uneven_ = false;
  }

  void take(char c, std::string& out) {
    std::uint8_t kind = kind_of(c);
    if (kind == line_end) return end_line(out);
    if (skips_line_ || skips_to_line_end_ || kind == white) return;
    if (kind == url_digit) {
      faults_.url_digits = true;
      if (coding_ == Coding::base64_url) kind = c == '-' ? 62 : 63;
    }
    if (kind < 64) {
      note_digits(1);
      add(kind, out);
    } else if (kind == padding) {
      pad(out);
    } else {
      faults_.junk = true;
      faults_.odd_first_line |= is_first_line_;
      skips_to_line_end_ = coding_ == Coding::base64_to_junk;
    }
  }

  void add(std::uint32_t digit, std::string& out) {
    bits_ = bits_ << 6 | digit;
    if (++count_ < 4) return end_padded_group(out);
    out += static_cast<char>(bits_ >> 16 & 0xff);
    out += static_cast<char>(bits_ >> 8 & 0xff);
    out += static_cast<char>(bits_ & 0xff);
    count_ = 0;
  }

  void end_padded_group(std::string& out) {
    if (padding_ == 0 || count_ + padding_ < 4) return;
    emit_rest(out);
    padding_ = 0;
  }

  void pad(std::string& out) {
    switch (coding_) {
      case Coding::base64_zero_padding:
        add(0, out);
        break;
      case Coding::base64_no_padding:
      case Coding::base64_by_line:
      case Coding::base64_by_group:
        break;
      case Coding::base64_padded_groups:
        ++padding_;
        end_padded_group(out);
        break;
      case Coding::base64_to_padding:
        emit_rest(out);
        is_over_ = true;
        break;
      default:
        emit_rest(out);
    }
    was_padded_ = true;
  }

  void end_line(std::string& out) {
    if (skips_line_) {
      skips_line_ = false;
    } else {
      if (coding_ == Coding::base64_by_line) emit_rest(out);
      if (coding_ == Coding::base64_by_group) count_ = 0;
      if (line_digits_ % 4 != 0 && !was_padded_) line_was_uneven_ = true;
    }
    skips_to_line_end_ = false;
    line_digits_ = 0;
    is_first_line_ = false;
  }

  // The whole octets of an unfinished group.
  void emit_rest(std::string& out) {
    if (coding_ == Coding::base64_by_group) count_ = 0;
    if (count_ >= 2) out += static_cast<char>(bits_ >> (count_ == 3 ? 10 : 4) & 0xff);
    if (count_ == 3) out += static_cast<char>(bits_ >> 2 & 0xff);
    count_ = 0;
  }

  Coding coding_;
  std::uint32_t bits_ = 0;
  unsigned count_ = 0;    // digits of the group so far
  unsigned padding_ = 0;  // and paddings, where they count
  std::size_t line_digits_ = 0;
  bool is_over_ = false;
  bool was_padded_ = false;
  bool line_was_uneven_ = false;
  bool is_first_line_ = true;
  bool skips_line_;
  bool skips_to_line_end_ = false;
};

}  // namespace

std::unique_ptr<TransferDecoder> make_base64_decoder(Coding coding) { return std::make_unique<Base64Decoder>(coding); }

}  // namespace sallyport::mime
