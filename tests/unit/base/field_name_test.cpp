#include "gateway/base/field_name.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport {
namespace {

TEST(FieldName, IsPrintableAsciiWithoutColonAndSpace) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const bool is_good = octet > 0x20 && octet < 0x7f && c != ':';
    EXPECT_EQ(is_field_name(std::string(1, c)), is_good) << octet;
    EXPECT_EQ(is_field_name(std::string("X-") + c + "a"), is_good) << octet;
  }
  EXPECT_FALSE(is_field_name(""));
}

}  // namespace
}  // namespace sallyport
