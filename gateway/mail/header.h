// The header section of a message (RFC 5322, 2.2), as it stands: fields in order, nothing decoded, nothing lost.
//
// Octets of a stranger: bounded (threats.md M2: 1000 fields, 64 KiB a field, 256 KiB in all), linear, never throws.
// What is not well formed is kept as a field and noted, so that the message can be passed on unchanged (M3, M18).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mail {

struct HeaderField {
  std::string_view name;   // as written, without the colon and space before it; empty for a line that has none
  std::string_view value;  // after the colon, folding and all, without the last CRLF
  std::string_view whole;  // the field as it stands, CRLF included
};

struct HeaderFaults {
  bool too_many_fields = false;
  bool field_too_long = false;
  bool section_too_long = false;
  bool control_in_name = false;
  bool malformed_line = false;  // no colon, space before the colon, a stray continuation
  bool over_limit() const { return too_many_fields || field_too_long || section_too_long; }
};

inline constexpr std::size_t max_header_octets = std::size_t{256} * 1024;
inline constexpr std::size_t max_field_octets = std::size_t{64} * 1024;
inline constexpr std::size_t max_header_fields = 1000;

class HeaderSection {
 public:
  HeaderSection() = default;
  // `octets` must stay where they are as long as the section is used. They end with the empty line, or without one when
  // the message has no body. Past max_header_fields nothing more is read.
  explicit HeaderSection(std::string_view octets);

  const std::vector<HeaderField>& fields() const { return fields_; }
  const HeaderFaults& faults() const { return faults_; }
  // The first field of the name, whatever its case; nothing when there is none.
  const HeaderField* find(std::string_view name) const;
  std::vector<const HeaderField*> find_all(std::string_view name) const;
  std::size_t count(std::string_view name) const;

 private:
  void add(std::string_view whole);

  std::vector<HeaderField> fields_;
  HeaderFaults faults_;
};

// The value on one line: folding undone (CRLF before white space removed), trimmed. A CR or LF that is no folding
// becomes a space: the result never holds one.
std::string unfold(std::string_view value);
// Unfolded, and encoded words (RFC 2047) of US-ASCII, ISO-8859-1 and UTF-8 decoded; others stay as they are. Always
// valid UTF-8: octets that are not become U+FFFD. Controls that were encoded become spaces, so the result is one line
// too.
std::string decode_words(std::string_view value);
// The address of the first mailbox of an address field (RFC 5322, 3.4): what is between < and >, else the first word
// with an
// @; without comments, source route and quotes. Groups are looked into. Empty when there is none.
std::string first_address(std::string_view value);

}  // namespace sallyport::mail
