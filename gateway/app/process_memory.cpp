#include "gateway/app/process_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>

namespace sallyport::app {

namespace {

// Control groups of version 1 have no word for "no limit", but a number as large as this.
constexpr std::uint64_t beyond_any_machine = std::uint64_t{1} << 60;

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// "max" is no number.
std::optional<std::uint64_t> number_in(const std::string& path) {
  const std::string text = read_file(path);
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || number >= beyond_any_machine) return std::nullopt;
  return number;
}

// The files of a group, and of each that it is in.
void add_limits(std::vector<ProcessMemory::Limit>& limits, const std::string& mount, std::string group,
                std::initializer_list<const char*> files) {
  while (true) {
    for (const char* file : files) {
      if (const auto octets = number_in(mount + group + "/" + file)) {
        limits.push_back({ProcessMemory::Measure::resident, *octets});
      }
    }
    const std::size_t slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return;
    group.erase(slash);
  }
}

std::optional<std::uint64_t> rlimit_of(decltype(RLIMIT_AS) which) {
  rlimit limit{};
  if (::getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

std::uint64_t measured(const MemoryInUse& memory, ProcessMemory::Measure measure) {
  switch (measure) {
    case ProcessMemory::Measure::address_space:
      return memory.address_space;
    case ProcessMemory::Measure::data:
      return memory.data;
    case ProcessMemory::Measure::resident:
      break;
  }
  return memory.resident;
}

std::uint64_t beyond(std::uint64_t whole, std::uint64_t part) { return whole - std::min(whole, part); }

}  // namespace

MemoryInUse memory_in_use() {
  static const std::uint64_t page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::istringstream text(read_file("/proc/self/statm"));
  std::uint64_t size = 0, resident = 0, shared = 0, code = 0, unused = 0, data = 0;
  text >> size >> resident >> shared >> code >> unused >> data;
  return {size * page, resident * page, data * page};
}

std::vector<ProcessMemory::Limit> cgroup_memory_limits(const std::string& groups, const std::string& root) {
  std::vector<ProcessMemory::Limit> limits;
  std::istringstream lines(groups);
  // "0::/system.slice/sallyport.service" (version 2), "4:memory:/docker/0123" (version 1)
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    if (line.starts_with("0::")) add_limits(limits, root, group, {"memory.max", "memory.high"});
    if (controllers.find(",memory,") != std::string::npos) {
      add_limits(limits, root + "/memory", group, {"memory.limit_in_bytes"});
    }
  }
  return limits;
}

std::vector<ProcessMemory::Limit> system_memory_limits() {
  using Measure = ProcessMemory::Measure;
  auto limits = cgroup_memory_limits(read_file("/proc/self/cgroup"), "/sys/fs/cgroup");
  if (const auto octets = rlimit_of(RLIMIT_AS)) limits.push_back({Measure::address_space, *octets});
  if (const auto octets = rlimit_of(RLIMIT_DATA)) limits.push_back({Measure::data, *octets});
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) {
    limits.push_back({Measure::resident, static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)});
  }
  return limits;
}

ProcessMemory::Share ProcessMemory::share(const std::vector<Limit>& limits, MemoryInUse now, std::uint64_t held) const {
  std::optional<Share> nearest;
  for (const Limit& limit : limits) {
    const std::uint64_t at_start = measured(at_start_, limit.measure);
    const Share share{std::max(beyond(measured(now, limit.measure), at_start), held), beyond(limit.octets, at_start)};
    if (!nearest || share.percent() > nearest->percent()) nearest = share;
  }
  return nearest.value_or(Share{0, 1});
}

}  // namespace sallyport::app
