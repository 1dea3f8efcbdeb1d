#include "gateway/upstream/hosts_table.h"

#include <fstream>
#include <iterator>

#include "gateway/base/text.h"

namespace sallyport::upstream {

HostsTable HostsTable::parse(std::string_view text) {
  HostsTable table;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line = line.substr(0, line.find('#'));
    const auto ip = IpAddress::parse(text::take_word(line));
    if (!ip) continue;
    for (std::string_view name = text::take_word(line); !name.empty(); name = text::take_word(line)) {
      if (name.ends_with('.')) name.remove_suffix(1);
      table.addresses_[text::to_lower(name)].push_back(*ip);
    }
  }
  return table;
}

HostsTable HostsTable::read(const std::string& path) {
  std::ifstream file(path);
  return parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::vector<IpAddress> HostsTable::find(std::string_view name) const {
  const std::string wanted = text::to_lower(name);
  if (const auto found = addresses_.find(wanted); found != addresses_.end()) return found->second;
  if (wanted != "localhost" && !wanted.ends_with(".localhost")) return {};
  return {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("::1")};
}

}  // namespace sallyport::upstream
