// A DNS question: a name and a record type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::dns {

enum class Type : std::uint16_t { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28 };

std::string_view name(Type type);
// For fields() (gateway/base/field_json.h): the name of the type.
inline std::string to_field_text(Type type) { return std::string(name(type)); }
bool from_field_text(std::string_view text, Type& type);

struct Question {
  std::string name;  // lower case, without the final dot; up to 253 octets
  Type type = Type::A;

  friend bool operator==(const Question&, const Question&) = default;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("type", type);
  }
};

}  // namespace sallyport::dns
