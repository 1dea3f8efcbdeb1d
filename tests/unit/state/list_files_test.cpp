// Lists in files: shared, read again when they change, kept when they cannot be read.
#include "gateway/state/list_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/lines_log.h"

namespace sallyport::state {
namespace {

class ListFilesTest : public testing::Test {
 protected:
  ListFilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-lists-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    path = folder + "/list.txt";
  }
  ~ListFilesTest() override { std::filesystem::remove_all(folder); }

  void write(const std::string& text) {
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  }
  std::shared_ptr<const io::LiveList> open() {
    auto opened = lists.open(path, EntryKind::domain);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return std::move(*opened);
  }
  // A change counts when the file has stayed the same for a look.
  void look_twice() {
    lists.look(log);
    lists.look(log);
  }

  std::string folder;
  std::string path;
  Counters counters;
  support::LinesLog log;
  ListFiles lists{counters};
};

TEST_F(ListFilesTest, AreReadAgainWhenTheyChange) {
  write("a.example\n");
  const auto list = open();
  look_twice();
  EXPECT_TRUE(log.lines.empty()) << "nothing has changed";
  const auto held = list->now();
  write("b.example\nc.example\n");
  lists.look(log);
  EXPECT_EQ(list->now(), held) << "it may still be written";
  lists.look(log);
  EXPECT_FALSE(list->now()->contains("a.example"));
  EXPECT_TRUE(list->now()->contains("b.example"));
  EXPECT_TRUE(held->contains("a.example")) << "whoever has it keeps it";
  EXPECT_EQ(log.count({"event=list_read", "entries=2"}), 1u);
}

TEST_F(ListFilesTest, ThatCannotBeReadStayAsTheyWere) {
  write("a.example\n");
  const auto list = open();
  write("no domain\n");
  for (int i = 0; i < 5; ++i) lists.look(log);
  EXPECT_TRUE(list->now()->contains("a.example"));
  EXPECT_EQ(counters.get(Fault::reload_failed), 1u) << "once for each change";
  EXPECT_EQ(log.count({"line 1", "stays as it was"}), 1u);
  std::filesystem::remove(path);
  for (int i = 0; i < 5; ++i) lists.look(log);
  EXPECT_TRUE(list->now()->contains("a.example"));
  EXPECT_EQ(counters.get(Fault::reload_failed), 2u);
  write("b.example\n");
  look_twice();
  EXPECT_TRUE(list->now()->contains("b.example"));
}

TEST_F(ListFilesTest, AreReadOnceForAll) {
  write("a.example\n");
  const auto one = open();
  EXPECT_EQ(open(), one);
  EXPECT_NE(lists.open(path, EntryKind::word).value(), one) << "as something else";
}

TEST_F(ListFilesTest, ThatAreNotThereAreFailures) {
  const auto opened = lists.open(path, EntryKind::domain);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find(path), std::string::npos);
  EXPECT_FALSE(lists.open(folder, EntryKind::domain));
}

TEST_F(ListFilesTest, AreWatchedByAThread) {
  write("a.example\n");
  const auto list = open();
  ASSERT_TRUE(lists.watch(log, std::chrono::milliseconds(5)));
  write("b.example\n");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!list->now()->contains("b.example") && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(list->now()->contains("b.example"));
}

}  // namespace
}  // namespace sallyport::state
