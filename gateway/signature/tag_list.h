// Tag lists (RFC 6376, 3.2): `v=1; a=rsa-sha256; ...`, in DKIM-Signature and ARC fields and in key records.
//
// Strict, as signatures must be: one syntax error or one tag twice, and there is no list. Linear; at most max_tags.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace sallyport::signature {

struct Tag {
  std::string_view name;   // case-sensitive
  std::string_view value;  // without the white space around it; what is inside stays, folding too
  std::string_view raw;    // all from the "=" to the ";" or the end
};

class TagList {
 public:
  static constexpr std::size_t max_tags = 100;

  // The views point into `text`. Values may hold UTF-8 (RFC 8616).
  static std::optional<TagList> parse(std::string_view text);

  // In the order they stand in.
  const std::vector<Tag>& tags() const { return tags_; }
  const Tag* find(std::string_view name) const;
  // The value; nothing when there is no such tag.
  std::optional<std::string_view> value(std::string_view name) const;

 private:
  std::vector<Tag> tags_;
};

// Without folding white space (SP, HTAB, CRLF) at both ends.
std::string_view trim_folding(std::string_view text);
// The parts of a colon-separated list ("h=", "q="), each trimmed. An empty text has one empty part.
std::vector<std::string_view> split_colons(std::string_view list);

}  // namespace sallyport::signature
