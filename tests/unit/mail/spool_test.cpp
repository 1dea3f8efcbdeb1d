// Unnamed files on a real file system.
#include "gateway/mail/spool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "gateway/mail/unnamed_file.h"

namespace sallyport::mail {
namespace {

class FileSpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "spool-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  bool is_empty() const { return std::filesystem::is_empty(directory_); }

  std::filesystem::path directory_;
};

TEST_F(FileSpoolTest, GivesBackWhatWasAppended) {
  auto spool = make_file_spool(directory_);
  auto file = spool->open();
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append("hello "));
  ASSERT_TRUE((*file)->append("world"));
  std::string out = "old content";
  ASSERT_TRUE((*file)->read(0, 100, out));
  EXPECT_EQ(out, "hello world");
  ASSERT_TRUE((*file)->read(6, 3, out));
  EXPECT_EQ(out, "wor");
  ASSERT_TRUE((*file)->read(11, 3, out));
  EXPECT_EQ(out, "");
  ASSERT_TRUE((*file)->append("!"));
  ASSERT_TRUE((*file)->read(10, 9, out));
  EXPECT_EQ(out, "d!");
}

TEST_F(FileSpoolTest, LeavesNoNameInTheDirectory) {
  auto spool = make_file_spool(directory_);
  auto file = spool->open();
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append("secret"));
  EXPECT_TRUE(is_empty());
}

TEST_F(FileSpoolTest, LeavesNoNameEitherWhereTheFileSystemNeedsOne) {
  auto file = open_unlinked_file(directory_);
  ASSERT_TRUE(file);
  EXPECT_GE(file->get(), 0);
  EXPECT_TRUE(is_empty());
}

TEST_F(FileSpoolTest, SaysWhatIsWrongWithItsDirectory) {
  auto spool = make_file_spool(directory_ / "absent");
  auto file = spool->open();
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("absent"), std::string::npos);
  EXPECT_NE(file.error().message.find("No such file or directory"), std::string::npos);
  EXPECT_FALSE(open_unlinked_file(directory_ / "absent"));
}

TEST_F(FileSpoolTest, SaysSoWhenTheDiskIsFull) {
  auto spool = make_file_spool(directory_);
  auto file = spool->open();
  ASSERT_TRUE(file);
  // A bound on the size of files stands for the disk's; ours alone, and lifted again below.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  auto appended = (*file)->append(std::string(10000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(appended);
  EXPECT_NE(appended.error().message.find("cannot write a spool file"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::mail
