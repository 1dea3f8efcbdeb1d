// Transfer decoders: content out of what RFC 2045 (6.7, 6.8) and older customs encode it in, in pieces of any size.
//
// A decoder never fails: it makes of any octets what readers make of them, and notes what was not as it should be, so
// that other readings can be tried. Linear; holds a few octets, at the most one line of 1 KiB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/mime/part.h"

namespace sallyport::mime {

// What a decoder has met that readers do not agree about.
struct CodingFaults {
  bool junk = false;            // octets that do not belong there, other than white space; compressed far too well
  bool url_digits = false;      // base64: "-" or "_"
  bool padding_inside = false;  // base64: digits behind padding, or padding in a wrong place
  bool uneven_lines = false;    // base64: a line, not the last one, that is no whole number of groups
  bool incomplete = false;      // base64: a last group that lacks its padding; others: no end line
  bool odd_first_line = false;  // base64: the first line has other octets than digits and padding
  bool bad_escape = false;      // quoted-printable: "=" and then neither two digits nor the end of the line
  bool lower_case = false;      // quoted-printable: an escape with lower-case digits
  bool several = false;         // uuencode, yEnc: more than one file
  // What is worth an oddity: lines of any length and lower-case digits are seen in honest mail.
  bool any() const { return junk || padding_inside || bad_escape || odd_first_line || several; }
};

class TransferDecoder {
 public:
  virtual ~TransferDecoder() = default;
  // Appends to `out` what `octets` come to.
  virtual void feed(std::string_view octets, std::string& out) = 0;
  virtual void end(std::string& out) = 0;
  const CodingFaults& faults() const { return faults_; }

 protected:
  CodingFaults faults_;
};

// Null for identity, which needs none.
std::unique_ptr<TransferDecoder> make_decoder(Coding coding);

// Each in a file of its own.
std::unique_ptr<TransferDecoder> make_base64_decoder(Coding coding);
std::unique_ptr<TransferDecoder> make_quoted_printable_decoder(Coding coding);
std::unique_ptr<TransferDecoder> make_uuencode_decoder();
std::unique_ptr<TransferDecoder> make_yenc_decoder();
std::unique_ptr<TransferDecoder> make_binhex_decoder();
// What is signed or, still compressed, what is compressed.
std::unique_ptr<TransferDecoder> make_cms_decoder();
std::unique_ptr<TransferDecoder> make_compressed_cms_decoder();
std::unique_ptr<TransferDecoder> make_compressed_rtf_decoder();

}  // namespace sallyport::mime
