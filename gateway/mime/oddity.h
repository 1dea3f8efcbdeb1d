// Oddity: what makes readers of a mail disagree about it, as a closed set of names (threats.md M3-M9, M14).
//
// An oddity alone is no reason to refuse: most of them are seen in honest mail. They say that there is more than one
// reading of a part, or that its writer has told something that its content does not bear out. The tree holds every
// plausible reading; policies decide what an oddity is worth.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "gateway/base/fields.h"
#include "gateway/mime/set_of.h"

namespace sallyport::mime {

enum class Oddity : std::uint8_t {
  // Of header sections and fields.
  malformed_line,        // no colon, white space before it, a continuation of nothing, a line of white space only
  control_in_name,       // a control character in the name of a field
  eight_bit_header,      // octets outside ASCII in a field about the content
  duplicate_field,       // a field of MIME given twice, with one meaning
  conflicting_type,      // Content-Type given twice, with different meanings
  conflicting_encoding,  // Content-Transfer-Encoding given twice or as a list, with different meanings
  conflicting_version,   // MIME-Version likewise
  malformed_field,       // a field about the content that does not follow its grammar
  encoded_parameter,     // an encoded word (RFC 2047) where RFC 2231 is the form, or in a boundary
  comment_in_parameter,  // a comment that readers which do not know comments take for text
  duplicate_parameter,   // one given twice
  odd_continuation,      // pieces by RFC 2231 with gaps, out of order, doubled, or beside a plain value
  // Of multiparts.
  conflicting_boundary,  // more than one value of the boundary
  missing_boundary,      // a multipart without a boundary
  bad_boundary,          // empty, longer than 70, or of characters that RFC 2046 does not allow
  boundary_prefix,       // a line that begins like a delimiter and goes on
  boundary_reused,       // the boundary of an outer multipart, or a prefix of it
  boundary_not_found,    // no line of the body is the declared delimiter, but perhaps the last one
  missing_close,         // the last delimiter is not there
  text_after_close,      // a delimiter after the last one
  odd_preamble,          // text before the first delimiter that looks like a part
  odd_epilogue,          // text after the last delimiter that looks like a part
  undeclared_structure,  // delimiters that no field has declared, followed by fields of a part
  header_without_end,    // a part's header section that a delimiter or the end cuts off
  encoded_composite,     // a multipart or attached message with base64 or the like
  // Of transfer encodings.
  unknown_encoding,
  bad_base64,            // octets that are no base64, padding in the middle, lines that do not fit
  bad_quoted_printable,  // an escape that is none
  bad_uuencode,          // also of yEnc and BinHex
  encoding_mismatch,     // the content is evidently in another encoding than the one declared
  // Of lines.
  nul,
  bare_cr,
  bare_lf,
  long_line,  // over 998 octets
  // Of content.
  unknown_charset,
  type_mismatch,     // the content is of a type that the label and the name do not tell
  conflicting_name,  // candidates for the name that differ
  deceptive_name,    // see NameOddity
  hidden_content,    // uuencode, yEnc or BinHex within text
  partial_message,   // message/partial
  external_body,     // message/external-body
  truncated,         // a container whose content ends too early
};

}  // namespace sallyport::mime

namespace sallyport {

template <>
inline constexpr auto words_of<mime::Oddity> = std::to_array<std::string_view>({"malformed_line",
                                                                                "control_in_name",
                                                                                "eight_bit_header",
                                                                                "duplicate_field",
                                                                                "conflicting_type",
                                                                                "conflicting_encoding",
                                                                                "conflicting_version",
                                                                                "malformed_field",
                                                                                "encoded_parameter",
                                                                                "comment_in_parameter",
                                                                                "duplicate_parameter",
                                                                                "odd_continuation",
                                                                                "conflicting_boundary",
                                                                                "missing_boundary",
                                                                                "bad_boundary",
                                                                                "boundary_prefix",
                                                                                "boundary_reused",
                                                                                "boundary_not_found",
                                                                                "missing_close",
                                                                                "text_after_close",
                                                                                "odd_preamble",
                                                                                "odd_epilogue",
                                                                                "undeclared_structure",
                                                                                "header_without_end",
                                                                                "encoded_composite",
                                                                                "unknown_encoding",
                                                                                "bad_base64",
                                                                                "bad_quoted_printable",
                                                                                "bad_uuencode",
                                                                                "encoding_mismatch",
                                                                                "nul",
                                                                                "bare_cr",
                                                                                "bare_lf",
                                                                                "long_line",
                                                                                "unknown_charset",
                                                                                "type_mismatch",
                                                                                "conflicting_name",
                                                                                "deceptive_name",
                                                                                "hidden_content",
                                                                                "partial_message",
                                                                                "external_body",
                                                                                "truncated"});

}  // namespace sallyport

namespace sallyport::mime {

using Oddities = SetOf<Oddity>;

}  // namespace sallyport::mime
