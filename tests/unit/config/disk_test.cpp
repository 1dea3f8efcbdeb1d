#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "gateway/config/files.h"

namespace sallyport::config {
namespace {

class DiskTest : public testing::Test {
 protected:
  DiskTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sallyport-config-XXXXXX").string();
    directory_ = ::mkdtemp(name.data()) != nullptr ? name : std::string();
  }
  ~DiskTest() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ + "/" + name) << text; }

  std::string directory_;
  Disk disk_;
};

TEST_F(DiskTest, ReadsFiles) {
  const std::string long_text(100000, 'x');
  write("a.toml", long_text);
  const auto content = disk_.read(directory_ + "/a.toml");
  ASSERT_TRUE(content);
  EXPECT_EQ(*content, long_text);
}

TEST_F(DiskTest, SaysWhyNot) {
  const auto missing = disk_.read(directory_ + "/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "No such file or directory");
  const auto directory = disk_.read(directory_);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().message, "Is a directory");
}

TEST_F(DiskTest, FindsFilesInTheirOrder) {
  write("b.toml", "");
  write("a.toml", "");
  write("c.txt", "");
  const auto found = disk_.matching(directory_ + "/*.toml");
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, testing::ElementsAre(directory_ + "/a.toml", directory_ + "/b.toml"));
}

TEST_F(DiskTest, NoMatchIsNoError) {
  for (const char* pattern : {"/*.toml", "/none/*.toml"}) {
    const auto found = disk_.matching(directory_ + pattern);
    ASSERT_TRUE(found) << pattern;
    EXPECT_TRUE(found->empty());
  }
}

}  // namespace
}  // namespace sallyport::config
