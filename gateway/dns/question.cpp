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

}  // namespace sallyport::dns
