#include "gateway/milter/negotiation.h"

#include <gtest/gtest.h>

namespace sallyport::milter {
namespace {

constexpr Terms everything{6, action::all, option::all};

TEST(Settling, TakesAPartOfWhatWasOffered) {
  const Terms answered{6, action::add_headers, option::no_helo | option::silent_header};
  EXPECT_EQ(settle(everything, answered), answered);
  EXPECT_EQ(settle(everything, everything), everything);
}

// threats.md F2.
TEST(Settling, TakesNothingElse) {
  const Terms offered{6, action::add_headers, option::no_helo};
  EXPECT_FALSE(settle(offered, {6, action::change_body, 0}));
  EXPECT_FALSE(settle(offered, {6, 0, option::no_body}));
  EXPECT_FALSE(settle(everything, {6, 0x8000, 0}));
  EXPECT_FALSE(settle(everything, {6, 0, 0x200000}));
}

TEST(Settling, KnowsTheVersions) {
  EXPECT_FALSE(settle(everything, {1, 0, 0}));
  EXPECT_FALSE(settle(everything, {7, 0, 0}));
  EXPECT_FALSE(settle({4, action::before_version_6, 0}, {6, 0, 0}));
  EXPECT_TRUE(settle(everything, {2, action::before_version_6, option::of_version_2}));
  EXPECT_FALSE(settle(everything, {2, action::change_sender, 0}));
  EXPECT_FALSE(settle(everything, {2, 0, option::no_unknown}));
  EXPECT_TRUE(settle(everything, {3, 0, option::no_unknown}));
  EXPECT_FALSE(settle(everything, {3, 0, option::no_data}));
  EXPECT_TRUE(settle(everything, {4, 0, option::no_data}));
  EXPECT_FALSE(settle(everything, {4, 0, option::silent_mail}));
}

TEST(Settling, LeavesTheSizesOfPacketsAside) {
  EXPECT_EQ(settle(everything, {6, 0, option::data_256k | option::no_helo}), (Terms{6, 0, option::no_helo}));
}

TEST(Answering, WantsWhatItNeeds) {
  EXPECT_EQ(answer_to(everything, {6, action::add_headers, option::no_body}),
            (Terms{6, action::add_headers, option::no_body}));
  EXPECT_FALSE(answer_to({6, action::add_headers, option::all}, {6, action::change_body, 0}));
  EXPECT_FALSE(answer_to({6, action::all, option::no_helo}, {6, 0, option::skip}));
  EXPECT_FALSE(answer_to({1, action::all, option::all}, {6, 0, 0}));
}

TEST(Answering, CanAnswerThoughItNeedNot) {
  const Terms old{2, action::before_version_6, option::of_version_2 & ~option::silent_header};
  EXPECT_EQ(answer_to(old, {6, 0, option::silent_header | option::silent_body | option::no_data | option::no_unknown}),
            (Terms{2, 0, 0}));
}

TEST(Answering, TakesSilenceForVersionOne) {
  EXPECT_TRUE(answer_to({2, 0, 0}, {6, action::delete_rcpt, option::no_headers}));
  EXPECT_FALSE(answer_to({2, 0, 0}, {6, action::change_headers, 0}));
}

TEST(Wants, FollowTheTermsAndTheVersion) {
  const Terms terms{6, 0, option::no_helo | option::no_body};
  EXPECT_FALSE(is_wanted(terms, Verb::helo));
  EXPECT_FALSE(is_wanted(terms, Verb::body));
  EXPECT_TRUE(is_wanted(terms, Verb::mail));
  EXPECT_TRUE(is_wanted(terms, Verb::end_of_message));
  EXPECT_TRUE(is_wanted({6, 0, option::all}, Verb::end_of_message));
  EXPECT_FALSE(is_wanted({2, 0, 0}, Verb::unknown));
  EXPECT_FALSE(is_wanted({3, 0, 0}, Verb::data));
  EXPECT_TRUE(is_wanted({4, 0, 0}, Verb::data));
}

TEST(Wants, SilenceIsAgreedOn) {
  const Terms terms{6, 0, option::silent_header | option::silent_rcpt};
  EXPECT_FALSE(is_answered(terms, Verb::header));
  EXPECT_FALSE(is_answered(terms, Verb::rcpt));
  EXPECT_TRUE(is_answered(terms, Verb::mail));
  EXPECT_TRUE(is_answered(terms, Verb::end_of_message));
  for (const Verb verb : {Verb::macros, Verb::abort, Verb::quit, Verb::quit_and_reuse})
    EXPECT_FALSE(is_answered(terms, verb));
}

}  // namespace
}  // namespace sallyport::milter
