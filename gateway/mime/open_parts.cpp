#include "gateway/mime/open_parts.h"

#include <algorithm>

namespace sallyport::mime {

namespace {

std::string_view without_white_at_end(std::string_view line) {
  while (!line.empty() && is_white(line.back())) line.remove_suffix(1);
  return line;
}

}  // namespace

bool is_fit_boundary(std::string_view boundary) {
  constexpr std::string_view others = "'()+_,-./:=? ";
  return !boundary.empty() && boundary.size() <= 70 && boundary.back() != ' ' &&
         std::all_of(boundary.begin(), boundary.end(),
                     [&others](char c) { return text::is_alnum(c) || others.find(c) != std::string_view::npos; });
}

OpenPart OpenParts::pop() {
  OpenPart last = std::move(parts_.back());
  parts_.pop_back();
  return last;
}

bool OpenParts::has_boundary(std::string_view boundary) const {
  return !boundary.empty() && std::any_of(parts_.begin(), parts_.end(), [&](const OpenPart& open) {
    return std::find(open.boundaries.begin(), open.boundaries.end(), boundary) != open.boundaries.end();
  });
}

std::optional<OpenParts::Match> OpenParts::match(std::string_view line, bool is_loose) {
  if (is_loose) {
    while (!line.empty() && is_white(line.front())) line.remove_prefix(1);
  }
  if (!line.starts_with("--") || parts_.empty()) return std::nullopt;
  line.remove_prefix(2);
  if (const auto found = match_strictly(line)) return found;
  return match_loosely(line, is_loose);
}

// The innermost multipart that is open and has this delimiter, or else the innermost that is closed already.
std::optional<OpenParts::Match> OpenParts::match_strictly(std::string_view line) {
  const std::string_view text = without_white_at_end(line);
  for (bool is_closed : {false, true}) {
    for (std::size_t i = parts_.size(); i-- > 0;) {
      OpenPart& open = parts_[i];
      if (!open.is_multipart || open.is_closed != is_closed) continue;
      for (std::size_t b = 0; b < open.boundaries.size(); ++b) {
        const std::string_view boundary = without_white_at_end(open.boundaries[b]);
        const std::string_view whole = open.boundaries[b];
        const bool is_open_form = text == boundary;
        const bool is_close =
            (text.size() == boundary.size() + 2 && text.starts_with(boundary) && text.ends_with("--")) ||
            (text.size() == whole.size() + 2 && text.starts_with(whole) && text.ends_with("--"));
        if (!is_open_form && !is_close) continue;
        if (open.chosen && *open.chosen != b) {
          open.other = b;
          continue;
        }
        return Match{i, b, is_close};
      }
    }
  }
  return std::nullopt;
}

// A line that begins with a boundary and goes on: a delimiter to readers that look at the beginning only.
std::optional<OpenParts::Match> OpenParts::match_loosely(std::string_view line, bool is_loose) {
  std::optional<Match> longest;
  std::size_t length = 0;
  for (std::size_t i = parts_.size(); i-- > 0;) {
    OpenPart& open = parts_[i];
    if (!open.is_multipart) continue;
    for (std::size_t b = 0; b < open.boundaries.size(); ++b) {
      const std::string_view boundary = without_white_at_end(open.boundaries[b]);
      if (boundary.size() <= length || !line.starts_with(boundary) || (open.chosen && *open.chosen != b)) continue;
      length = boundary.size();
      longest = Match{i, b, line.substr(length).starts_with("--")};
    }
  }
  if (!longest) return std::nullopt;
  OpenPart& open = parts_[longest->open];
  if (is_loose) return longest;
  open.has_prefix = true;
  return std::nullopt;
}

}  // namespace sallyport::mime
