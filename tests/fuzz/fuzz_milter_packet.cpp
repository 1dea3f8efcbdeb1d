// The milter protocol both ways: packets do not depend on how the stream is cut; what is understood as a command or an
// answer survives being written again; no header field or reply that is taken can end itself.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/milter/answer.h"
#include "gateway/milter/command.h"
#include "gateway/milter/custom_reply.h"

namespace {

using namespace sallyport;
using namespace sallyport::milter;
using Packets = std::vector<std::pair<char, std::string>>;

Packets read_in_pieces(std::string_view stream, std::size_t piece_octets) {
  PacketReader reader(64 * 1024);
  Packets packets;
  while (!stream.empty()) {
    const std::string piece(stream.substr(0, piece_octets));
    stream.remove_prefix(piece.size());
    std::string_view rest = piece;
    while (!rest.empty()) {
      const auto status = reader.read(rest);
      if (status == PacketReader::Status::malformed) return packets;
      if (status == PacketReader::Status::packet) packets.emplace_back(reader.packet().letter, reader.packet().data);
    }
  }
  return packets;
}

Packet packet_in(std::string_view octets) { return {octets[4], octets.substr(5)}; }

// Written, read and written again it is the same.
template <class Value, class Decode>
void check_round_trip(const Value& value, Decode decode) {
  std::string once;
  encode(once, value);
  const auto again = decode(packet_in(once));
  ensure(again.has_value(), "what was written is not understood");
  std::string twice;
  encode(twice, *again);
  ensure(once == twice, "it changes on its way");
}

void check_answer(const Answer& answer) {
  check_round_trip(answer, decode_answer);
  if (const auto* reply = std::get_if<ReplyText>(&answer)) {
    const auto parsed = parse_custom_reply(reply->text);
    if (!parsed) return;
    ensure(parsed->code >= 400 && parsed->code < 600 && !parsed->lines.empty(), "no refusal");
    for (const std::string& line : parsed->lines)
      ensure(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a line that ends itself");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const Packets packets = read_in_pieces(stream, size + 1);
  ensure(packets == read_in_pieces(stream, 1), "the pieces matter");
  for (const auto& [letter, octets] : packets) {
    if (const auto command = decode_command({letter, octets})) check_round_trip(*command, decode_command);
    if (const auto answer = decode_answer({letter, octets})) check_answer(*answer);
  }
  return 0;
}
