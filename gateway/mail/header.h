// HeaderSection: the header section of a message (RFC 5322, 2.2) as a list of fields, in order and undecoded.
//
// Its input is untrusted: parsing is bounded (threats.md M2: 1000 fields, 64 KiB a field, 256 KiB in all), linear, and
// never throws. A malformed line is kept as a field and noted in the faults, so that the message can be passed on
// unchanged (M3, M18).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mail {

struct HeaderField {
  std::string_view name;   // as written, without the colon and the space before it; empty for a malformed line
  std::string_view value;  // after the colon, with its folding, without the last CRLF
  std::string_view whole;  // the whole field, unchanged, with its CRLF
};

struct HeaderFaults {
  bool too_many_fields = false;
  bool field_too_long = false;
  bool section_too_long = false;
  bool control_in_name = false;
  bool malformed_line = false;  // no colon, space before the colon, a continuation without a field
  bool over_limit() const { return too_many_fields || field_too_long || section_too_long; }
};

inline constexpr std::size_t max_header_octets = std::size_t{256} * 1024;
inline constexpr std::size_t max_field_octets = std::size_t{64} * 1024;
inline constexpr std::size_t max_header_fields = 1000;

class HeaderSection {
 public:
  HeaderSection() = default;
  // Parses `octets`, which must stay valid and in place while the section is used. They end with the empty line, or
  // without one if the message has no body. Stops after max_header_fields.
  explicit HeaderSection(std::string_view octets);

  const std::vector<HeaderField>& fields() const { return fields_; }
  const HeaderFaults& faults() const { return faults_; }
  // The first field of this name (case does not matter); null if there is none.
  const HeaderField* find(std::string_view name) const;
  std::vector<const HeaderField*> find_all(std::string_view name) const;
  std::size_t count(std::string_view name) const;

 private:
  void add(std::string_view whole);

  std::vector<HeaderField> fields_;
  HeaderFaults faults_;
};

// The value on one line: folding is undone (CRLF before white space removed) and the ends trimmed. Any other CR or LF
// becomes a space, so the result has none.
std::string unfold(std::string_view value);
// The address of the first mailbox of an address field (RFC 5322, 3.4): the text between < and >, otherwise the first
// word with an @; without comments, source route and quotes. Also looks inside groups. Empty if there is none.
std::string first_address(std::string_view value);

}  // namespace sallyport::mail
