// RTF as envelopes of TNEF carry it ([MS-OXRTFCP]): "LZFu", literals and references into a ring of 4096 octets that
// begins with words which are common in RTF; or "MELA", as it is.
//
// Linear; a reference stands for 17 octets at the most, so nothing grows beyond nine times its size. The sizes and the
// checksum that the header claims are not believed: programs that show the text do not all look at them.
#include <array>
#include <cstring>

#include "gateway/mime/transfer.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t header_octets = 16;
constexpr std::size_t ring_octets = 4096;
constexpr std::string_view first_words =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    "\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
static_assert(first_words.size() == 207);

class CompressedRtfDecoder final : public TransferDecoder {
 public:
  CompressedRtfDecoder() { std::memcpy(ring_.data(), first_words.data(), first_words.size()); }

  void feed(std::string_view octets, std::string& out) override {
    while (!octets.empty() && kind_ != Kind::over) {
      if (kind_ == Kind::plain) {
        out += octets;
        return;
      }
      const char octet = octets.front();
      octets.remove_prefix(1);
      if (kind_ == Kind::unknown) {
        take_header(octet);
      } else {
        take(octet, out);
      }
    }
  }
  // Without its last reference, which ends it, the text may have been cut.
  void end(std::string&) override { faults_.incomplete |= kind_ == Kind::unknown || kind_ == Kind::packed; }

 private:
  enum class Kind { unknown, packed, plain, over };

  void take_header(char octet) {
    header_[taken_++] = octet;
    if (taken_ < header_octets) return;
    const std::string_view magic(header_.data() + 8, 4);
    kind_ = magic == "LZFu" ? Kind::packed : magic == "MELA" ? Kind::plain : Kind::over;
    faults_.junk = kind_ == Kind::over;
  }

  // Each control octet tells for the next eight whether they are literals or, in two octets, references.
  void take(char octet, std::string& out) {
    if (tokens_left_ == 0) {
      control_ = static_cast<unsigned char>(octet);
      tokens_left_ = 8;
      return;
    }
    const bool is_reference = (control_ & 1) != 0;
    if (is_reference && !has_first_) {
      first_ = static_cast<unsigned char>(octet);
      has_first_ = true;
      return;
    }
    if (is_reference) {
      has_first_ = false;
      refer(first_ << 8 | static_cast<unsigned char>(octet), out);
    } else {
      put(octet, out);
    }
    control_ >>= 1;
    --tokens_left_;
  }

  void refer(unsigned reference, std::string& out) {
    std::size_t from = reference >> 4;
    if (from == at_) {  // the end
      kind_ = Kind::over;
      return;
    }
    // Octet by octet: what it refers to may be written while it is read.
    for (unsigned count = (reference & 15) + 2; count > 0; --count) {
      put(ring_[from], out);
      from = (from + 1) % ring_octets;
    }
  }

  void put(char octet, std::string& out) {
    out += octet;
    ring_[at_] = octet;
    at_ = (at_ + 1) % ring_octets;
  }

  Kind kind_ = Kind::unknown;
  std::array<char, header_octets> header_{};
  std::size_t taken_ = 0;
  unsigned control_ = 0;
  unsigned tokens_left_ = 0;
  unsigned first_ = 0;  // octet of a reference
  bool has_first_ = false;
  std::array<char, ring_octets> ring_{};
  std::size_t at_ = first_words.size();
};

}  // namespace

std::unique_ptr<TransferDecoder> make_compressed_rtf_decoder() { return std::make_unique<CompressedRtfDecoder>(); }

}  // namespace sallyport::mime
