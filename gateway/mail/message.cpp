#include "gateway/mail/message.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::mail {

namespace {

// Most messages are a few KiB, so the first block is small; later blocks are large enough to be worth a system call.
constexpr std::size_t first_block_octets = 4 * 1024;
constexpr std::size_t most_block_octets = 64 * 1024;
constexpr std::size_t first_header_octets = 2 * 1024;

constexpr std::string_view crlf = "\r\n";
constexpr std::string_view end_of_header = "\r\n\r\n";

// How many octets of the end-of-header sequence the stored header already ends with. The beginning of a message counts
// as being after a line end: a message that begins with an empty line has no fields.
std::size_t matched_at_end(std::string_view header) {
  if (header.empty()) return crlf.size();
  if (header == "\r") return crlf.size() + 1;
  for (std::size_t length = end_of_header.size() - 1; length > 0; --length) {
    if (header.ends_with(end_of_header.substr(0, length))) return length;
  }
  return 0;
}

// How many of `octets` belong to the header if it ends within them; npos if it does not.
std::size_t find_end_of_header(std::string_view header, std::string_view octets) {
  std::string_view missing = end_of_header.substr(matched_at_end(header));
  if (octets.starts_with(missing)) return missing.size();
  std::size_t at = octets.find(end_of_header);
  return at == std::string_view::npos ? at : at + end_of_header.size();
}

// The length of a mailbox `From ` line at the start; 0 when there is none. "From :" is an old way to write the field
// (RFC 5322, 4.5.2), not such a line.
std::size_t mailbox_line_length(std::string_view header) {
  if (!header.starts_with("From ")) return 0;
  std::size_t word = header.find_first_not_of(" \t", 4);
  if (word == std::string_view::npos || header[word] == ':') return 0;
  std::size_t end = header.find(crlf);
  return end == std::string_view::npos ? 0 : end + crlf.size();
}

}  // namespace

Message::Message(MessageLimits limits, Spool& spool) : limits_(limits), spool_(&spool) {}
Message::Message(Message&&) noexcept = default;
Message& Message::operator=(Message&&) noexcept = default;
Message::~Message() = default;

void Message::append(std::string_view octets) {
  octets_ += octets.size();
  if (is_over_limit()) {
    if (header_complete_) body_octets_ += octets.size();
    drop_body();
    return;
  }
  if (header_complete_) {
    append_body(octets);
  } else {
    append_header(octets);
  }
}

void Message::append_header(std::string_view octets) {
  // Forces the string onto the heap: the parsed section's views must survive a move, and the octets of a short string
  // would be copied.
  if (header_.empty()) header_.reserve(first_header_octets);
  std::size_t count = find_end_of_header(header_, octets);
  header_complete_ = count != std::string_view::npos;
  // One octet more than allowed is kept, which shows later that the limit was passed.
  const std::size_t allowed = max_header_octets + 1 - header_.size();
  count = std::min({count, octets.size(), allowed});
  header_.append(octets.data(), count);
  if (header_.size() > max_header_octets) header_complete_ = true;
  memory_used_ = header_.size();
  if (header_complete_) append_body(octets.substr(count));
}

void Message::append_body(std::string_view octets) {
  body_octets_ += octets.size();
  while (!octets.empty() && !failed_) {
    if (room_ == 0) {
      make_room();
      continue;
    }
    const std::size_t count = std::min(octets.size(), room_);
    blocks_.back().append(octets.data(), count);
    room_ -= count;
    octets.remove_prefix(count);
  }
}

// The size of the block in which data for the file is collected; smaller if the memory bound is smaller.
std::uint64_t Message::tail_capacity() const {
  return std::clamp<std::uint64_t>(limits_.memory_octets, first_block_octets, most_block_octets);
}

void Message::make_room() {
  if (last_is_tail_) {
    write_out_tail();
    return;
  }
  const std::uint64_t used = memory_used_ + tail_capacity();
  const std::uint64_t left = limits_.memory_octets - std::min(limits_.memory_octets, used);
  const std::uint64_t grown =
      std::min(first_block_octets << std::min<std::size_t>(blocks_.size(), 8), most_block_octets);
  last_is_tail_ = left == 0;
  room_ = static_cast<std::size_t>(last_is_tail_ ? tail_capacity() : std::min(grown, left));
  memory_used_ += room_;
  blocks_.emplace_back().reserve(room_);
}

void Message::write_out_tail() {
  if (!file_) {
    auto opened = spool_->open();
    if (opened) file_ = std::move(*opened);
  }
  std::string& tail = blocks_.back();
  if (!file_ || !file_->append(tail)) {
    failed_ = true;
    drop_body();
    return;
  }
  file_octets_ += tail.size();
  room_ = tail.size();
  tail.clear();
}

void Message::drop_body() {
  blocks_ = {};
  memory_used_ = header_.size();
  room_ = 0;
  file_.reset();
  file_octets_ = 0;
}

void Message::parse_header() {
  if (std::size_t length = mailbox_line_length(header_)) {
    header_.erase(0, length);
    had_mailbox_line_ = true;
  }
  section_ = HeaderSection(header_);
}

Message::BodyPieces Message::body_from(std::uint64_t offset) const {
  BodyPieces pieces(*this);
  if (is_over_limit() || failed_) return pieces;  // next() says so
  const std::size_t before_file = last_is_tail_ ? blocks_.size() - 1 : blocks_.size();
  while (pieces.block_ < before_file && offset >= blocks_[pieces.block_].size()) {
    offset -= blocks_[pieces.block_++].size();
  }
  if (pieces.block_ == before_file) {
    pieces.file_offset_ = std::min(offset, file_octets_);
    offset -= pieces.file_offset_;
  }
  pieces.skip_ = offset;
  return pieces;
}

Result<std::string_view> Message::BodyPieces::next() {
  while (true) {
    auto piece = next_whole();
    if (!piece || piece->empty() || skip_ == 0) return piece;
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, piece->size()));
    skip_ -= skipped;
    if (skipped < piece->size()) return piece->substr(skipped);
  }
}

Result<std::string_view> Message::BodyPieces::next_whole() {
  if (message_.is_over_limit() || message_.failed_) return Failure{"the body was not kept"};
  const auto& blocks = message_.blocks_;
  const std::size_t before_file = message_.last_is_tail_ ? blocks.size() - 1 : blocks.size();
  if (block_ < before_file) return std::string_view(blocks[block_++]);
  if (file_offset_ < message_.file_octets_) {
    const std::uint64_t left = message_.file_octets_ - file_offset_;
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left, most_block_octets));
    auto read = message_.file_->read(file_offset_, most, from_file_);
    if (!read) return read.error();
    if (from_file_.size() != most) return Failure{"a spool file is shorter than what was written to it"};
    file_offset_ += most;
    return std::string_view(from_file_);
  }
  if (block_ < blocks.size()) return std::string_view(blocks[block_++]);
  return std::string_view();
}

}  // namespace sallyport::mail
