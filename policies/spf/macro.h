// Macros of SPF records (RFC 7208, 7): read, tested and expanded.
//
// A macro-string is text with "%{d2r-}", "%%", "%_" and "%-" in it. Its syntax is tested before it is expanded. The
// expanded text is not tested as a record is: what a client says (HELO, local part) may expand to anything, and is then
// a name that does not exist. Reading and expanding are linear in the text; the result is bounded (threats.md D14).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/address.h"
#include "gateway/base/units.h"

namespace sallyport::policies::spf {

// One piece of a macro-string: text, or a macro with what is to be done to its value.
struct MacroPiece {
  std::string_view text;        // of literal text: itself; of "%%", "%_" and "%-": what it stands for
  bool is_expand = false;       // it begins with '%'
  char letter = 0;              // of a macro, in lower case; 0: the piece is `text`
  bool url_escape = false;      // the letter was upper case
  bool reverse = false;         // "r"
  unsigned keep = 0;            // rightmost parts to keep; 0: all
  std::string_view delimiters;  // empty: "."
  bool is_transformed() const { return reverse || keep > 0 || !delimiters.empty(); }
};

// Gives the pieces of a macro-string one after the other. They are views into it.
class MacroReader {
 public:
  explicit MacroReader(std::string_view text) : rest_(text) {}

  // The next piece; nothing at the end, or where the syntax is broken.
  std::optional<MacroPiece> next();
  bool is_broken() const { return is_broken_; }

 private:
  std::optional<MacroPiece> read_expand();
  std::optional<MacroPiece> read_macro();
  std::optional<MacroPiece> broken();

  std::string_view rest_;
  bool is_broken_ = false;
};

// Where a macro-string stands. The letters c, r and t, and spaces, are allowed in explanations only.
enum class MacroUse : std::uint8_t { name, explanation };

// Visible ASCII (and spaces in an explanation) with macros that are well-formed and allowed there.
bool is_macro_string(std::string_view text, MacroUse use);
// A macro-string that ends in a macro or in a top label: "example.org", "%{d}", "_spf.%{d2}." (RFC 7208, 7.1).
bool is_domain_spec(std::string_view text);
// True when one of the macro letters, given in lower case, occurs in a well-formed macro-string.
bool uses_macro(std::string_view macro_string, std::string_view letters);

// What the letters stand for. The texts are a client's or a publisher's: any octets.
struct MacroValues {
  std::string_view local;          // l
  std::string_view sender_domain;  // o; with l: s
  std::string_view domain;         // d: the one whose record is being evaluated
  std::string_view helo;           // h
  std::string_view validated;      // p
  std::string_view receiver;       // r
  IpAddress ip;                    // i, v, c
  WallTime now{};                  // t
};

// The name that a well-formed domain-spec stands for: lower case, no final dot, over 253 octets trimmed by labels from
// the left. Nothing when what comes out is no name that can be asked for (a label empty or over 63 octets).
std::optional<std::string> expand_name(std::string_view domain_spec, const MacroValues& values);
// The text of a well-formed explanation, at most `most` octets of it.
std::string expand_text(std::string_view macro_string, const MacroValues& values, std::size_t most);

// True for a name that can be asked for: labels of 1 to 63 octets, 253 in all, at least `labels` of them.
bool is_name(std::string_view name, std::size_t labels = 1);

}  // namespace sallyport::policies::spf
