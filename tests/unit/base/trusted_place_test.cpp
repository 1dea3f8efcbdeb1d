// As root the test lends directories to another user; without root the rules for root do not apply.
#include "gateway/base/trusted_place.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sallyport {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uid_t another_user = 4711;

class TrustedPlaceTest : public testing::Test {
 protected:
  TrustedPlaceTest() {
    std::string pattern = (fs::temp_directory_path() / "sallyport-place-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    fs::create_directories(folder / "real/below");
    fs::create_directories(folder / "lent");
    std::ofstream(folder / "real/below/file") << "here";
    fs::create_symlink("../real/below", folder / "lent/relative");
    fs::create_symlink(folder / "real/below", folder / "lent/absolute");
    fs::create_symlink("lent", folder / "way");
    fs::create_symlink("file", folder / "real/below/last");
  }
  ~TrustedPlaceTest() override { fs::remove_all(folder); }

  // What stands at the path, read through the place; or why there is no place.
  std::string read(const std::string& path, LastLink last = LastLink::follow) {
    const auto place = find_trusted_place((folder / path).string(), last);
    if (!place) return place.error().message;
    const Descriptor file(::openat(place->directory.get(), place->name.c_str(), O_RDONLY | O_NOFOLLOW));
    char text[8]{};
    if (!file || ::read(file.get(), text, sizeof text - 1) < 0) return "cannot open " + place->name;
    return text;
  }
  void lend(const char* path, mode_t mode = 0755) {
    ASSERT_EQ(::chown((folder / path).c_str(), another_user, another_user), 0);
    ASSERT_EQ(::chmod((folder / path).c_str(), mode), 0);
  }

  fs::path folder;
};

TEST_F(TrustedPlaceTest, FollowsLinksThatNobodyElseCanHavePut) {
  EXPECT_EQ(read("real/below/file"), "here");
  EXPECT_EQ(read("./real//below/../below/file"), "here");
  EXPECT_EQ(read("lent/relative/file"), "here");
  EXPECT_EQ(read("lent/absolute/file"), "here");
  EXPECT_EQ(read("way/absolute/last"), "here");
  EXPECT_EQ(read("way/absolute/last", LastLink::keep), "cannot open last");
}

TEST_F(TrustedPlaceTest, NamesWhatIsNotThere) {
  EXPECT_EQ(read("real/below/missing"), "cannot open missing");  // the place exists, and may be made
  EXPECT_THAT(read("real/missing/file"), HasSubstr("No such file or directory, at \"missing\""));
  EXPECT_THAT(read("real/below/file/file"), HasSubstr("Not a directory, at \"file\""));
  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  EXPECT_THAT(read("a/file"), HasSubstr("Too many levels of symbolic links"));
}

TEST_F(TrustedPlaceTest, FollowsNoLinkInADirectoryOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  lend("lent");
  EXPECT_THAT(read("lent/relative/file"), HasSubstr("\"relative\" is a symbolic link in a directory that others"));
  EXPECT_THAT(read("way/absolute/file"), HasSubstr("\"absolute\" is a symbolic link"));
  EXPECT_THAT(read("lent/absolute"), HasSubstr("\"absolute\" is a symbolic link"));
  EXPECT_EQ(read("lent/absolute", LastLink::keep), "cannot open absolute");
  fs::create_directory(folder / "lent/own");
  std::ofstream(folder / "lent/own/file") << "own";
  EXPECT_EQ(read("lent/own/file"), "own");
}

TEST_F(TrustedPlaceTest, FollowsRootsOwnLinksWhereTheStickyBitKeepsThem) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::chmod((folder / "lent").c_str(), 01777), 0);
  EXPECT_EQ(read("lent/relative/file"), "here");
  ASSERT_EQ(::lchown((folder / "lent/relative").c_str(), another_user, another_user), 0);
  EXPECT_THAT(read("lent/relative/file"), HasSubstr("is a symbolic link"));
  ASSERT_EQ(::chmod((folder / "lent").c_str(), 0777), 0);
  EXPECT_THAT(read("lent/absolute/file"), HasSubstr("is a symbolic link"));
}

}  // namespace
}  // namespace sallyport
