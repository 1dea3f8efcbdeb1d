// Runs tests/dialogues/*.dialogue: as written, and with the client's octets one at a time; the answers are the same.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/session/dialogue_file.h"

namespace sallyport::session {
namespace {

std::vector<std::filesystem::path> dialogues() {
  std::vector<std::filesystem::path> files;
  std::error_code none;  // run from elsewhere there are no files, and AreThere says so
  for (const auto& entry : std::filesystem::directory_iterator("tests/dialogues", none)) {
    if (entry.path().extension() == ".dialogue") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class DialogueFile : public testing::TestWithParam<std::filesystem::path> {};

TEST(DialogueFiles, AreThere) {
  EXPECT_GT(dialogues().size(), 20u) << "run the tests from the root of the source tree";
}

TEST_P(DialogueFile, GoesAsWritten) { EXPECT_EQ(run_dialogue(GetParam(), false), ""); }

TEST_P(DialogueFile, GoesTheSameOctetByOctet) {
  if (is_whole_only(GetParam())) return;
  EXPECT_EQ(run_dialogue(GetParam(), true), "");
}

std::string test_name(const testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Dialogues, DialogueFile, testing::ValuesIn(dialogues()), test_name);

}  // namespace
}  // namespace sallyport::session
