// ContentFields: what the header section of an entity says about its content, under every plausible reading of it
// (RFC 2045, 2046, 2183, 2231).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mime/name.h"
#include "gateway/mime/oddity.h"
#include "gateway/mime/parameters.h"
#include "gateway/mime/part.h"

namespace sallyport::mime {

struct ContentFields {
  std::vector<std::string> types;       // "text/plain", lower case, each once; the most plausible first
  std::vector<std::string> boundaries;  // candidates, the most plausible first
  std::vector<Coding> codings;          // the same; empty where none is said, or none is known
  std::vector<std::string> charsets;    // lower case, each once; the most plausible first
  std::string smime_type;
  bool joins_lines = false;  // "DelSp=yes"
  bool is_attachment = false;
  std::vector<Name> names;
  std::string subject;  // decoded
  Oddities oddities;
  std::size_t fields = 0;
  bool is_over_limit = false;  // a field has more parameters than are read

  std::string_view type() const { return types.empty() ? std::string_view() : std::string_view(types.front()); }
  std::string charset() const { return charsets.empty() ? std::string() : charsets.front(); }
  Coding coding() const { return codings.empty() ? Coding::identity : codings.front(); }
};

// Takes the lines of a header section, one after the other, and gives what they say. Keeps the fields about the content
// alone; other fields are counted.
class HeaderReader {
 public:
  enum class Line : std::uint8_t {
    field,
    malformed,  // no colon, an odd name, or a continuation of nothing: some readers take it for the beginning of the
                // content
    white,      // white space only: a continuation, or the end of the section
  };
  // A line without its end; not the empty one. A bare CR in it ends a line for some readers: what follows it is read as
  // a field, too.
  Line take(std::string_view line);
  ContentFields finish();

  // True if the section has more fields, or more octets of fields about the content, than may be read.
  bool is_over_limit() const { return is_over_limit_; }
  std::size_t fields() const { return fields_; }

 private:
  enum class Kind : std::uint8_t { other, type, encoding, disposition, description, location, version, subject };
  struct Field {
    Kind kind;
    bool is_hidden;  // in a continuation, or behind a bare CR
    std::string value;
  };
  static Kind kind_of(std::string_view name);
  void begin_field(std::string_view line, std::size_t colon);
  void look_for_hidden(std::string_view line);

  std::vector<Field> kept_;
  bool keeps_ = false;  // continuations belong to kept_.back()
  std::size_t fields_ = 0;
  std::size_t octets_ = 0;
  bool is_over_limit_ = false;
  Oddities oddities_;
};

// The transfer encodings that a value of Content-Transfer-Encoding names, the first one first. `is_unknown`: it names
// none, or others besides.
std::vector<Coding> read_codings(std::string_view value, bool& is_unknown);

// True for a line that begins like a field about the content ("Content-Type: ...").
bool is_content_field(std::string_view line);
// True for a line that begins like any field.
bool is_field_like(std::string_view line);

}  // namespace sallyport::mime
