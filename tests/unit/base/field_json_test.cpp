// Values with fields as JSON, and back.
#include "gateway/base/field_json.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace sallyport {

namespace {

enum class Colour : std::uint8_t { red, dark_green };

}  // namespace

template <>
inline constexpr auto words_of<Colour> = std::to_array<std::string_view>({"red", "dark green"});

namespace {

struct Point {
  int x = 1;
  std::optional<std::string> label;

  template <class V>
  void fields(V& visit) {
    visit("x", x);
    visit("label", label);
  }
};

// A type with a text of its own.
struct Version {
  int major = 0;
};
std::string to_field_text(const Version& version) { return "v" + std::to_string(version.major); }
bool from_field_text(std::string_view text, Version& version) {
  if (text.size() != 2 || text[0] != 'v') return false;
  version.major = text[1] - '0';
  return true;
}

struct Everything {
  bool yes = false;
  std::string text;
  double number = 0;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  Colour colour = Colour::red;
  IpAddress ip;
  Duration wait{};
  std::chrono::seconds ttl{};
  WallTime at{};
  Rate rate{1, std::chrono::hours(1), 1};
  Version version;
  std::vector<Point> points;
  std::pair<std::string, int> both;
  std::variant<IpAddress, std::string, Point> one;

  template <class V>
  void fields(V& visit) {
    visit("yes", yes);
    visit("text", text);
    visit("number", number);
    visit("small", small);
    visit("large", large);
    visit("colour", colour);
    visit("ip", ip);
    visit("wait", wait);
    visit("ttl", ttl);
    visit("at", at);
    visit("rate", rate);
    visit("version", version);
    visit("points", points);
    visit("both", both);
    visit("one", one);
  }
};

std::string json_of(const std::string& text) { return FieldWriter::json(text); }

// Why `json` is no Everything; empty where it is one.
std::string objection(std::string_view json, Everything& whole) {
  const auto parsed = JsonValue::parse(json);
  if (!parsed) return parsed.error().message;
  const auto read = FieldReader::read_json(*parsed, whole);
  return read ? "" : read.error().message;
}
std::string objection(std::string_view json) {
  Everything whole;
  return objection(json, whole);
}

TEST(FieldJson, WritesFieldsInTheirOrder) {
  Everything whole;
  whole.yes = true;
  whole.text = "hello";
  whole.number = -2.5;
  whole.small = -128;
  whole.large = std::numeric_limits<std::uint64_t>::max();
  whole.colour = Colour::dark_green;
  whole.ip = *IpAddress::parse("2001:db8::1");
  whole.wait = std::chrono::milliseconds(1500);
  whole.ttl = std::chrono::seconds(300);
  whole.at = WallTime(std::chrono::seconds(1));
  whole.rate = {300, std::chrono::hours(1), 50};
  whole.version.major = 7;
  whole.points = {{}, {2, "b"}};
  whole.both = {"a", 1};
  whole.one = "text";
  EXPECT_EQ(FieldWriter::json(whole),
            R"({"yes":true,"text":"hello","number":-2.5,"small":-128,"large":18446744073709551615,)"
            R"("colour":"dark green","ip":"2001:db8::1","wait":"1500ms","ttl":300,"at":1000000000,)"
            R"("rate":"300/1h burst 50","version":"v7",)"
            R"("points":[{"x":1,"label":null},{"x":2,"label":"b"}],"both":["a",1],"one":[1,"text"]})");
}

TEST(FieldJson, ReadsBackWhatItWrote) {
  Everything whole;
  whole.small = -128;
  whole.large = std::numeric_limits<std::uint64_t>::max();
  whole.points = {{5, "five"}};
  whole.one = Point{9, std::nullopt};
  const std::string json = FieldWriter::json(whole);
  Everything read;
  read.one = "something else";
  read.points.resize(3);
  EXPECT_EQ(objection(json, read), "");
  EXPECT_EQ(FieldWriter::json(read), json);
  EXPECT_EQ(std::get<Point>(read.one).x, 9);
}

TEST(FieldJson, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(json_of("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_of("\r\n\t"), R"("\u000d\u000a\u0009")");
  EXPECT_EQ(json_of(std::string("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(json_of("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
}

TEST(FieldJson, KeepsOctetsThatAreNotUtf8) {
  EXPECT_EQ(json_of(std::string("\xff\x00z", 3)), R"({"octets":"ff007a"})");
  for (const std::string& text : {std::string("\xff"), std::string("\xc3"), std::string("\xc0\x80"),
                                  std::string("\xed\xa0\x80"), std::string("a\0b", 3), std::string("\"\\\n")}) {
    Everything whole;
    EXPECT_EQ(objection("{\"text\":" + json_of(text) + "}", whole), "");
    EXPECT_EQ(whole.text, text);
  }
  EXPECT_EQ(objection(R"({"text":{"octets":"zz"}})"), "not a value for text");
  EXPECT_EQ(objection(R"({"text":{"octets":1}})"), "not a value for text");
  EXPECT_EQ(objection(R"({"text":{"other":"00"}})"), "not a value for text");
}

TEST(FieldJson, ReadsTheEscapesOfOthers) {
  Everything whole;
  EXPECT_EQ(objection(R"({"text":"\/\b\f\n\u00e9\ud83d\ude00"})", whole), "");
  EXPECT_EQ(whole.text, "/\b\f\n\xc3\xa9\xf0\x9f\x98\x80");
}

TEST(FieldJson, LeavesMissingMembersAndPassesOverUnknownOnes) {
  Everything whole;
  whole.text = "kept";
  whole.points.resize(2);
  EXPECT_EQ(objection(R"({"yes":true,"of a newer version":{"a":[1]}})", whole), "");
  EXPECT_TRUE(whole.yes);
  EXPECT_EQ(whole.text, "kept");
  EXPECT_EQ(whole.points.size(), 2u);
}

TEST(FieldJson, IsStrictAboutTypes) {
  for (const auto& [member, values] : std::vector<std::pair<std::string, std::vector<const char*>>>{
           {"yes", {"1", "\"true\"", "null"}},
           {"text", {"1", "null", "[]", "{}"}},
           {"number", {"\"1\"", "true"}},
           {"small", {"128", "-129", "1.5", "\"1\"", "18446744073709551615"}},
           {"large", {"-1", "18446744073709551616", "1.0"}},
           {"colour", {"\"blue\"", "\"\"", "0"}},
           {"ip", {"\"1.2.3\"", "\"\"", "1"}},
           {"wait", {"\"5\"", "5", "\"-5s\""}},
           {"ttl", {"\"5s\"", "1.5"}},
           {"at", {"\"now\"", "null"}},
           {"rate", {"\"300\"", "\"0/1h\"", "300"}},
           {"version", {"\"7\"", "7"}},
           {"points", {"{}", "null", "1", "[1]", "[null]", "[[]]"}},
           {"both", {"[]", "[\"a\"]", "[\"a\",1,2]", "[1,1]", "{}"}},
           {"one", {"[3,\"\"]", "[0,\"text\"]", "[1]", "[-1,\"\"]", "\"text\"", "[2,[]]", "null"}},
       }) {
    for (const char* value : values)
      EXPECT_EQ(objection("{\"" + member + "\":" + value + "}"), "not a value for " + member) << value;
  }
}

TEST(FieldJson, NamesTheInnermostMember) {
  EXPECT_EQ(objection(R"({"points":[{"x":1},{"x":"two"}]})"), "not a value for x");
  EXPECT_EQ(objection(R"({"points":[{"label":1}]})"), "not a value for label");
}

TEST(FieldJson, TellsAnAbsentOptionalFromAMissingOne) {
  Point point{1, "kept"};
  EXPECT_TRUE(FieldReader::read_json(*JsonValue::parse("{}"), point));
  EXPECT_EQ(point.label, "kept");
  EXPECT_TRUE(FieldReader::read_json(*JsonValue::parse(R"({"label":null})"), point));
  EXPECT_EQ(point.label, std::nullopt);
}

TEST(FieldJson, WritesNumbersThatReadBackAsTheSame) {
  for (double number : {0.1, 1.0 / 3, 1e300, -1e-300, 5e-324, 0.0}) {
    Everything whole;
    EXPECT_EQ(objection("{\"number\":" + FieldWriter::json(number) + "}", whole), "");
    EXPECT_EQ(whole.number, number);
  }
  EXPECT_EQ(FieldWriter::json(2.0), "2");
  EXPECT_EQ(FieldWriter::json(std::numeric_limits<double>::infinity()), "0") << "JSON has no infinity";
  EXPECT_EQ(FieldWriter::json(std::nan("")), "0");
}

TEST(FieldJson, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "{\"yes\":}", "{\"yes\":true}}", "{'yes':true}", "\"\xff\"", "nul"})
    EXPECT_EQ(objection(text), "not JSON") << text;
  EXPECT_EQ(objection("[]"), "not a value for this");
  EXPECT_EQ(objection("null"), "not a value for this");
}

TEST(Words, AreFoundBothWays) {
  EXPECT_EQ(word(Colour::dark_green), "dark green");
  EXPECT_EQ(from_word<Colour>("red"), Colour::red);
  EXPECT_EQ(from_word<Colour>("Red"), std::nullopt);
  EXPECT_EQ(from_word<Colour>(""), std::nullopt);
}

}  // namespace
}  // namespace sallyport
