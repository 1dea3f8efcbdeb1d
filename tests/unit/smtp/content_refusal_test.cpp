#include "gateway/smtp/content_refusal.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::smtp {
namespace {

struct Case {
  const char* what;
  ContentFaults faults;
  const char* normalize;  // the enhanced code of the refusal; "" = accepted
  const char* reject;
};

TEST(RefuseContent, JudgesByFaultAndMode) {
  const std::vector<Case> cases = {
      {"nothing", {}, "", ""},
      {"8-bit", {.has_8bit = true}, "", ""},
      {"bare LF", {.bare_lf = true}, "", "5.5.2"},
      {"bare CR", {.bare_cr = true}, "", "5.5.2"},
      {"look-alike", {.bare_lf = true, .eod_lookalike = true}, "", "5.5.2"},
      {"NUL", {.nul = true}, "5.6.0", "5.6.0"},
      {"long line", {.line_too_long = true}, "5.6.0", "5.6.0"},
      {"NUL and bare LF", {.bare_lf = true, .nul = true}, "5.6.0", "5.6.0"},
  };
  for (const Case& test : cases) {
    for (const BareNewline mode : {BareNewline::normalize, BareNewline::reject}) {
      const std::string expected = mode == BareNewline::normalize ? test.normalize : test.reject;
      const auto refusal = refuse_content(test.faults, mode);
      ASSERT_EQ(refusal.has_value(), !expected.empty()) << test.what;
      if (!refusal) continue;
      EXPECT_EQ(refusal->code(), 550) << test.what;
      EXPECT_EQ(refusal->enhanced(), expected) << test.what;
    }
  }
}

}  // namespace
}  // namespace sallyport::smtp
