#include "gateway/milter/packet.h"

#include <algorithm>
#include <exception>

#include "gateway/base/ensure.h"

namespace sallyport::milter {

namespace {

constexpr std::size_t kept_octets = std::size_t{64} * 1024;  // of memory, from one packet to the next

std::uint32_t big_endian(const std::array<unsigned char, 4>& octets) {
  return std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 | std::uint32_t{octets[2]} << 8 | octets[3];
}

}  // namespace

void PacketReader::finish(std::string_view octets) {
  packet_ = {octets.front(), octets.substr(1)};
  length_octets_ = 0;
}

PacketReader::Status PacketReader::read(std::string_view& input) {
  if (is_malformed_) return Status::malformed;
  if (is_body_used_) {
    is_body_used_ = false;
    body_.clear();
    if (body_.capacity() > kept_octets) body_.shrink_to_fit();
  }
  while (length_octets_ < length_.size() && !input.empty()) {
    length_[length_octets_++] = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
  }
  if (length_octets_ < length_.size()) return Status::want_more;
  const std::uint32_t length = big_endian(length_);
  if (length == 0 || length > most_octets_) {
    is_malformed_ = true;
    return Status::malformed;
  }
  if (body_.empty() && input.size() >= length) {
    const std::string_view octets = input.substr(0, length);
    input.remove_prefix(length);
    finish(octets);
    return Status::packet;
  }
  const std::size_t share = std::min<std::size_t>(length - body_.size(), input.size());
  body_.append(input.substr(0, share));
  input.remove_prefix(share);
  if (body_.size() < length) return Status::want_more;
  is_body_used_ = true;
  finish(body_);
  return Status::packet;
}

PacketWriter::PacketWriter(std::string& out, char letter)
    : out_(out), begin_(out.size()), exceptions_(std::uncaught_exceptions()) {
  const char head[] = {0, 0, 0, 0, letter};
  out_.append(head, sizeof head);  // in one step, or not at all
}

PacketWriter::~PacketWriter() {
  if (std::uncaught_exceptions() > exceptions_) {
    out_.resize(begin_);
    return;
  }
  const auto length = static_cast<std::uint32_t>(out_.size() - begin_ - 4);
  for (std::size_t i = 0; i < 4; ++i) out_[begin_ + i] = static_cast<char>(length >> (24 - 8 * i) & 0xff);
}

PacketWriter& PacketWriter::octets(std::string_view octets) {
  out_.append(octets);
  return *this;
}

PacketWriter& PacketWriter::letter(char letter) {
  out_.push_back(letter);
  return *this;
}

PacketWriter& PacketWriter::u16(std::uint16_t number) {
  out_.push_back(static_cast<char>(number >> 8 & 0xff));
  out_.push_back(static_cast<char>(number & 0xff));
  return *this;
}

PacketWriter& PacketWriter::u32(std::uint32_t number) {
  return u16(static_cast<std::uint16_t>(number >> 16)).u16(static_cast<std::uint16_t>(number & 0xffff));
}

PacketWriter& PacketWriter::text(std::string_view text) {
  while (true) {
    const std::size_t end = text.find('\0');
    out_.append(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  out_.push_back('\0');
  return *this;
}

bool DataReader::letter(char& letter) {
  if (rest_.empty()) return false;
  letter = rest_.front();
  rest_.remove_prefix(1);
  return true;
}

bool DataReader::u16(std::uint16_t& number) {
  if (rest_.size() < 2) {
    rest_ = {};
    return false;
  }
  const auto octet = [this](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(rest_[i])); };
  number = static_cast<std::uint16_t>(octet(0) << 8 | octet(1));
  rest_.remove_prefix(2);
  return true;
}

bool DataReader::u32(std::uint32_t& number) {
  std::uint16_t high = 0;
  std::uint16_t low = 0;
  if (rest_.size() < 4 || !u16(high) || !u16(low)) {
    rest_ = {};
    return false;
  }
  number = std::uint32_t{high} << 16 | low;
  return true;
}

bool DataReader::text(std::string_view& text) {
  const std::size_t end = rest_.find('\0');
  if (end == std::string_view::npos) {
    rest_ = {};
    return false;
  }
  text = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return true;
}

}  // namespace sallyport::milter
