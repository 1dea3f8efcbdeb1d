// The content of CMS SignedData (RFC 5652, 5), as opaque S/MIME carries it (RFC 8551, 3.5): whatever is signed is taken
// out without any trust in the signature. CompressedData (RFC 3274) has its content, still compressed, in the same
// place.
//
// Walks BER as it streams past, in definite and indefinite lengths, and hands on the octets of eContent. OpenSSL's
// reader would want the whole structure in memory and the content once more, which is as much as a mail may have; and
// nothing here needs its arithmetic. Iterative; open elements are kept on a stack of a fixed depth.
#include <algorithm>
#include <array>
#include <cstddef>

#include "gateway/mime/transfer.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t most_depth = 24;
constexpr std::uint64_t indefinite = UINT64_MAX;

// ContentInfo { OID, [0] SignedData { version, digestAlgorithms, EncapsulatedContentInfo { OID, [0] OCTET STRING }}};
// of CompressedData the second element is the algorithm. So this is
// the path of the octet string by positions within its parents.
constexpr std::uint8_t sequence = 0x30;
constexpr std::uint8_t context_0 = 0xa0;
constexpr std::uint8_t octet_string = 0x04;
constexpr std::uint8_t constructed = 0x20;

class CmsDecoder final : public TransferDecoder {
 public:
  void feed(std::string_view octets, std::string& out) override {
    while (!octets.empty() && !is_over_) {
      if (value_left_ > 0) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(value_left_, octets.size()));
        if (is_content_) out.append(octets.substr(0, count));
        octets.remove_prefix(count);
        advance(count);
        value_left_ -= count;
        if (value_left_ == 0) close_finished();
        continue;
      }
      take(static_cast<std::uint8_t>(octets.front()));
      octets.remove_prefix(1);
    }
  }
  void end(std::string&) override { faults_.incomplete |= !has_content_ || !is_over_; }

 private:
  struct Open {
    std::uint8_t tag = 0;
    std::uint64_t left = indefinite;  // octets of its value still to come
    unsigned children = 0;
  };

  // One octet of a tag or a length.
  void take(std::uint8_t octet) {
    advance(1);
    if (length_octets_ > 0) {
      length_ = length_ << 8 | octet;
      if (--length_octets_ == 0) begin_element();
      return;
    }
    if (!has_tag_) {
      tag_ = octet;
      has_tag_ = true;
      if ((octet & 0x1f) == 0x1f) fail();  // tags of several octets are not on the way to the content
      return;
    }
    if (octet < 0x80) {
      length_ = octet;
      begin_element();
    } else if (octet == 0x80) {
      length_ = indefinite;
      begin_element();
    } else if (octet <= 0x88) {
      length_octets_ = octet & 0x7fU;
      length_ = 0;
    } else {
      fail();
    }
  }

  void begin_element() {
    has_tag_ = false;
    if (tag_ == 0 && length_ == 0 && depth_ > 0 && open_[depth_ - 1].left == indefinite) {  // end of contents
      pop();
      close_finished();
      return;
    }
    if (depth_ > 0) ++open_[depth_ - 1].children;
    const bool fits = depth_ == 0 || open_[depth_ - 1].left == indefinite ||
                      (length_ != indefinite && length_ <= open_[depth_ - 1].left) || length_ == indefinite;
    if (!fits) return fail();
    if ((tag_ & constructed) != 0) {
      if (depth_ == most_depth) return fail();
      open_[depth_++] = {tag_, length_, 0};
      close_finished();
      return;
    }
    if (length_ == indefinite) return fail();
    is_content_ = is_within_content();
    has_content_ |= is_content_;
    value_left_ = length_;
    if (value_left_ == 0) close_finished();
  }

  // Whether a primitive element that begins now is the octet string, or a piece of it.
  bool is_within_content() const {
    if (depth_ < 5 || (tag_ & 0x1f) != octet_string) return false;
    const bool is_path = open_[0].tag == sequence && open_[1].tag == context_0 && open_[2].tag == sequence &&
                         open_[2].children == 3 && open_[3].tag == sequence && open_[4].tag == context_0;
    if (!is_path) return false;
    for (std::size_t i = 5; i < depth_; ++i) {
      if ((open_[i].tag & 0x1f) != octet_string) return false;
    }
    return true;
  }

  void advance(std::uint64_t count) {
    for (std::size_t i = 0; i < depth_; ++i) {
      if (open_[i].left == indefinite) continue;
      if (count > open_[i].left) return fail();
      open_[i].left -= count;
    }
  }

  void close_finished() {
    while (depth_ > 0 && open_[depth_ - 1].left == 0) pop();
  }
  void pop() {
    --depth_;
    // Behind eContent there is nothing that is wanted.
    if (depth_ <= 3 && has_content_) is_over_ = true;
    if (depth_ == 0) is_over_ = true;
  }

  void fail() {
    faults_.junk = true;
    is_over_ = true;
    value_left_ = 0;
  }

  std::array<Open, most_depth> open_{};
  std::size_t depth_ = 0;
  std::uint8_t tag_ = 0;
  bool has_tag_ = false;
  std::size_t length_octets_ = 0;
  std::uint64_t length_ = 0;
  std::uint64_t value_left_ = 0;
  bool is_content_ = false;
  bool has_content_ = false;
  bool is_over_ = false;
};

}  // namespace

std::unique_ptr<TransferDecoder> make_cms_decoder() { return std::make_unique<CmsDecoder>(); }

}  // namespace sallyport::mime
