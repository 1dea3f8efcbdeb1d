// A DNS question: a name and a record type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::dns {

enum class Type : std::uint16_t { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28 };

std::string_view name(Type type);

struct Question {
  std::string name;  // lower case, without the final dot; up to 253 octets
  Type type = Type::A;

  friend bool operator==(const Question&, const Question&) = default;
};

}  // namespace sallyport::dns
