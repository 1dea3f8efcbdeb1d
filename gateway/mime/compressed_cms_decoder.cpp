// The content of CMS CompressedData (RFC 3274), as compressed S/MIME carries it (RFC 8551, 3.6). The only place of the
// engine that uses zlib.
//
// Inflated as it streams past, with a window of 32 KiB. What is compressed beyond any honest text is a bomb: once more
// than most_ratio times what has come in was given out, nothing more is, and it is junk to whoever asks. How much may
// be inflated of one mail is the caller's bound (analysis.cpp).
#include <zlib.h>

#include <array>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "gateway/mime/transfer.h"

namespace sallyport::mime {

namespace {

constexpr std::uint64_t most_ratio = 50;
constexpr std::uint64_t free_octets = std::uint64_t{64} * 1024;
// So much is inflated at a time, wherever the pieces that come in end: so what is given out does not depend on them.
constexpr std::size_t block_octets = 64;

class CompressedCmsDecoder final : public TransferDecoder {
 public:
  CompressedCmsDecoder() : container_(make_cms_decoder()) {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
  }
  CompressedCmsDecoder(const CompressedCmsDecoder&) = delete;
  CompressedCmsDecoder& operator=(const CompressedCmsDecoder&) = delete;
  ~CompressedCmsDecoder() override { inflateEnd(&stream_); }

  void feed(std::string_view octets, std::string& out) override {
    if (is_over_) return;
    container_->feed(octets, packed_);
    std::string_view rest = packed_;
    for (; rest.size() >= block_octets; rest.remove_prefix(block_octets)) take(rest.substr(0, block_octets), out);
    packed_.erase(0, packed_.size() - rest.size());
  }
  void end(std::string& out) override {
    container_->end(packed_);
    take(packed_, out);
    faults_.junk |= container_->faults().junk;
    faults_.incomplete |= container_->faults().incomplete || !has_ended_;
  }

 private:
  void take(std::string_view block, std::string& out) {
    taken_ += block.size();
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(block.data()));  // which zlib only reads
    stream_.avail_in = static_cast<unsigned>(block.size());
    // A full piece may have left octets in the stream though nothing is left to be read.
    bool was_full = false;
    while (!is_over_ && (stream_.avail_in > 0 || was_full)) {
      std::array<char, 4096> piece;
      stream_.next_out = reinterpret_cast<unsigned char*>(piece.data());
      stream_.avail_out = static_cast<unsigned>(piece.size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t count = piece.size() - stream_.avail_out;
      out.append(piece.data(), count);
      given_ += count;
      was_full = stream_.avail_out == 0;
      if (status == Z_BUF_ERROR) break;  // it needs more
      has_ended_ = status == Z_STREAM_END;
      faults_.junk |= !has_ended_ && status != Z_OK;
      is_over_ = status != Z_OK;
    }
    if (given_ <= free_octets + most_ratio * taken_) return;
    faults_.junk = true;
    is_over_ = true;
  }

  std::unique_ptr<TransferDecoder> container_;
  z_stream stream_{};
  std::string packed_;  // what is compressed, less than a block between two calls
  std::uint64_t taken_ = 0;
  std::uint64_t given_ = 0;
  bool has_ended_ = false;
  bool is_over_ = false;
};

}  // namespace

std::unique_ptr<TransferDecoder> make_compressed_cms_decoder() { return std::make_unique<CompressedCmsDecoder>(); }

}  // namespace sallyport::mime
