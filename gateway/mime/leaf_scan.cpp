#include "gateway/mime/leaf_scan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/mime/content_fields.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t small_piece = 1024;
constexpr std::size_t worth_the_calls = 8 * 1024;
constexpr std::size_t most_at_once = 16 * 1024;  // fits into the processor's first cache, decoded as well
constexpr std::size_t raw_head_octets = 512;

bool is_base64_line(std::string_view line) {
  std::size_t padding = 0;
  while (padding < 2 && line.ends_with('=')) {
    line.remove_suffix(1);
    ++padding;
  }
  const auto is_digit = [](char c) { return text::is_alnum(c) || c == '+' || c == '/'; };
  return line.size() + padding >= 40 && (line.size() + padding) % 4 == 0 &&
         std::all_of(line.begin(), line.end(), is_digit);
}

// `is_all`: the head is all there is, so that its last line needs no end.
std::size_t count_base64_lines(std::string_view head, bool is_all) {
  std::size_t lines = 0;
  std::size_t length = 0;
  while (lines < 4 && !head.empty()) {
    const std::size_t end = head.find('\n');
    if (end == std::string_view::npos && !is_all) break;
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end, head.size() - 1) + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool is_last = is_all && head.empty();
    if (is_last && lines > 0) break;  // of any length
    if (!is_base64_line(line) || (lines > 0 && line.size() != length)) return 0;
    length = line.size();
    ++lines;
  }
  return lines;
}

Sha256 digest_of(crypto::Digest& digested) {
  const std::string digest = digested.finish();
  Sha256::Octets octets{};
  std::copy(digest.begin(), digest.end(), octets.begin());
  return Sha256(octets);
}

}  // namespace

LeafScan::LeafScan(Coding coding, bool scans_text, std::size_t most_kept)
    : decoder_(make_decoder(coding)), most_kept_(most_kept) {
  if (scans_text) scan_ = std::make_unique<TextScan>();
  if (most_kept > 0) {
    kept_.emplace();
  } else {
    digest_.emplace(crypto::DigestAlgorithm::sha256);
  }
}

void LeafScan::feed(std::string_view octets) {
  if (octets.size() < small_piece || !collected_.empty()) {
    const std::size_t room = worth_the_calls - collected_.size();
    const std::size_t count = std::min(room, octets.size());
    collected_ += octets.substr(0, count);
    if (collected_.size() < worth_the_calls) return;
    octets.remove_prefix(count);
    take(collected_);
    collected_.clear();
    if (octets.size() < small_piece) {
      collected_ += octets;
      return;
    }
  }
  take(octets);
}

void LeafScan::take(std::string_view octets) {
  look_at_raw(octets);
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, most_at_once);
    octets.remove_prefix(piece.size());
    if (decoder_) {
      decode([&](std::string& out) { decoder_->feed(piece, out); });
    } else if (kept_) {
      decode([&](std::string& out) { out += piece; });
    } else {
      take_decoded(piece);
    }
  }
}

// `decode` adds to the text that it is given.
template <class Decode>
void LeafScan::decode(Decode decode) {
  if (!kept_) {
    decoded_.clear();
    decode(decoded_);
    return take_decoded(decoded_);
  }
  const std::size_t before = kept_->size();
  decode(*kept_);
  take_decoded(std::string_view(*kept_).substr(before));
  if (kept_->size() <= most_kept_) return;
  digest_.emplace(crypto::DigestAlgorithm::sha256);
  digest_->update(*kept_);
  kept_.reset();
}

void LeafScan::look_at_raw(std::string_view octets) {
  if (raw_head_.size() < raw_head_octets) raw_head_ += octets.substr(0, raw_head_octets - raw_head_.size());
  if (!raw_.has_nul) raw_.has_nul = std::memchr(octets.data(), 0, octets.size()) != nullptr;
}

void LeafScan::take_decoded(std::string_view octets) {
  if (octets.empty()) return;
  size_ += octets.size();
  if (digest_) digest_->update(octets);
  sniffer_.feed(octets);
  if (scan_) scan_->feed(octets);
}

void LeafScan::end(Part& part) {
  take(collected_);
  collected_.clear();
  if (decoder_) {
    decode([this](std::string& out) { decoder_->end(out); });
    faults_ = decoder_->faults();
  }
  if (scan_) {
    scan_->end();
    text_ = scan_->findings();
  }
  const std::string_view first_line = std::string_view(raw_head_).substr(0, raw_head_.find('\n'));
  raw_.begins_with_field = is_field_like(first_line);
  raw_.base64_lines = count_base64_lines(raw_head_, raw_head_.size() < raw_head_octets);
  part.size = size_;
  part.real_types = sniffer_.types();
  part.sha256 = kept_ ? Sha256(*std::exchange(kept_, std::nullopt)) : digest_of(*digest_);
  if (text_.has_pgp_message) part.is_encrypted = true;
}

bool LeafScan::begins_as_base64() const {
  return std::all_of(raw_head_.begin(), raw_head_.end(), [](char c) {
    return text::is_alnum(c) || std::string_view("+/=\r\n").find(c) != std::string_view::npos;
  });
}

}  // namespace sallyport::mime
