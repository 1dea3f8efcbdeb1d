// TextScan: finds what hides within text: files in uuencode, yEnc or BinHex, a multipart that no field has declared,
// fields at the very beginning, encrypted blocks of PGP.
//
// Looks at the beginnings of lines only, as the text streams past; holds one line of 1 KiB at the most. Offsets are
// those of the text that was fed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mime/part.h"

namespace sallyport::mime {

struct EmbeddedFile {
  std::uint64_t begin = 0;  // of its first line, which tells its name
  std::uint64_t end = 0;
  Coding coding = Coding::uuencode;
  std::string name;  // as written; may be empty
};

struct HiddenStructure {
  std::uint64_t begin = 0;  // of the line that is taken for a delimiter
  std::string boundary;
};

struct TextFindings {
  std::vector<EmbeddedFile> files;
  std::optional<HiddenStructure> structure;  // the first one
  bool begins_with_fields = false;           // such as "Content-Type: ..."
  bool has_pgp_message = false;
};

class TextScan {
 public:
  void feed(std::string_view octets);
  void end();
  const TextFindings& findings() const { return findings_; }

 private:
  static constexpr std::size_t most_line = 1024;
  static constexpr std::size_t most_files = 100;
  static constexpr unsigned most_fields = 12;  // between a delimiter and a field about the content

  bool wants_line(char first) const;
  bool is_other_line(std::string_view piece);
  void line(std::string_view line, std::uint64_t begin, std::uint64_t end);
  void look_for_structure(std::string_view line, std::uint64_t begin);
  void look_for_file(std::string_view line, std::uint64_t begin);
  void close_file(std::uint64_t end);

  TextFindings findings_;
  std::uint64_t offset_ = 0;  // of the next octet
  std::uint64_t line_begin_ = 0;
  std::string held_;  // the beginning of a line that is wanted
  bool at_line_start_ = true;
  bool skips_line_ = false;
  bool is_indented_ = false;  // white space so far
  bool is_first_line_ = true;
  std::optional<EmbeddedFile> open_;      // its end has not come yet
  bool may_be_uuencode_ = false;          // "begin" was seen, and the next line tells
  std::optional<HiddenStructure> maybe_;  // fields follow, so far none about the content
  unsigned fields_behind_ = 0;
};

}  // namespace sallyport::mime
