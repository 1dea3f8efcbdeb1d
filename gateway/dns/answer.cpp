#include "gateway/dns/answer.h"

namespace sallyport::dns {

std::string_view name(Status status) { return word(status); }

std::string to_string(const RecordData& record) {
  if (const auto* address = std::get_if<IpAddress>(&record)) return address->to_string();
  if (const auto* mx = std::get_if<Mx>(&record)) return std::to_string(mx->preference) + " " + mx->exchange;
  return std::get<std::string>(record);
}

}  // namespace sallyport::dns
