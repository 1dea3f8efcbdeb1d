// TagList: parses tag lists (RFC 6376, 3.2): `v=1; a=rsa-sha256; ...`, in DKIM-Signature and ARC fields and in key
// records.
//
// Strict: one syntax error or a repeated tag makes the whole list invalid. Linear; at most max_tags.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace sallyport::signature {

struct Tag {
  std::string_view name;   // case-sensitive
  std::string_view value;  // without surrounding white space; folding inside stays
  std::string_view raw;    // everything from the "=" to the ";" or the end
};

class TagList {
 public:
  static constexpr std::size_t max_tags = 100;

  // Nothing on any syntax error. The views point into `text`. Values may contain UTF-8 (RFC 8616).
  static std::optional<TagList> parse(std::string_view text);

  // In the order of the text.
  const std::vector<Tag>& tags() const { return tags_; }
  const Tag* find(std::string_view name) const;
  // The tag's value; nothing if there is no such tag.
  std::optional<std::string_view> value(std::string_view name) const;

 private:
  std::vector<Tag> tags_;
};

// The text without folding white space (SP, HTAB, CRLF) at both ends.
std::string_view trim_folding(std::string_view text);
// The parts of a colon-separated list ("h=", "q="), each trimmed. An empty text has one empty part.
std::vector<std::string_view> split_colons(std::string_view list);

}  // namespace sallyport::signature
