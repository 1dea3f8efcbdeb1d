// Packets out of a stream that comes in pieces of any size, and packets put together.
#include "gateway/milter/packet.h"

#include <gtest/gtest.h>

#include <new>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::milter {
namespace {

using namespace std::string_literals;
using Status = PacketReader::Status;
using Packets = std::vector<std::pair<char, std::string>>;

// All packets of the stream, given in pieces of so many octets, and how the reading ended.
std::pair<Packets, Status> read_in_pieces(std::string_view stream, std::size_t piece_octets,
                                          std::uint32_t most = most_packet_octets) {
  PacketReader reader(most);
  Packets packets;
  while (!stream.empty()) {
    std::string piece(stream.substr(0, piece_octets));  // of its own, so that views into it die with it
    stream.remove_prefix(piece.size());
    std::string_view rest = piece;
    while (!rest.empty()) {
      const Status status = reader.read(rest);
      if (status == Status::malformed) return {packets, status};
      if (status == Status::packet) packets.emplace_back(reader.packet().letter, reader.packet().data);
    }
  }
  return {packets, reader.is_in_packet() ? Status::want_more : Status::packet};
}

std::string packet(char letter, std::string_view data) {
  std::string out;
  PacketWriter(out, letter).octets(data);
  return out;
}

TEST(Packets, AreTheSameInPiecesOfAnySize) {
  const Packets sent = {{'C', "host\0U"s}, {'T', ""}, {'B', std::string(70000, 'x')}, {'E', "y"}, {'Q', ""}};
  std::string stream;
  for (const auto& [letter, data] : sent) stream += packet(letter, data);
  for (const std::size_t octets : {1, 2, 3, 4, 5, 7, 1000, 65536, 1 << 20}) {
    SCOPED_TRACE(octets);
    EXPECT_EQ(read_in_pieces(stream, octets), std::pair(sent, Status::packet));
  }
}

TEST(Packets, AreNotThereBeforeTheirLastOctet) {
  const std::string whole = packet('H', "client.example\0"s);
  for (std::size_t octets = 1; octets < whole.size(); ++octets) {
    PacketReader reader;
    std::string_view input = std::string_view(whole).substr(0, octets);
    EXPECT_EQ(reader.read(input), Status::want_more);
    EXPECT_TRUE(reader.is_in_packet());
    EXPECT_TRUE(input.empty());
  }
}

TEST(Packets, OfLengthNoughtAreMalformedForEver) {
  PacketReader reader;
  std::string stream = std::string(4, '\0') + packet('T', "");
  std::string_view input = stream;
  EXPECT_EQ(reader.read(input), Status::malformed);
  EXPECT_EQ(reader.read(input), Status::malformed);
}

TEST(Packets, AboveTheLimitAreMalformedBeforeTheirDataCome) {
  EXPECT_EQ(read_in_pieces(packet('B', std::string(9, 'x')), 1, 10).second, Status::packet);
  EXPECT_EQ(read_in_pieces(std::string("\0\0\0\x0b", 4), 1, 10).second, Status::malformed);
  EXPECT_EQ(read_in_pieces(std::string("\xff\xff\xff\xff", 4), 4).second, Status::malformed);
  EXPECT_EQ(read_in_pieces(std::string("\0\x10\0\x01", 4), 4).second, Status::malformed);  // 1 MiB and 1
  EXPECT_EQ(read_in_pieces(std::string("\0\x10\0\0", 4), 4).second, Status::want_more);
}

TEST(Packets, HaveTheirLengthInFront) {
  std::string out = "before";
  PacketWriter(out, 'O').u32(6).u16(0x1ff).letter('x').text("a b").octets("z");
  EXPECT_EQ(out, "before\0\0\0\x0dO\0\0\0\x06\x01\xffxa b\0z"s);
}

TEST(Packets, TextsCannotEndThemselves) {
  std::string out;
  PacketWriter(out, 'H').text("a\0b\0\0c"s);
  EXPECT_EQ(out, "\0\0\0\x05Habc\0"s);
}

TEST(Packets, ThatAreNotFinishedAreTakenBack) {
  std::string out = "before";
  const auto fail_halfway = [&out] {
    PacketWriter packet(out, 'h');
    packet.text("Subject");
    throw std::bad_alloc();
  };
  EXPECT_THROW(fail_halfway(), std::bad_alloc);
  EXPECT_EQ(out, "before");
  // While another exception is under way, as in a destructor, packets are whole all the same.
  struct AtItsEnd {
    std::string& out;
    ~AtItsEnd() { PacketWriter(out, 'A'); }
  };
  const auto fail = [&out] {
    const AtItsEnd at_its_end{out};
    throw std::bad_alloc();
  };
  EXPECT_THROW(fail(), std::bad_alloc);
  EXPECT_EQ(out,
            "before\0\0\0\x01"
            "A"s);
}

TEST(DataReaders, GiveNothingAfterSomethingWasMissing) {
  const std::string octets = "\0\x01text\0rest"s;
  DataReader data(octets);
  std::uint16_t number = 0;
  std::string_view text;
  EXPECT_TRUE(data.u16(number));
  EXPECT_EQ(number, 1);
  EXPECT_TRUE(data.text(text));
  EXPECT_EQ(text, "text");
  EXPECT_EQ(data.rest(), "rest");
  EXPECT_FALSE(data.text(text));
  EXPECT_TRUE(data.is_at_end());
  std::uint32_t four = 0;
  const std::string zeros(3, '\0');
  DataReader three(zeros);
  EXPECT_FALSE(three.u32(four));
  EXPECT_FALSE(three.u16(number));
}

}  // namespace
}  // namespace sallyport::milter
