#include "gateway/milter/changes.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::milter {
namespace {

using Kind = HeaderChange::Kind;
using Fields = std::vector<HeaderField>;

std::string names_after(std::vector<HeaderChange> changes) {
  Fields fields = {{"From", " a"}, {"Received", " 1"}, {"received", " 2"}, {"Subject", " s"}};
  apply_changes(changes, fields);
  std::string names;
  for (const HeaderField& field : fields) names += field.name + field.value + ";";
  return names;
}

TEST(Changes, AddAtTheEndAndInsertAnywhere) {
  EXPECT_EQ(names_after({{Kind::append, 0, {"X", " x"}}}), "From a;Received 1;received 2;Subject s;X x;");
  EXPECT_EQ(names_after({{Kind::insert, 0, {"X", " x"}}}), "X x;From a;Received 1;received 2;Subject s;");
  EXPECT_EQ(names_after({{Kind::insert, 3, {"X", " x"}}}), "From a;Received 1;received 2;X x;Subject s;");
  EXPECT_EQ(names_after({{Kind::insert, 0xffffffff, {"X", " x"}}}), "From a;Received 1;received 2;Subject s;X x;");
}

TEST(Changes, CountTheFieldsOfOneName) {
  EXPECT_EQ(names_after({{Kind::change, 2, {"Received", " x"}}}), "From a;Received 1;Received x;Subject s;");
  EXPECT_EQ(names_after({{Kind::change, 0, {"RECEIVED", " x"}}}), "From a;RECEIVED x;received 2;Subject s;");
  EXPECT_EQ(names_after({{Kind::change, 3, {"Received", " x"}}}), "From a;Received 1;received 2;Subject s;Received x;");
}

TEST(Changes, RemoveWhatIsThere) {
  EXPECT_EQ(names_after({{Kind::change, 1, {"Received", ""}, true}}), "From a;received 2;Subject s;");
  EXPECT_EQ(names_after({{Kind::change, 3, {"Received", ""}, true}}), "From a;Received 1;received 2;Subject s;");
}

TEST(Changes, SeeWhatThoseBeforeHaveDone) {
  EXPECT_EQ(names_after({{Kind::change, 1, {"Received", ""}, true}, {Kind::change, 1, {"Received", ""}, true}}),
            "From a;Subject s;");
  EXPECT_EQ(names_after({{Kind::insert, 0, {"A", ""}}, {Kind::insert, 1, {"B", ""}}}),
            "A;B;From a;Received 1;received 2;Subject s;");
}

}  // namespace
}  // namespace sallyport::milter
