// Runs tests/dialogues/*.dialogue in the manners that make no difference: in the clear and over TLS, with bare line
// ends mended and refused, as written, octet by octet, and with every segment cut in two at every octet.
//
// What is about framing (s1 to s8) runs in all of them. For the rest the cuts are made in the clear only, and segments
// that are long because their length is the point are neither cut at every octet nor sent as so many records of TLS:
// the readers' own tests do that.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/session/dialogue_file.h"

namespace sallyport::session {
namespace {

constexpr std::size_t long_segment = 300;

std::vector<std::filesystem::path> dialogues() {
  std::vector<std::filesystem::path> files;
  std::error_code none;  // run from elsewhere there are no files, and AreThere says so
  for (const auto& entry : std::filesystem::directory_iterator("tests/dialogues", none)) {
    if (entry.path().extension() == ".dialogue") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// s1_... to s8_...
bool is_about_framing(const std::filesystem::path& file) {
  std::string name = file.stem().string();
  return name.size() > 3 && name[0] == 's' && name[1] >= '1' && name[1] <= '8' && name[2] == '_';
}

class DialogueFile : public testing::TestWithParam<std::filesystem::path> {
 protected:
  // In the clear and over TLS, in both modes of bare_newline, as far as the dialogue leaves them open.
  void run_everywhere(Manner manner) const {
    for (bool over_tls : {false, true}) {
      if (over_tls && dialogue.is_plain_only()) continue;
      for (bool rejects : {false, true}) {
        if (rejects && dialogue.names_bare_newline()) continue;
        manner.over_tls = over_tls;
        manner.rejects_bare_newlines = rejects;
        ASSERT_EQ(dialogue.run(manner), "");
      }
    }
  }
  const Dialogue dialogue{GetParam()};
};

TEST(DialogueFiles, AreThere) {
  EXPECT_GT(dialogues().size(), 20u) << "run the tests from the root of the source tree";
}

TEST_P(DialogueFile, GoesAsWritten) { run_everywhere({}); }

TEST_P(DialogueFile, GoesTheSameOctetByOctet) {
  if (dialogue.is_whole_only()) return;
  Manner manner{.pieces = Manner::Pieces::octet_by_octet};
  if (dialogue.longest_segment() > long_segment) {
    EXPECT_EQ(dialogue.run(manner), "");
  } else {
    run_everywhere(manner);
  }
}

TEST_P(DialogueFile, GoesTheSameCutAnywhere) {
  if (dialogue.is_whole_only() || dialogue.longest_segment() > long_segment) return;
  Manner manner{.pieces = Manner::Pieces::cut_in_two};
  for (manner.cut_at = 1; manner.cut_at < dialogue.longest_segment() && !HasFatalFailure(); ++manner.cut_at) {
    if (is_about_framing(GetParam())) {
      run_everywhere(manner);
    } else {
      ASSERT_EQ(dialogue.run(manner), "");
    }
  }
}

TEST(DialogueFiles, AboutFramingAreShortEnoughToBeCut) {
  for (const auto& file : dialogues()) {
    if (is_about_framing(file)) EXPECT_LE(Dialogue(file).longest_segment(), long_segment) << file;
  }
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
