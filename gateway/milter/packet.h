// Packets of the milter protocol: a length of four octets, a letter, and data; cut out of a stream, and put together.
//
// PacketReader takes a stream in pieces of any size; the packets are the same. It holds at most the one packet that is
// not complete, and takes memory as the octets arrive, not as a length announces them. A length of 0 or above the limit
// is malformed, and so is everything after it (threats.md F1): the connection must be given up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/milter/protocol.h"

namespace sallyport::milter {

struct Packet {
  char letter = 0;
  std::string_view data;
};

class PacketReader {
 public:
  enum class Status : std::uint8_t { packet, want_more, malformed };

  // `most_octets`: of the letter and the data together.
  explicit PacketReader(std::uint32_t most_octets = most_packet_octets) : most_octets_(most_octets) {}

  // Takes octets from the front of `input` up to the end of one packet. All of them are taken when there is none.
  Status read(std::string_view& input);
  // The packet that read() has found. Its data may point into the input: it is valid until the next read(), and as long
  // as the octets that were given to it stay where they are.
  const Packet& packet() const { return packet_; }
  // True in the middle of a packet: an end of the stream cuts it off.
  bool is_in_packet() const { return length_octets_ > 0; }

 private:
  void finish(std::string_view octets);

  std::uint32_t most_octets_;
  std::array<unsigned char, 4> length_{};
  std::size_t length_octets_ = 0;  // of length_ that are there; 0 between two packets
  std::string body_;               // letter and data, when they came in several pieces
  bool is_body_used_ = false;      // the last packet lies in body_
  bool is_malformed_ = false;
  Packet packet_;
};

// Adds one packet to `out`. The destructor writes its length. The data of a packet of ours must fit the limit of the
// receiver: what strangers have sent is bounded by whoever passes it on. When an exception leaves the block in which
// the packet is made (there is no memory for it), the destructor takes back what is there of it: half a header field
// would be understood as a whole one.
class PacketWriter {
 public:
  PacketWriter(std::string& out, char letter);
  PacketWriter(const PacketWriter&) = delete;
  PacketWriter& operator=(const PacketWriter&) = delete;
  ~PacketWriter();

  PacketWriter& octets(std::string_view octets);
  PacketWriter& letter(char letter);
  PacketWriter& u16(std::uint16_t number);
  PacketWriter& u32(std::uint32_t number);
  // A text and the NUL that ends it. A NUL inside, which would make two texts of one, is left out.
  PacketWriter& text(std::string_view text);

 private:
  std::string& out_;
  std::size_t begin_;
  int exceptions_;  // under way when the packet was begun
};

// Takes the data of a packet apart from its front. Each step says whether it was there; after one that was not,
// nothing more is.
class DataReader {
 public:
  explicit DataReader(std::string_view data) : rest_(data) {}

  bool u16(std::uint16_t& number);
  bool u32(std::uint32_t& number);
  bool letter(char& letter);
  bool text(std::string_view& text);  // up to its NUL
  bool is_at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace sallyport::milter
