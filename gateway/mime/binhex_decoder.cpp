// BinHex 4.0 (RFC 1741): six bits to a character between two colons, runs packed, then a header and two forks. What is
// decoded is the data fork.
#include <array>
#include <cstddef>

#include "gateway/mime/transfer.h"

namespace sallyport::mime {

namespace {

constexpr std::string_view digits = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
constexpr char run_mark = '\x90';

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  table.fill(0xff);
  for (std::size_t i = 0; i < digits.size(); ++i) table[static_cast<unsigned char>(digits[i])] = std::uint8_t(i);
  return table;
}
constexpr std::array<std::uint8_t, 256> table = make_table();

class BinhexDecoder final : public TransferDecoder {
 public:
  void feed(std::string_view octets, std::string& out) override {
    for (const char c : octets) take(c, out);
  }
  void end(std::string&) override { faults_.incomplete = !is_over_; }

 private:
  void take(char c, std::string& out) {
    if (is_over_) return;
    // The colon that begins the data stands at the start of a line; what is before it is text for people.
    if (!has_begun_) {
      has_begun_ = c == ':' && at_line_start_;
      at_line_start_ = c == '\n' || (at_line_start_ && c == '\r');
      return;
    }
    if (c == ':') {
      is_over_ = true;
      return;
    }
    const std::uint8_t digit = table[static_cast<unsigned char>(c)];
    if (digit == 0xff) {
      faults_.junk |= c != '\r' && c != '\n' && c != ' ' && c != '\t';
      return;
    }
    bits_ = bits_ << 6 | digit;
    bit_count_ += 6;
    if (bit_count_ < 8) return;
    bit_count_ -= 8;
    unpack(static_cast<char>(bits_ >> bit_count_ & 0xff), out);
  }

  void unpack(char c, std::string& out) {
    if (is_run_) {
      is_run_ = false;
      if (c == 0) return place(last_ = run_mark, out);
      for (unsigned i = 1; i < static_cast<unsigned char>(c); ++i) place(last_, out);
    } else if (c == run_mark) {
      is_run_ = true;
    } else {
      place(last_ = c, out);
    }
  }

  // Header: the name's length, the name, 0, type (4), creator (4), flags (2), data length (4), resource length (4), CRC
  // (2).
  void place(char c, std::string& out) {
    const auto octet = static_cast<unsigned char>(c);
    const std::uint64_t at = position_++;
    if (at == 0) {
      data_length_at_ = 1 + octet + 1 + 4 + 4 + 2;
      return;
    }
    if (at >= data_length_at_ && at < data_length_at_ + 4) data_length_ = data_length_ << 8 | octet;
    const std::uint64_t data_at = data_length_at_ + 4 + 4 + 2;
    if (at >= data_at && at - data_at < data_length_) out += c;
  }

  bool at_line_start_ = true;
  bool has_begun_ = false;
  bool is_over_ = false;
  bool is_run_ = false;
  char last_ = 0;
  std::uint32_t bits_ = 0;
  unsigned bit_count_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t data_length_at_ = 0;
  std::uint64_t data_length_ = 0;
};

}  // namespace

std::unique_ptr<TransferDecoder> make_binhex_decoder() { return std::make_unique<BinhexDecoder>(); }

}  // namespace sallyport::mime
