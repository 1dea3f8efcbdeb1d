// Lists of tables as values.
#include "gateway/settings/table_list.h"

#include <gtest/gtest.h>

namespace sallyport::settings {
namespace {

struct Friend {
  std::string domain;
  std::vector<IpNetwork> networks;
  double weight = 2;
};

constexpr Row friend_rows[] = {
    row<&Friend::domain>("domain", type::domain_pattern, "Whose mail.", {.required = true}),
    row<&Friend::networks>("networks", "From where.", {.least = "1", .required = true}),
    row<&Friend::weight>("weight", "How much.", scores),
};
constexpr auto friends = table_list<Friend, friend_rows>("list of friends", "a list of friends", "{}");

Node text(std::string value) {
  Node node;
  node.kind = Node::Kind::text;
  node.text = std::move(value);
  return node;
}
Node list(std::vector<Node> items) {
  Node node;
  node.kind = Node::Kind::array;
  node.items = std::move(items);
  return node;
}
Node number(double value) {
  Node node;
  node.kind = Node::Kind::number;
  node.number = value;
  return node;
}
Node table(std::vector<std::pair<std::string, Node>> members) {
  Node node;
  for (auto& [key, value] : members) node.members.push_back({key, {"file", 7, 3}, std::move(value)});
  return node;
}

std::vector<Friend> read(const Node& node, ConfigErrors& errors) {
  const std::string directory = "/etc";
  std::vector<Friend> value;
  const Reading reading{friends, {}, directory, errors};
  EXPECT_EQ(friends.read(node, reading, &value), errors.empty());
  return value;
}
std::string error_of(const Node& node) {
  ConfigErrors errors;
  EXPECT_TRUE(read(node, errors).empty());
  return errors.empty() ? "" : errors.front().message;
}

TEST(TableList, IsReadAndWrittenWhole) {
  ConfigErrors errors;
  const auto value = read(
      list(
          {table({{"domain", text("*.Straße.example")}, {"networks", list({text("192.0.2.0/24")})}}),
           table(
               {{"networks", list({text("2001:db8::/32")})}, {"domain", text("b.example")}, {"weight", number(0.5)}})}),
      errors);
  ASSERT_TRUE(errors.empty()) << errors.front().message;
  ASSERT_EQ(value.size(), 2u);
  EXPECT_EQ(value[0].domain, "*.xn--strae-oqa.example");
  EXPECT_EQ(value[0].weight, 2);
  EXPECT_EQ(value[1].weight, 0.5);
  EXPECT_EQ(friends.to_toml(&value),
            R"([{ domain = "*.xn--strae-oqa.example", networks = ["192.0.2.0/24"], weight = 2.0 }, )"
            R"({ domain = "b.example", networks = ["2001:db8::/32"], weight = 0.5 }])");
  const std::vector<Friend> none;
  EXPECT_EQ(friends.to_toml(&none), "[]");
}

TEST(TableList, SaysWhatIsWrong) {
  const Node networks = list({text("192.0.2.0/24")});
  EXPECT_EQ(error_of(text("x")), "expected a list of friends, not a text \"x\"");
  EXPECT_EQ(error_of(list({text("x")})), "expected a list of friends, not a text \"x\"");
  EXPECT_EQ(error_of(list({table({{"networks", networks}})})),
            "domain is required: expected a domain name like \"example.com\" or \"*.example.com\"");
  EXPECT_EQ(error_of(list({table({{"domain", text("a.example")}, {"networks", networks}, {"wieght", number(1)}})})),
            "unknown key \"wieght\" in a list of friends; did you mean \"weight\"?");
  EXPECT_EQ(error_of(list({table({{"domain", text("a b")}, {"networks", networks}})})),
            "expected a domain name like \"example.com\" or \"*.example.com\", not \"a b\"");
  EXPECT_EQ(error_of(list({table({{"domain", text("a.example")}, {"networks", list({})}})})),
            "this list must not be empty");
  ConfigErrors errors;
  read(list({table({{"domain", number(1)}}), table({{"x", number(1)}})}), errors);
  EXPECT_EQ(errors.size(), 5u) << "all of them";
}

}  // namespace
}  // namespace sallyport::settings
