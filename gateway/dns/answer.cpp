#include "gateway/dns/answer.h"

namespace sallyport::dns {

std::string_view name(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::no_data:
      return "no_data";
    case Status::nxdomain:
      return "nxdomain";
    case Status::servfail:
      return "servfail";
    case Status::timeout:
      return "timeout";
    case Status::budget:
      return "budget";
  }
  return "unknown";
}

std::string to_string(const RecordData& record) {
  if (const auto* address = std::get_if<IpAddress>(&record)) return address->to_string();
  if (const auto* mx = std::get_if<Mx>(&record)) return std::to_string(mx->preference) + " " + mx->exchange;
  return std::get<std::string>(record);
}

}  // namespace sallyport::dns
