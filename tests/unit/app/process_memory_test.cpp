#include "gateway/app/process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sallyport::app {
namespace {

using Measure = ProcessMemory::Measure;

constexpr std::uint64_t MiB = 1u << 20;

TEST(ProcessMemory, CountsWhatHasComeSinceTheStart) {
  const ProcessMemory memory({500 * MiB, 40 * MiB, 100 * MiB});
  const auto share = memory.share({{Measure::resident, 140 * MiB}}, {510 * MiB, 90 * MiB, 120 * MiB}, 0);
  EXPECT_EQ(share.used, 50 * MiB);
  EXPECT_EQ(share.limit, 100 * MiB);
  EXPECT_EQ(share.percent(), 50u);
}

TEST(ProcessMemory, TheNearestLimitCounts) {
  const ProcessMemory memory({500 * MiB, 40 * MiB, 100 * MiB});
  const MemoryInUse now{590 * MiB, 60 * MiB, 130 * MiB};
  const ProcessMemory::Limit resident{Measure::resident, 1040 * MiB};
  const ProcessMemory::Limit space{Measure::address_space, 600 * MiB};
  const ProcessMemory::Limit data{Measure::data, 160 * MiB};
  EXPECT_EQ(memory.share({resident}, now, 0).percent(), 2u);
  EXPECT_EQ(memory.share({resident, data}, now, 0).percent(), 50u);
  EXPECT_EQ(memory.share({resident, space, data}, now, 0).percent(), 90u);
}

TEST(ProcessMemory, WhatMailsHoldCountsAtLeast) {
  const ProcessMemory memory({0, 40 * MiB, 0});
  EXPECT_EQ(memory.share({{Measure::resident, 140 * MiB}}, {0, 40 * MiB, 0}, 70 * MiB).percent(), 70u);
}

TEST(ProcessMemory, WithLessThanAtTheStartThereIsNoPressure) {
  const ProcessMemory memory({0, 40 * MiB, 0});
  EXPECT_EQ(memory.share({{Measure::resident, 50 * MiB}}, {0, 30 * MiB, 0}, 0).percent(), 0u);
  EXPECT_EQ(memory.share({}, {0, 30 * MiB, 0}, 0).percent(), 0u);
  EXPECT_EQ(memory.share({{Measure::resident, 20 * MiB}}, {0, 40 * MiB, 0}, 0).percent(), 100u);
}

TEST(ProcessMemory, ReadsItsOwn) {
  const MemoryInUse now = memory_in_use();
  EXPECT_GT(now.resident, 1 * MiB);
  EXPECT_GT(now.address_space, now.resident);
  EXPECT_GT(now.data, 0u);
  EXPECT_FALSE(system_memory_limits().empty());  // the machine's at least
}

class Cgroups : public testing::Test {
 protected:
  Cgroups() { std::filesystem::create_directories(root_); }
  ~Cgroups() override { std::filesystem::remove_all(root_); }

  void write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = root_ + "/" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::vector<std::uint64_t> limits(const std::string& groups) {
    std::vector<std::uint64_t> octets;
    for (const auto& limit : cgroup_memory_limits(groups, root_)) octets.push_back(limit.octets);
    return octets;
  }

  const std::string root_ = testing::TempDir() + "cgroup-" + std::to_string(::getpid());
};

TEST_F(Cgroups, OfVersion2WithThoseAbove) {
  write("a.slice/b.service/memory.max", "1000000\n");
  write("a.slice/b.service/memory.high", "max\n");
  write("a.slice/memory.max", "max\n");
  write("a.slice/memory.high", "3000000\n");
  write("memory.max", "9000000\n");
  EXPECT_EQ(limits("0::/a.slice/b.service\n"), (std::vector<std::uint64_t>{1000000, 3000000, 9000000}));
  EXPECT_EQ(limits("0::/\n"), (std::vector<std::uint64_t>{9000000}));
  EXPECT_EQ(limits("0::/elsewhere\n"), (std::vector<std::uint64_t>{9000000}));
}

TEST_F(Cgroups, OfVersion1) {
  write("memory/docker/x/memory.limit_in_bytes", "500000\n");
  write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limits("5:cpu,memory:/docker/x\n4:pids:/docker/x\n"), (std::vector<std::uint64_t>{500000}));
  EXPECT_EQ(limits("5:cpuset:/docker/x\n"), std::vector<std::uint64_t>());
}

}  // namespace
}  // namespace sallyport::app
