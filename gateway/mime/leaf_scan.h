// LeafScan: reads the content of one part as it streams past: decodes it, and finds its size, digest, types, and what
// hides in it. The content of short texts is kept, because most of them are soon asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/crypto/digest.h"
#include "gateway/mime/file_type.h"
#include "gateway/mime/part.h"
#include "gateway/mime/text_scan.h"
#include "gateway/mime/transfer.h"

namespace sallyport::mime {

// About the octets before they are decoded.
struct RawFindings {
  bool begins_with_field = false;
  bool has_nul = false;
  // Lines at the beginning, up to four, that are base64 and nothing else: of one length, but for the last line of all.
  // Zero when another line is among them.
  std::size_t base64_lines = 0;
};

class LeafScan {
 public:
  // `scans_text`: whether it is text, in which other things may hide. `most_kept`: the content is kept when it has no
  // more octets; 0: it is not kept.
  LeafScan(Coding coding, bool scans_text, std::size_t most_kept = 0);

  void feed(std::string_view octets);
  // Decoded so far.
  std::uint64_t octets() const { return size_; }
  // The end. Puts size, digest, types and whether it is encrypted into the part.
  void end(Part& part);

  // After end().
  const CodingFaults& faults() const { return faults_; }
  const TextFindings& text() const { return text_; }
  const RawFindings& raw() const { return raw_; }
  // True when its first octets, still encoded, are digits of base64 and ends of lines.
  bool begins_as_base64() const;
  std::string_view head() const { return sniffer_.head(); }

 private:
  void take(std::string_view octets);
  void look_at_raw(std::string_view octets);
  void take_decoded(std::string_view octets);
  template <class Decode>
  void decode(Decode decode);

  std::unique_ptr<TransferDecoder> decoder_;
  std::unique_ptr<TextScan> scan_;
  // One of the two is there: of what is kept the digest is made when somebody asks for it.
  std::optional<crypto::Digest> digest_;
  std::optional<std::string> kept_;
  std::size_t most_kept_;
  TypeSniffer sniffer_;
  std::string collected_;  // small pieces, until they are worth the calls
  std::string decoded_;
  std::string raw_head_;
  std::uint64_t size_ = 0;
  CodingFaults faults_;
  TextFindings text_;
  RawFindings raw_;
};

}  // namespace sallyport::mime
