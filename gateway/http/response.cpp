#include "gateway/http/response.h"

#include <algorithm>
#include <charconv>

#include "gateway/base/text.h"

namespace sallyport::http {

namespace {

constexpr int most_interim_answers = 5;
constexpr std::size_t most_chunk_digits = 8;

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [marks](char c) {
    return text::is_alnum(c) || marks.find(c) != std::string_view::npos;
  });
}

bool has_no_content(int status) { return status == 204 || status == 304; }

}  // namespace

const std::string* Response::find(std::string_view name) const {
  for (const auto& [one, value] : headers) {
    if (one == name) return &value;
  }
  return nullptr;
}

void ResponseReader::fail(std::string_view problem) {
  state_ = State::failed;
  problem_ = problem;
}

void ResponseReader::feed(std::string_view octets) {
  while (!octets.empty() && state_ == State::wants_more) {
    if (part_ == Part::counted_content || part_ == Part::content_to_the_end || part_ == Part::chunk) {
      octets.remove_prefix(take_content(octets));
      continue;
    }
    const std::size_t end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    head_octets_ += piece.size() + 1;
    if (head_octets_ > most_head_octets) return fail("a header section that is too long");
    line_ += piece;
    if (end == std::string_view::npos) return;
    octets.remove_prefix(end + 1);
    if (!line_.ends_with('\r')) return fail("a line without CR");
    line_.pop_back();
    const std::string line = std::exchange(line_, {});
    if (line.find_first_of(std::string_view("\r\0", 2)) != std::string::npos) return fail("a CR or NUL in a line");
    take_line(line);
  }
}

void ResponseReader::take_line(std::string_view line) {
  switch (part_) {
    case Part::status_line:
      return take_status_line(line);
    case Part::field:
      return line.empty() ? end_of_head() : take_field(line);
    case Part::chunk_size:
      return take_chunk_size(line);
    case Part::chunk_end:
      if (!line.empty()) return fail("a chunk that is longer than it says");
      part_ = Part::chunk_size;
      return;
    case Part::trailer:
      if (line.empty()) state_ = State::done;
      return;
    default:
      return fail("a line in the content");
  }
}

void ResponseReader::take_status_line(std::string_view line) {
  const bool is_known = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!is_known || line.size() < 12 || (line.size() > 12 && line[12] != ' ')) return fail("not an answer of HTTP/1.1");
  const auto status = text::to_number(line.substr(9, 3), 599);
  if (!status || *status < 100) return fail("not an answer of HTTP/1.1");
  response_.status = static_cast<int>(*status);
  part_ = Part::field;
}

void ResponseReader::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return fail("a malformed header field");
  if (response_.headers.size() == most_fields) return fail("too many header fields");
  response_.headers.emplace_back(text::to_lower(line.substr(0, colon)), text::trim(line.substr(colon + 1)));
}

void ResponseReader::end_of_head() {
  if (response_.status < 200) {
    if (response_.status == 101 || ++interim_answers_ > most_interim_answers) return fail("too many interim answers");
    response_ = {};
    part_ = Part::status_line;
    return;
  }
  if (frame_content() && (part_ == Part::counted_content && left_ == 0)) state_ = State::done;
}

// How long the content is (RFC 9112, 6.3).
bool ResponseReader::frame_content() {
  std::optional<std::uint64_t> length;
  bool is_chunked = false;
  for (const auto& [name, value] : response_.headers) {
    if (name == "transfer-encoding") {
      if (is_chunked || !text::equals_ignoring_case(value, "chunked")) {
        fail("an unknown transfer coding");
        return false;
      }
      is_chunked = true;
    } else if (name == "content-length") {
      const auto number = text::to_number(value);
      if (!number || (length && *length != *number)) {
        fail("a content length that is none");
        return false;
      }
      length = number;
    }
  }
  if (is_chunked && length) {
    fail("a content length beside a transfer coding");
    return false;
  }
  if (has_no_content(response_.status)) {
    part_ = Part::counted_content;
    left_ = 0;
  } else if (is_chunked) {
    part_ = Part::chunk_size;
  } else if (length) {
    part_ = Part::counted_content;
    left_ = *length;
    if (*length > most_body_octets_) {
      fail("too_large");
      return false;
    }
    // Once, and not twice as much each time that there is no room. What does not come is not touched.
    response_.body.reserve(*length);
  } else {
    part_ = Part::content_to_the_end;
  }
  return true;
}

void ResponseReader::take_chunk_size(std::string_view line) {
  const std::string_view digits = text::trim(line.substr(0, line.find(';')));
  std::uint32_t size = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, size, 16);
  if (digits.empty() || digits.size() > most_chunk_digits || read.ptr != end) return fail("a chunk without its size");
  // Framing counts against the head's bound only as long as nothing comes with it.
  if (size > 0) head_octets_ = 0;
  left_ = size;
  part_ = size == 0 ? Part::trailer : Part::chunk;
}

// Gives how many octets of the content were used.
std::size_t ResponseReader::take_content(std::string_view octets) {
  const bool is_bounded = part_ != Part::content_to_the_end;
  const std::size_t count = is_bounded ? std::min<std::uint64_t>(octets.size(), left_) : octets.size();
  if (response_.body.size() + count > most_body_octets_) {
    fail("too_large");
    return count;
  }
  response_.body += octets.substr(0, count);
  if (!is_bounded) return count;
  left_ -= count;
  if (left_ > 0) return count;
  if (part_ == Part::chunk) {
    part_ = Part::chunk_end;
  } else {
    state_ = State::done;
  }
  return count;
}

void ResponseReader::end() {
  if (state_ != State::wants_more) return;
  if (part_ == Part::content_to_the_end) {
    state_ = State::done;
  } else {
    fail("an answer without its end");
  }
}

}  // namespace sallyport::http
