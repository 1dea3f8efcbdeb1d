#include "gateway/mime/text_scan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/mime/content_fields.h"
#include "gateway/mime/limits.h"

namespace sallyport::mime {

namespace {

// In front of a delimiter: a CR is the end of a line to some readers.
bool is_indent(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view without_white_at_end(std::string_view line) {
  while (!line.empty() && (text::is_space(line.back()) || text::is_control(line.back()))) line.remove_suffix(1);
  return line;
}

// "begin 644 name": the name; nothing for other lines.
std::optional<std::string_view> uuencode_name(std::string_view line) {
  if (!line.starts_with("begin ") && !line.starts_with("begin-base64 ")) return std::nullopt;
  line.remove_prefix(line.find(' '));
  while (line.starts_with(' ')) line.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < line.size() && line[digits] >= '0' && line[digits] <= '7') ++digits;
  if (digits < 3 || digits > 4 || digits >= line.size() || line[digits] != ' ') return std::nullopt;
  line.remove_prefix(digits);
  while (line.starts_with(' ')) line.remove_prefix(1);
  return without_white_at_end(line);
}

// Whether a line is one of uuencode: the first octet tells how many there are. Base64 lines are taken as they are.
bool is_uuencoded(std::string_view line) {
  line = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
  if (line.empty() || line.front() < ' ' || line.front() > '`') return false;
  const std::size_t octets = static_cast<std::size_t>(line.front() - ' ') & 0x3f;
  const std::size_t digits = (octets + 2) / 3 * 4;
  return line.size() - 1 <= digits + 2 && line.size() + 3 >= digits;
}

}  // namespace

void TextScan::feed(std::string_view octets) {
  std::size_t at = 0;
  while (at < octets.size()) {
    if (at_line_start_) {
      at_line_start_ = false;
      line_begin_ = offset_ + at;
      const bool is_wanted = wants_line(octets[at]);
      is_indented_ = !is_wanted && is_indent(octets[at]);
      skips_line_ = !is_wanted && !is_indented_;
    }
    const void* found = std::memchr(octets.data() + at, '\n', octets.size() - at);
    const bool is_whole = found != nullptr;
    const std::size_t end =
        is_whole ? static_cast<std::size_t>(static_cast<const char*>(found) - octets.data()) : octets.size();
    const std::string_view piece = octets.substr(at, end - at);
    if (!skips_line_ && is_indented_ && is_other_line(piece)) {
      skips_line_ = true;
      held_.clear();
    }
    if (!skips_line_) {
      if (is_whole && held_.empty()) {
        line(piece.substr(0, most_line), line_begin_, offset_ + end + 1);
      } else {
        held_ += piece.substr(0, most_line - std::min(most_line, held_.size()));
        if (is_whole) {
          line(held_, line_begin_, offset_ + end + 1);
          held_.clear();
        }
      }
    }
    if (!is_whole) break;
    at_line_start_ = true;
    is_first_line_ = false;
    at = end + 1;
  }
  offset_ += octets.size();
}

void TextScan::end() {
  if (!held_.empty()) line(held_, line_begin_, offset_);
  held_.clear();
  close_file(offset_);
}

// Of an indented line: whether its first octet that is no white space has come, and is no hyphen.
bool TextScan::is_other_line(std::string_view piece) {
  const std::size_t text = piece.find_first_not_of(" \t\r");
  if (text == std::string_view::npos) return false;
  is_indented_ = false;
  return piece[text] != '-';
}

bool TextScan::wants_line(char first) const {
  if (is_first_line_ || maybe_ || may_be_uuencode_) return true;
  return first == '-' || first == 'b' || first == '=' || first == '(' || (first == 'e' && open_);
}

void TextScan::line(std::string_view line, std::uint64_t begin, std::uint64_t end) {
  if (is_first_line_) findings_.begins_with_fields = is_content_field(line);
  if (line.starts_with("-----BEGIN PGP MESSAGE-----")) findings_.has_pgp_message = true;
  look_for_structure(line, begin);
  if (may_be_uuencode_) {
    may_be_uuencode_ = false;
    if (open_->coding == Coding::uuencode && !is_uuencoded(line) && open_->name.empty()) open_.reset();
  }
  if (open_) {
    const std::string_view trimmed = without_white_at_end(line);
    const bool is_end = (open_->coding == Coding::uuencode && (trimmed == "end" || trimmed == "====")) ||
                        (open_->coding == Coding::yenc && trimmed.starts_with("=yend"));
    if (is_end) {
      close_file(end);
      return;
    }
  }
  look_for_file(line, begin);
}

void TextScan::look_for_structure(std::string_view line, std::uint64_t begin) {
  if (findings_.structure) return;
  if (maybe_) {
    if (is_content_field(line)) {
      findings_.structure = std::move(maybe_);
      maybe_.reset();
      return;
    }
    const bool goes_on =
        ++fields_behind_ < most_fields && (is_field_like(line) || (!line.empty() && text::is_space(line.front())));
    if (goes_on) return;
    maybe_.reset();
  }
  while (!line.empty() && is_indent(line.front())) line.remove_prefix(1);
  if (!line.starts_with("--")) return;
  const std::string_view boundary = without_white_at_end(line.substr(2));
  if (boundary.empty() || boundary.size() > max_boundary_octets || boundary.ends_with("--")) return;
  maybe_ = HiddenStructure{begin, std::string(boundary)};
  fields_behind_ = 0;
}

void TextScan::look_for_file(std::string_view line, std::uint64_t begin) {
  if (findings_.files.size() >= most_files) return;
  std::optional<EmbeddedFile> file;
  if (const auto name = uuencode_name(line)) {
    file = EmbeddedFile{begin, 0, Coding::uuencode, std::string(name->substr(0, max_name_octets))};
  } else if (line.starts_with("=ybegin ")) {
    const std::size_t name_at = line.find(" name=");
    const std::string_view told = name_at == std::string_view::npos ? std::string_view() : line.substr(name_at + 6);
    file = EmbeddedFile{begin, 0, Coding::yenc, std::string(without_white_at_end(told))};
  } else if (line.starts_with("(This file must be converted with BinHex")) {
    file = EmbeddedFile{begin, 0, Coding::binhex, {}};
  }
  if (!file) return;
  close_file(begin);
  open_ = std::move(file);
  may_be_uuencode_ = open_->coding == Coding::uuencode;
}

void TextScan::close_file(std::uint64_t end) {
  if (!open_) return;
  open_->end = end;
  findings_.files.push_back(std::move(*open_));
  open_.reset();
  may_be_uuencode_ = false;
}

}  // namespace sallyport::mime
