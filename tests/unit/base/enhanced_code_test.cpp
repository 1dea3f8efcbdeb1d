#include "gateway/base/enhanced_code.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(EnhancedCode, IsRecognised) {
  EXPECT_EQ(enhanced_code_length("5.7.1"), 5U);
  EXPECT_EQ(enhanced_code_length("2.1.5 Ok"), 5U);
  EXPECT_EQ(enhanced_code_length("4.123.999 x"), 9U);
  for (const char* text : {"", "5", "5.", "5.7", "5.7.", "5.7.x", "5.7.1x", "5.7.1.2", "5.1234.1", "5.7.1234",
                           "3.0.0 x", "55.1.1", ".1.1", "5..1", "1.2.3", " 5.7.1"})
    EXPECT_EQ(enhanced_code_length(text), 0U) << text;
}

}  // namespace
}  // namespace sallyport
