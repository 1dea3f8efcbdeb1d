#include "gateway/dns/question.h"

namespace sallyport::dns {

std::string_view name(Type type) {
  switch (type) {
    case Type::A:
      return "A";
    case Type::NS:
      return "NS";
    case Type::CNAME:
      return "CNAME";
    case Type::SOA:
      return "SOA";
    case Type::PTR:
      return "PTR";
    case Type::MX:
      return "MX";
    case Type::TXT:
      return "TXT";
    case Type::AAAA:
      return "AAAA";
  }
  return "unknown";
}

bool from_field_text(std::string_view text, Type& type) {
  for (const Type one : {Type::A, Type::NS, Type::CNAME, Type::SOA, Type::PTR, Type::MX, Type::TXT, Type::AAAA}) {
    if (name(one) != text) continue;
    type = one;
    return true;
  }
  return false;
}

}  // namespace sallyport::dns
