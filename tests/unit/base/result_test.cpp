#include "gateway/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace sallyport {
namespace {

enum class Trouble { small, big };

TEST(Result, HoldsAValue) {
  Result<std::string, Trouble> result(std::string("yes"));
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(*result, "yes");
  EXPECT_EQ(result->size(), 3u);
  EXPECT_THROW(static_cast<void>(result.error()), BrokenInvariant);
}

TEST(Result, HoldsAnError) {
  Result<std::string, Trouble> result(Trouble::big);
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error(), Trouble::big);
  EXPECT_THROW(static_cast<void>(result.value()), BrokenInvariant);
  EXPECT_THROW(static_cast<void>(*result), BrokenInvariant);
  EXPECT_THROW(static_cast<void>(result->size()), BrokenInvariant);
}

TEST(Result, MovesItsValueOut) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, Compares) {
  using Answer = Result<int, Trouble>;
  EXPECT_EQ(Answer(1), Answer(1));
  EXPECT_NE(Answer(1), Answer(2));
  EXPECT_NE(Answer(0), Answer(Trouble::small));
  EXPECT_EQ((Result<Done>(Failure{"x"})), (Result<Done>(Failure{"x"})));
}

TEST(Ensure, ThrowsWhatWasBroken) {
  EXPECT_NO_THROW(ensure(true, "fine"));
  try {
    ensure(false, "two owners of one door");
    FAIL();
  } catch (const BrokenInvariant& error) {
    EXPECT_STREQ(error.what(), "two owners of one door");
  }
}

}  // namespace
}  // namespace sallyport
