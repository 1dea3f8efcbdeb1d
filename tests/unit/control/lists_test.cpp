// The DNS lists' states over the control socket.
#include "gateway/control/lists.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

ListReports two_lists() {
  ListReport zen;
  zen.list = "zen";
  zen.ipv4 = {"asked", 1700000000, ""};
  zen.ipv6 = {"set aside", 1700000100, "no answer in time"};
  zen.self_test = {"auto", "passed", 1700000050, ""};
  zen.questions = 12;
  zen.hits = 3;
  zen.faults = 10;
  ListReport own;
  own.list = "paid.example#2";
  own.tenants = {"acme", "b\"e\xff"};
  own.self_test = {"off", "not yet", 0, ""};
  return {zen, own};
}

TEST(Lists, TravelWhole) {
  const ListReports lists = two_lists();
  const auto read = decode_lists(encode_lists(lists));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0), lists[0]);
  EXPECT_EQ(read->at(1).tenants.at(0), "acme");
  EXPECT_TRUE(decode_lists(encode_lists({}))->empty());
  EXPECT_EQ(lists_json({}), "[]");
  EXPECT_EQ(lists_json({lists[0]}),
            R"([{"list":"zen","tenants":[],"ipv4":{"state":"asked","since":1700000000,"reason":""},)"
            R"("ipv6":{"state":"set aside","since":1700000100,"reason":"no answer in time"},)"
            R"("self_test":{"mode":"auto","result":"passed","since":1700000050,"reason":""},)"
            R"("questions":12,"hits":3,"faults":10}])");
}

TEST(Lists, AreNotReadFromWhatIsNone) {
  for (const char* line : {"", "[]", "{}", R"({"ok":true})", R"({"ok":true,"lists":{}})", R"({"ok":true,"lists":[1]})",
                           R"({"ok":true,"lists":[{"list":"zen"}]})"}) {
    EXPECT_FALSE(decode_lists(line)) << line;
  }
  EXPECT_EQ(decode_lists(R"({"ok":false,"error":"no such command"})").error().message, "no such command");
}

}  // namespace
}  // namespace sallyport::control
