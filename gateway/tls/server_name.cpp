#include "gateway/tls/server_name.h"

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport::tls {

namespace {

// Removes a field with a two-octet length from the front; nothing if it is longer than `octets`.
std::optional<std::string_view> take_field(std::string_view& octets) {
  if (octets.size() < 2) return std::nullopt;
  std::size_t length = static_cast<unsigned char>(octets[0]) * 256u + static_cast<unsigned char>(octets[1]);
  octets.remove_prefix(2);
  if (octets.size() < length) return std::nullopt;
  std::string_view field = octets.substr(0, length);
  octets.remove_prefix(length);
  return field;
}

constexpr char host_name_type = 0;

}  // namespace

std::string requested_host(std::string_view extension) {
  auto list = take_field(extension);
  if (!list || !extension.empty()) return {};
  // One name per type is allowed, and host_name is the only type defined.
  if (list->empty() || list->front() != host_name_type) return {};
  list->remove_prefix(1);
  auto host = take_field(*list);
  if (!host || !list->empty()) return {};
  if (host->ends_with('.')) host->remove_suffix(1);
  return is_domain_name(*host) ? text::to_lower(*host) : std::string{};
}

bool ServerNames::add(std::string_view pattern, std::size_t place) {
  std::string_view host = pattern;
  if (host.starts_with("*.")) host.remove_prefix(2);
  if (!is_domain_name(host)) return false;
  return places_.emplace(text::to_lower(pattern), place).second;
}

std::optional<std::size_t> ServerNames::find(std::string_view host) const {
  if (auto exact = places_.find(host); exact != places_.end()) return exact->second;
  auto dot = host.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto wild = places_.find("*" + std::string(host.substr(dot)));
  if (wild == places_.end()) return std::nullopt;
  return wild->second;
}

}  // namespace sallyport::tls
