#include "policies/milters/settings.h"

#include <gtest/gtest.h>

namespace sallyport::policies {
namespace {

std::string parsed(std::string_view text) {
  const auto address = parse_milter_address(text);
  return address ? address->to_string() : "none";
}

TEST(MilterAddress, IsWrittenAsAnyMtaWritesIt) {
  EXPECT_EQ(parsed("unix:/run/a.sock"), "unix:/run/a.sock");
  EXPECT_EQ(parsed("local:/run/a.sock"), "unix:/run/a.sock");
  EXPECT_EQ(parsed("/run/a.sock"), "unix:/run/a.sock");
  EXPECT_EQ(parsed("inet:127.0.0.1:8891"), "127.0.0.1:8891");
  EXPECT_EQ(parsed("inet:8891@127.0.0.1"), "127.0.0.1:8891");
  EXPECT_EQ(parsed("inet:8891@localhost"), "localhost:8891");
  EXPECT_EQ(parsed("inet6:8891@::1"), "[::1]:8891");
  EXPECT_EQ(parsed("inet6:8891@[::1]"), "[::1]:8891");
  EXPECT_EQ(parsed("filter.example.com:8891"), "filter.example.com:8891");
}

TEST(MilterAddress, NeedsAPlaceAndAPort) {
  for (const char* text : {"", "unix:", "inet:", "localhost", "inet:localhost", "inet:0@localhost", "inet:x@localhost",
                           "127.0.0.1:99999", "ftp:a:1:2"})
    EXPECT_EQ(parsed(text), "none") << text;
}

std::string name_at(std::string_view address) {
  MilterSettings milter;
  milter.address = {*parse_milter_address(address)};
  return milter.shown_name();
}

TEST(MilterName, IsThatOfItsSocket) {
  EXPECT_EQ(name_at("unix:/run/opendkim/opendkim.sock"), "opendkim");
  EXPECT_EQ(name_at("unix:/run/clamav/milter.sock"), "clamav");
  EXPECT_EQ(name_at("unix:/run/milter.socket"), "milter");
  EXPECT_EQ(name_at("inet:8891@127.0.0.1"), "127.0.0.1:8891");
}

TEST(MilterMode, IsItsOwnOrThatOfAll) {
  MiltersSettings all;
  all.mode = Mode::shadow;
  MilterSettings milter;
  EXPECT_EQ(all.mode_of(milter), Mode::shadow);
  milter.mode = Mode::enforce;
  EXPECT_EQ(all.mode_of(milter), Mode::enforce);
}

}  // namespace
}  // namespace sallyport::policies
