#include "gateway/tls/server_name.h"

#include <gtest/gtest.h>

namespace sallyport::tls {
namespace {

std::string field(std::string_view octets) {
  return std::string{static_cast<char>(octets.size() / 256), static_cast<char>(octets.size() % 256)}.append(octets);
}

std::string extension_with(std::string_view host, char type = 0) { return field(type + field(host)); }

TEST(RequestedHost, IsTheNameInLowerCaseWithoutFinalDot) {
  EXPECT_EQ(requested_host(extension_with("mx.example.test")), "mx.example.test");
  EXPECT_EQ(requested_host(extension_with("MX.Example.TEST.")), "mx.example.test");
  EXPECT_EQ(requested_host(extension_with("xn--bcher-kva.example")), "xn--bcher-kva.example");
}

TEST(RequestedHost, IsEmptyForWhatIsNoHostName) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string("a b"), std::string("mx.example\0.test", 16),
        std::string("b\xc3\xbc\x63her.example"), std::string(300, 'a'), std::string("<script>")}) {
    EXPECT_EQ(requested_host(extension_with(name)), "") << name;
  }
}

TEST(RequestedHost, IsEmptyForAMalformedExtension) {
  std::string good = extension_with("mx.example.test");
  for (std::size_t octets = 0; octets < good.size(); ++octets) EXPECT_EQ(requested_host(good.substr(0, octets)), "");
  EXPECT_EQ(requested_host(good + "x"), "");
  EXPECT_EQ(requested_host(extension_with("mx.example.test", 1)), "");
  EXPECT_EQ(requested_host(field("")), "");
  EXPECT_EQ(requested_host(field('\0' + field("a.example") + '\0' + field("b.example"))), "");
}

TEST(ServerNames, FindsTheExactNameBeforeTheWildcard) {
  ServerNames names;
  EXPECT_TRUE(names.add("*.acme.example", 1));
  EXPECT_TRUE(names.add("MX.acme.example", 2));
  EXPECT_EQ(names.find("mx.acme.example"), 2u);
  EXPECT_EQ(names.find("mx2.acme.example"), 1u);
}

TEST(ServerNames, AWildcardStandsForExactlyOneLabel) {
  ServerNames names;
  names.add("*.acme.example", 1);
  EXPECT_EQ(names.find("acme.example"), std::nullopt);
  EXPECT_EQ(names.find("a.b.acme.example"), std::nullopt);
  EXPECT_EQ(names.find("xacme.example"), std::nullopt);
  EXPECT_EQ(names.find("example"), std::nullopt);
  EXPECT_EQ(names.find(""), std::nullopt);
}

TEST(ServerNames, RefusesWhatIsNoPattern) {
  ServerNames names;
  for (const char* pattern : {"", "*", "*.", "*.*.example", "mx.*.example", "m*.example", "a b"}) {
    EXPECT_FALSE(names.add(pattern, 1)) << pattern;
  }
  EXPECT_TRUE(names.add("mx.example", 1));
  EXPECT_FALSE(names.add("MX.example", 2));
}

}  // namespace
}  // namespace sallyport::tls
