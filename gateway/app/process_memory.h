// ProcessMemory: how much memory this process may have, and how much it has (threats.md R3).
//
// The limits are those of its control group and of the groups above it (memory.max and memory.high; version 1 as well),
// its rlimits RLIMIT_AS and RLIMIT_DATA, the machine's memory, and what the configuration says. Each is measured in its
// own way, as address space, data or resident pages. Counted is what has come since the start, against what the start
// has left: a program that is small at its start does not begin under pressure by a limit that is hardly larger.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::app {

// What /proc/self/statm says, in octets.
struct MemoryInUse {
  std::uint64_t address_space = 0;
  std::uint64_t resident = 0;
  std::uint64_t data = 0;
};

class ProcessMemory {
 public:
  enum class Measure : std::uint8_t { resident, address_space, data };
  struct Limit {
    Measure measure = Measure::resident;
    std::uint64_t octets = 0;
  };
  struct Share {
    std::uint64_t used = 0;  // both since the start, by the limit that is nearest
    std::uint64_t limit = 0;
    std::uint64_t percent() const { return limit == 0 ? 100 : used * 100 / limit; }
  };

  explicit ProcessMemory(MemoryInUse at_start) : at_start_(at_start) {}

  // `held`: what is known to be in use, where it is more than what a measure says.
  Share share(const std::vector<Limit>& limits, MemoryInUse now, std::uint64_t held) const;

 private:
  MemoryInUse at_start_;
};

MemoryInUse memory_in_use();
// Those of the system. Reads a few small files of the kernel's.
std::vector<ProcessMemory::Limit> system_memory_limits();
// Of what stands in /proc/self/cgroup, with the files under `root` (/sys/fs/cgroup); nothing: no limit.
std::vector<ProcessMemory::Limit> cgroup_memory_limits(const std::string& groups, const std::string& root);

}  // namespace sallyport::app
