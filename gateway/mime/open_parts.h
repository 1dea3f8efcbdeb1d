// OpenParts: the multiparts and attached messages whose end has not come, innermost last, and which of their delimiters
// a line is (RFC 2046, 5.1.1). Its own stack, so that nothing recurses.
//
// A body uses one boundary of a multipart: the one that comes first, where parameters contradict each other. Others
// that come after it, and lines that begin with a boundary and go on, are noted: to other readers they are delimiters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/mime/tree.h"

namespace sallyport::mime {

struct OpenPart {
  PartIndex part = the_message;
  bool is_multipart = true;
  bool is_digest = false;
  std::vector<std::string> boundaries;
  std::optional<std::size_t> chosen;  // the one of them that the body uses
  bool has_parts = false;
  bool is_closed = false;            // its last delimiter has come
  bool has_prefix = false;           // a line began like a delimiter and went on
  std::optional<std::size_t> other;  // another of them that is a delimiter in the body, too
  std::uint64_t begin = 0;           // of its content
  std::vector<Coding> codings;
  bool has_odd_header = false;  // its header section ends earlier to other readers
};

class OpenParts {
 public:
  struct Match {
    std::size_t open;      // which of the open parts
    std::size_t boundary;  // which of its boundaries
    bool is_close;
  };

  bool empty() const { return parts_.empty(); }
  std::size_t size() const { return parts_.size(); }
  OpenPart& operator[](std::size_t index) { return parts_[index]; }
  OpenPart& innermost() { return parts_.back(); }
  void push(OpenPart part) { parts_.push_back(std::move(part)); }
  OpenPart pop();
  // True if an open multipart has the same boundary.
  bool has_boundary(std::string_view boundary) const;

  // The delimiter that the line, without its end, is. Loosely: with white space in front of it, and whatever follows.
  std::optional<Match> match(std::string_view line, bool is_loose);

 private:
  std::optional<Match> match_strictly(std::string_view line);
  std::optional<Match> match_loosely(std::string_view line, bool is_loose);

  std::vector<OpenPart> parts_;
};

// White space and controls, which some readers skip.
inline bool is_white(char c) { return text::is_space(c) || text::is_control(c); }
// By RFC 2046, 5.1.1.
bool is_fit_boundary(std::string_view boundary);

}  // namespace sallyport::mime
