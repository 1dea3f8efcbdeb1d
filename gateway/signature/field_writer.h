// FieldWriter: writes a header field that is a tag list, folded at 78 octets, with the signature as its last tag.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::signature {

class FieldWriter {
 public:
  explicit FieldWriter(std::string_view name);

  void add(std::string_view tag, std::string_view value);
  // Adds a colon-separated list, which may be folded after a colon.
  void add_names(std::string_view tag, const std::vector<std::string>& names);
  // Adds base64, which may be folded anywhere.
  void add_base64(std::string_view tag, std::string_view base64);

  // The whole field with its CRLF: with an empty b= at its end, as it is signed, or with the signature in it.
  std::string with_empty_signature() const { return with_signature({}); }
  std::string with_signature(std::string_view octets) const;

 private:
  // `needs`: how many octets must be on one line.
  void start_tag(std::size_t needs);
  void append(std::string_view text);
  void fold();

  std::string field_;
  std::size_t column_ = 0;
  bool has_tags_ = false;
};

}  // namespace sallyport::signature
