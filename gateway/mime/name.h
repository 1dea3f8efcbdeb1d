// Names of parts: every name under which some reader of the mail would show or store a part (threats.md M6, M7).
//
// A name is what its writer chose, decoded to UTF-8 and otherwise as it came: it may hold separators, "..", marks that
// turn text around. It is never used as a path. What is judged is clean(), the name as a system would store it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/mime/set_of.h"

namespace sallyport::mime {

// Where a name stands.
enum class NameSource : std::uint8_t {
  disposition,  // filename of Content-Disposition
  type,         // name of Content-Type
  description,  // Content-Description, where it looks like a file's name
  location,     // the last element of Content-Location
  subject,      // of an attached message: its Subject and ".eml"
  uuencode,     // the line "begin 644 name"; also of yEnc and BinHex
  tnef,
  archive,  // of an entry of an archive
};

// How a name may deceive, or be read otherwise elsewhere.
enum class NameOddity : std::uint8_t {
  nul,
  control,
  separator,         // / \\ or :
  parent,            // ..
  trailing,          // dots, spaces or quotes at its end, which Windows drops
  turned,            // marks that turn the direction of text around
  invisible,         // zero-width characters, soft hyphens and their like
  mixed_scripts,     // Latin letters beside Cyrillic or Greek ones in a word
  too_long,          // over 255 octets
  many_spaces,       // a row of spaces that moves the extension out of sight
  double_extension,  // one for people and a harmful one behind it: "invoice.pdf.exe"
  not_text,          // octets that are nothing in the charset
};

}  // namespace sallyport::mime

template <>
inline constexpr auto sallyport::words_of<sallyport::mime::NameSource> = std::to_array<std::string_view>(
    {"disposition", "type", "description", "location", "subject", "uuencode", "tnef", "archive"});
template <>
inline constexpr auto sallyport::words_of<sallyport::mime::NameOddity> =
    std::to_array<std::string_view>({"nul", "control", "separator", "parent", "trailing", "turned", "invisible",
                                     "mixed_scripts", "too_long", "many_spaces", "double_extension", "not_text"});

namespace sallyport::mime {

using NameOddities = SetOf<NameOddity>;

struct Name {
  std::string text;  // UTF-8; at most max_name_octets
  NameSource source = NameSource::disposition;

  template <class V>
  void fields(V& visit) {
    visit("text", text);
    visit("source", source);
  }
};

struct CleanName {
  // The name as a system would store it: in normal form KC, without characters that are not seen, after the last
  // separator, without dots, spaces and quotes at its end; other dots (fullwidth, ideographic) as ".". May be empty.
  std::string text;
  std::string extension;  // in lower case, without the dot; empty when there is none
  NameOddities oddities;
};
// Linear in the name.
CleanName clean(std::string_view name);

// All extensions under which the names may be opened, in lower case, each once: that of each clean name, and of the
// name cut at a NUL, at a ";" and before a comment.
std::vector<std::string> extensions_of(const std::vector<Name>& names);

// True for extensions that Windows, Outlook or a browser runs or opens as a program ("exe", "js", "lnk").
bool is_executable_extension(std::string_view extension);

}  // namespace sallyport::mime
