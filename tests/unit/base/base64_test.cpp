#include "gateway/base/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport {
namespace {

TEST(Base64, WritesTheVectorsOfRfc4648) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, ReadsWhatItWrites) {
  std::string octets;
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(from_base64(to_base64(octets)), octets);
    octets += static_cast<char>(i * 7);
  }
}

TEST(Base64, PassesOverWhiteSpaceAnywhere) {
  EXPECT_EQ(from_base64(" Z g\r\n\t= = "), "f");
  EXPECT_EQ(from_base64("\r\n "), "");
}

TEST(Base64, MayEndWithoutPaddingWhereTheCallerAllowsIt) {
  const auto decoded = [](std::string_view text, std::size_t most = SIZE_MAX) {
    return from_base64(text, most, Padding::optional);
  };
  for (const char* octets : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    const std::string padded = to_base64(octets);
    EXPECT_EQ(decoded(padded), octets);
    EXPECT_EQ(decoded(padded.substr(0, padded.find('='))), octets);
  }
  EXPECT_EQ(decoded(" Z m\r\n\t8 "), "fo");
  for (const char* text : {"Z", "Zm9vY", "Zg=", "Zg=\r\n", "Zg=a", "=", "Zm9v="})
    EXPECT_EQ(decoded(text), std::nullopt) << text;
  EXPECT_EQ(decoded("Zm9vYg", 4), "foob");
  EXPECT_EQ(decoded("Zm9vYg", 3), std::nullopt);
}

TEST(Base64, ReadsLenientlyWhatMailReadersRead) {
  EXPECT_EQ(from_base64_leniently("Zm9vYmFy"), "foobar");
  EXPECT_EQ(from_base64_leniently("Zg=="), "f");
  EXPECT_EQ(from_base64_leniently("Zg"), "f");
  EXPECT_EQ(from_base64_leniently("Z-m 9\r\n\xc3v"), "foo");
  EXPECT_EQ(from_base64_leniently("Z"), "");
  EXPECT_EQ(from_base64_leniently(""), "");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg===", "=", "Z===", "Zg==Zg==", "Zm8=a", "Zm9v=", "Zm-v", "Zm9v;", "Zm9\xc3"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  EXPECT_EQ(from_base64(std::string_view("Zm9v\0", 5)), std::nullopt);
}

TEST(Base64, RefusesMoreThanIsWanted) {
  EXPECT_EQ(from_base64("Zm9v", 3), "foo");
  EXPECT_EQ(from_base64("Zm9vYg==", 3), std::nullopt);
  EXPECT_EQ(from_base64("Zm9v", 2), std::nullopt);
}

}  // namespace
}  // namespace sallyport
