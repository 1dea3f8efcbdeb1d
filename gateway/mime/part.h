// Part: one entity of a mail under one reading of it: where its content stands, what it is said to be, what it is.
//
// Plain values without any view. Content is not in it, but for that of short texts, which is kept (sha256.h);
// contents.h decodes it from the stored message when somebody asks. A part can yield more parts: those of a multipart,
// an attached message, an envelope of TNEF, uuencoded files within text, signed or compressed content; later the
// entries of an archive. `source` says in whose decoded content a part's offsets count.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/mime/file_type.h"
#include "gateway/mime/name.h"
#include "gateway/mime/oddity.h"
#include "gateway/mime/sha256.h"

namespace sallyport::mime {

// An index into Tree::parts.
using PartIndex = std::uint32_t;
inline constexpr PartIndex the_message = 0;

enum class Origin : std::uint8_t {
  message,             // the mail itself
  child,               // of a multipart
  preamble,            // text of a multipart before its first delimiter
  epilogue,            // and behind its last one
  attached,            // the message within message/rfc822 and its kin
  embedded,            // a file within text: uuencode, yEnc, BinHex
  tnef,                // a file within an envelope of TNEF
  signed_content,      // the content of opaque S/MIME
  archived,            // an entry of an archive
  compressed_content,  // the content of compressed S/MIME
};

// How the content of a part is obtained from its octets. Of base64 and quoted-printable that are not as they should be,
// readers make different things; each has a name here.
enum class Coding : std::uint8_t {
  identity,                   // 7bit, 8bit, binary
  quoted_printable,           // an escape that is none stays as it is
  quoted_printable_dropping,  // its "=" is left out
  quoted_printable_skipping,  // its "=" and the two octets behind it are left out, lower-case digits are none
  base64,                     // skips what is no digit; padding ends a group, and decoding goes on behind it
  base64_to_padding,          // the same, up to the first padding
  base64_zero_padding,        // padding counts as a digit of value 0
  base64_no_padding,          // padding is skipped, too
  base64_padded_groups,       // of each four digits or paddings, the digits, wherever the padding stands
  base64_by_line,             // each line for itself, padding skipped
  base64_by_group,            // each line for itself, whole groups of four only
  base64_to_junk,             // each line up to the first octet that is no digit
  base64_url,                 // "-" and "_" are digits
  base64_from_line_2,         // the first line is none
  uuencode,
  yenc,
  binhex,          // the data fork
  signed_cms,      // the content of CMS SignedData
  compressed_cms,  // that of CMS CompressedData
  compressed_rtf,  // RTF in an envelope of TNEF
};

}  // namespace sallyport::mime

template <>
inline constexpr auto sallyport::words_of<sallyport::mime::Origin> =
    std::to_array<std::string_view>({"message", "child", "preamble", "epilogue", "attached", "embedded", "tnef",
                                     "signed_content", "archived", "compressed_content"});
template <>
inline constexpr auto sallyport::words_of<sallyport::mime::Coding> =
    std::to_array<std::string_view>({"identity",
                                     "quoted_printable",
                                     "quoted_printable_dropping",
                                     "quoted_printable_skipping",
                                     "base64",
                                     "base64_to_padding",
                                     "base64_zero_padding",
                                     "base64_no_padding",
                                     "base64_padded_groups",
                                     "base64_by_line",
                                     "base64_by_group",
                                     "base64_to_junk",
                                     "base64_url",
                                     "base64_from_line_2",
                                     "uuencode",
                                     "yenc",
                                     "binhex",
                                     "signed_cms",
                                     "compressed_cms",
                                     "compressed_rtf"});

namespace sallyport::mime {

struct Part {
  // Where it belongs.
  PartIndex parent = the_message;  // a lower index, but for the message, which is its own
  std::uint8_t depth = 0;
  Origin origin = Origin::message;
  // Octets that an earlier part holds, too, read in another way: with other boundaries, another transfer encoding, an
  // earlier end of the header section. Whoever looks for harm looks into these as into all others.
  bool is_alternate = false;
  bool is_container = false;  // its content is other parts

  // Where its octets stand: in the decoded content of the part `source`; without one, in the mail as it came, whose
  // header section begins at offset 0.
  std::optional<PartIndex> source;
  std::uint64_t header_begin = 0;  // equal to `begin` when it has no header section
  std::uint64_t begin = 0;         // of its content, still encoded
  std::uint64_t end = 0;
  Coding coding = Coding::identity;

  bool is_attachment = false;  // Content-Disposition: attachment
  bool is_encrypted = false;   // by its type or its content
  bool joins_lines = false;    // "DelSp=yes": lines that end with a space are joined without it (RFC 3676)
  // The octets of an earlier part once more, in another charset, whatever mark they begin with.
  bool is_other_charset = false;

  // What it is said to be: lower case, without comments; empty where nothing is said.
  std::string declared_type;  // "text/plain"; for what is said twice, the first
  std::string charset;
  std::vector<Name> names;  // every candidate, each once

  // What it is.
  std::uint64_t size = 0;  // of the decoded content
  FileTypes real_types;
  Sha256 sha256;  // of the decoded content
  Oddities oddities;

  template <class V>
  void fields(V& visit) {
    visit("parent", parent);
    visit("depth", depth);
    visit("origin", origin);
    visit("alternate", is_alternate);
    visit("container", is_container);
    visit("source", source);
    visit("header_begin", header_begin);
    visit("begin", begin);
    visit("end", end);
    visit("coding", coding);
    visit("declared_type", declared_type);
    visit("charset", charset);
    visit("other_charset", is_other_charset);
    visit("attachment", is_attachment);
    visit("joins_lines", joins_lines);
    visit("names", names);
    visit("size", size);
    visit("real_types", real_types);
    visit("sha256", sha256);
    visit("encrypted", is_encrypted);
    visit("oddities", oddities);
  }
};

// Said to be text/plain, or nothing at all.
bool is_plain_text(const Part& part);
// Said to be text/html, or HTML by its content, or text whose name makes it that.
bool is_html(const Part& part);
// Said to be text of any kind (text/*, or nothing), and no container.
bool is_text(const Part& part);
// What people call an attachment: a leaf that has a name, or is said to be one, or is neither text nor unlabelled.
bool is_file(const Part& part);

}  // namespace sallyport::mime
