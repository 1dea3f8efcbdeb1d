// What is built of a configuration, what survives from one build to the next, and what is said when it cannot be built.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "gateway/app/snapshot.h"

namespace sallyport::app {
namespace {

using testing::HasSubstr;

class SnapshotBuilderTest : public testing::Test {
 protected:
  SnapshotBuilderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sallyport-snapshot-XXXXXX").string();
    folder_ = ::mkdtemp(name.data()) != nullptr ? name : std::string();
    file_ = folder_ + "/sallyport.toml";
    write("");
    auto loaded = config::load(file_, config::Disk());
    common_ = make_common_parts(loaded.value().settings).value();
    builder_ = std::make_unique<SnapshotBuilder>(*common_, file_, 2);
  }
  ~SnapshotBuilderTest() override { std::filesystem::remove_all(folder_); }

  // A complete configuration in three lines, and more.
  void write(const std::string& more) {
    std::ofstream(file_) << "hostname = \"mx1.example.com\"\ndomains = [\"example.com\"]\n"
                         << "upstreams.default = { servers = [\"10.0.0.5:25\"], tls = \"off\" }\n"
                         << more;
  }
  Built build() { return builder_->build().value(); }
  std::vector<std::string> errors() {
    std::vector<std::string> lines;
    const auto built = builder_->build();
    if (built) return lines;
    for (const config::ConfigError& error : built.error()) lines.push_back(error.to_string());
    return lines;
  }

  std::string folder_;
  std::string file_;
  std::unique_ptr<CommonParts> common_;
  std::unique_ptr<SnapshotBuilder> builder_;
};

TEST_F(SnapshotBuilderTest, EachWorkerHasItsOwnAndAllShareTheRest) {
  const Built built = build();
  ASSERT_EQ(built.for_workers.size(), 2u);
  EXPECT_EQ(built.for_workers[0]->shared, built.snapshot);
  EXPECT_EQ(built.for_workers[1]->shared, built.snapshot);
  EXPECT_NE(built.for_workers[0]->plans, built.for_workers[1]->plans);
  EXPECT_EQ(&built.for_workers[0]->plans->plans(), built.snapshot->plans.get());
  EXPECT_EQ(built.snapshot->hash, built.loaded.hash);
  EXPECT_EQ(built.snapshot->listeners.size(), 1u);
  EXPECT_NE(built.snapshot->plans->serving("example.com"), nullptr);
}

TEST_F(SnapshotBuilderTest, PlansMayOutliveAllElseOfTheirSnapshot) {
  std::shared_ptr<const checks::WorkerPlans> plans;
  {
    Built built = build();
    plans = built.for_workers[0]->plans;
  }
  EXPECT_FALSE(plans->gatherers().empty());
}

TEST_F(SnapshotBuilderTest, ServersStayTheSame) {
  const Built before = build();
  write("[limits]\nrecipients = 5\n");
  const Built after = build();
  EXPECT_NE(before.snapshot->hash, after.snapshot->hash);
  EXPECT_EQ(after.snapshot->settings->limits.recipients, 5u);
  EXPECT_EQ(before.snapshot->settings->limits.recipients, 1000u);
  EXPECT_EQ(before.snapshot->upstreams.at("default")->servers[0], after.snapshot->upstreams.at("default")->servers[0]);
}

TEST_F(SnapshotBuilderTest, WhatCannotBeHadIsNamedAtItsPlace) {
  write("[tls]\ncert = \"nowhere\"\n[policy.rules]\npath = \"rules\"\n");
  std::filesystem::create_directory(folder_ + "/rules");
  std::ofstream(folder_ + "/rules/a.lua") << "local x = 1\nthis is no Lua\n";
  EXPECT_THAT(errors(), testing::UnorderedElementsAre(
                            testing::AllOf(testing::StartsWith(file_ + ":5:1: error: "), HasSubstr("nowhere")),
                            testing::StartsWith(folder_ + "/rules/a.lua:2:1: error: ")));
}

TEST_F(SnapshotBuilderTest, ErrorsOfTheTextAndOfWhatItNamesComeTogether) {
  write("wokers = 3\n[tls]\ncert = \"nowhere\"\n");
  EXPECT_THAT(errors(), testing::UnorderedElementsAre(
                            testing::AllOf(testing::StartsWith(file_ + ":4:1: error: "), HasSubstr("\"workers\"")),
                            testing::StartsWith(file_ + ":6:1: error: ")));
}

}  // namespace
}  // namespace sallyport::app
