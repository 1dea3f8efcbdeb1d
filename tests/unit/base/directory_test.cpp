#include "gateway/base/directory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace sallyport {
namespace {

std::set<std::string> names_in(Directory& directory) {
  std::set<std::string> names;
  while (const auto name = directory.next()) EXPECT_TRUE(names.emplace(*name).second);
  return names;
}

TEST(Directory, GivesEachNameOnce) {
  std::string folder = std::filesystem::temp_directory_path() / "directory-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  for (const char* name : {"one", "..two", ".three"}) std::ofstream(folder + "/" + name) << "x";
  std::filesystem::create_directory(folder + "/four");
  Directory directory(folder);
  EXPECT_EQ(names_in(directory), (std::set<std::string>{"one", "..two", ".three", "four"}));
  EXPECT_EQ(directory.error(), 0);
  EXPECT_FALSE(directory.next());
  std::filesystem::remove_all(folder);
}

TEST(Directory, SaysThatItCannotBeOpened) {
  Directory missing("/nowhere/at/all");
  EXPECT_FALSE(missing.next());
  EXPECT_EQ(missing.error(), ENOENT);
  Directory file("/dev/null");
  EXPECT_FALSE(file.next());
  EXPECT_EQ(file.error(), ENOTDIR);
}

}  // namespace
}  // namespace sallyport
