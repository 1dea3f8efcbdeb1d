#include "gateway/base/log_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "gateway/base/text.h"

namespace sallyport {
namespace {

using Fields = std::vector<LogField>;

std::string text_of(const Fields& fields) {
  constexpr std::string_view start = "info event=x";
  std::string line = format_line(LogFormat::text, LogLevel::info, "x", fields);
  EXPECT_TRUE(line.starts_with(start)) << line;
  return line.substr(start.size());
}

nlohmann::json json_of(const Fields& fields) {
  return nlohmann::json::parse(format_line(LogFormat::json, LogLevel::info, "x", fields));
}

TEST(LogLine, ReadsAsTheContractSays) {
  Fields fields{{"id", "01JD3K7Q"}, {"verdict", "relay"},     {"from", "ann@example.org", true},
                {"to", "", true},   {"size", 4096},           {"tls", true},
                {"score", 2.5},     {"reply", "250 2.0.0 Ok"}};
  EXPECT_EQ(
      format_line(LogFormat::text, LogLevel::info, "transaction", fields),
      "info event=transaction id=01JD3K7Q verdict=relay from=<ann@example.org> to=<> size=4096 tls=true score=2.5 "
      "reply=\"250 2.0.0 Ok\"");
  EXPECT_EQ(
      format_line(LogFormat::json, LogLevel::warning, "transaction", fields),
      R"({"level":"warning","event":"transaction","id":"01JD3K7Q","verdict":"relay","from":"ann@example.org","to":"",)"
      R"("size":4096,"tls":true,"score":2.5,"reply":"250 2.0.0 Ok"})");
}

TEST(LogLine, NamesItsLevel) {
  EXPECT_EQ(format_line(LogFormat::text, LogLevel::debug, "e", {}), "debug event=e");
  EXPECT_EQ(format_line(LogFormat::text, LogLevel::error, "e", {}), "error event=e");
  EXPECT_EQ(format_line(LogFormat::json, LogLevel::error, "e", {}), R"({"level":"error","event":"e"})");
}

TEST(LogLine, QuotesWhatIsNotPlain) {
  EXPECT_EQ(text_of({{"a", "plain-1.2_3:[x]/y"}}), " a=plain-1.2_3:[x]/y");
  EXPECT_EQ(text_of({{"a", ""}}), " a=\"\"");
  EXPECT_EQ(text_of({{"a", "two words"}}), " a=\"two words\"");
  EXPECT_EQ(text_of({{"a", "b=c"}}), " a=\"b=c\"");
  EXPECT_EQ(text_of({{"a", "say \"hi\""}}), R"( a="say \"hi\"")");
  EXPECT_EQ(text_of({{"a", "back\\slash"}}), R"( a="back\\slash")");
  EXPECT_EQ(text_of({{"a", "o b@x", true}}), " a=\"<o b@x>\"");
  EXPECT_EQ(text_of({{"a", "bounce+ann=example.org@x", true}}), " a=\"<bounce+ann=example.org@x>\"");
}

TEST(LogLine, WritesNumbers) {
  EXPECT_EQ(text_of({{"a", std::int64_t{INT64_MIN}}, {"b", 0.1}, {"c", 5.0}, {"d", -0.5}, {"e", false}}),
            " a=-9223372036854775808 b=0.1 c=5 d=-0.5 e=false");
  auto json = json_of({{"a", std::int64_t{INT64_MAX}},
                       {"b", 1e300},
                       {"c", std::nan("")},
                       {"d", std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(json["a"], INT64_MAX);
  EXPECT_EQ(json["b"], 1e300);
  EXPECT_TRUE(json["c"].is_null());
  EXPECT_TRUE(json["d"].is_null());
}

TEST(LogLine, EscapesWhatCouldForgeALine) {
  EXPECT_EQ(text_of({{"a", "x\r\n2026 info event=transaction"}}), R"( a="x\r\n2026 info event=transaction")");
  EXPECT_EQ(text_of({{"a", std::string_view("\0\x1b[2J\t\x7f", 7)}}), R"( a="\u0000\u001b[2J\t\u007f")");
  EXPECT_EQ(text_of({{"a", "\xe2\x80\xa8\xe2\x80\xa9"}}), R"( a="\u2028\u2029")");  // line and paragraph separator
  EXPECT_EQ(text_of({{"a", "\xc2\x85"}}), R"( a="\u0085")");                        // next line
  EXPECT_EQ(text_of({{"a",
                      "\xe2\x80\xae"
                      "gpj.exe"}}),
            R"( a="\u202egpj.exe")");  // right-to-left override
  for (std::string_view bidi :
       {"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xef\xbb\xbf"}) {
    EXPECT_TRUE(text_of({{"a", bidi}}).starts_with(" a=\"\\u")) << text::to_hex(bidi);
  }
  EXPECT_EQ(text_of({{"a", "\xf3\xa0\x81\x81"}}), R"( a="\udb40\udc41")");  // a tag character
}

TEST(LogLine, KeepsWellFormedTextAndReplacesTheRest) {
  EXPECT_EQ(text_of({{"a", "Gr\xc3\xbc\xc3\x9f\xe2\x82\xac"}}), " a=\"Gr\xc3\xbc\xc3\x9f\xe2\x82\xac\"");
  EXPECT_EQ(text_of({{"a", "\xf0\x9f\x98\x80"}}), " a=\"\xf0\x9f\x98\x80\"");
  EXPECT_EQ(text_of({{"a", "a\xff\xc3"}}), R"( a="a\ufffd\ufffd")");
  EXPECT_EQ(text_of({{"a", "\xed\xa0\x80"}}), R"( a="\ufffd\ufffd\ufffd")");  // a surrogate
}

TEST(LogLine, JsonGivesTheValueBack) {
  std::string value = "a \"b\" \\ = \r\n\t \x01 Gr\xc3\xbc\xc3\x9f \xe2\x80\xae \xf0\x9f\x98\x80 \xf3\xa0\x81\x81";
  EXPECT_EQ(json_of({{"a", value}})["a"], value);
}

TEST(LogLine, CutsALongValueAndSaysSo) {
  std::string fits(1022, 'a');
  EXPECT_EQ(text_of({{"a", fits}}), " a=" + fits);
  EXPECT_EQ(text_of({{"a", fits + "b"}}), " a=\"" + fits.substr(3) + "...\"");
  EXPECT_EQ(text_of({{"a", fits + "b", true}}), " a=\"<" + fits.substr(5) + "...>\"");
  EXPECT_EQ(json_of({{"a", fits}})["a"], fits);
  EXPECT_EQ(json_of({{"a", fits + "b"}})["a"], fits.substr(3) + "...");
}

TEST(LogLine, NeverCutsACharacterOrAnEscapeInTwo) {
  for (std::string_view unit :
       {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\n", "\x01", "\xff", "\"", "\xf3\xa0\x81\x81"}) {
    for (std::size_t shift = 0; shift < 12; ++shift) {
      std::string value(shift, 'a');
      for (int i = 0; i < 2000; ++i) value += unit;
      for (LogFormat format : {LogFormat::text, LogFormat::json}) {
        std::string line = format_line(format, LogLevel::info, "x", {{"a", value}});
        EXPECT_TRUE(text::is_utf8(line));
        EXPECT_LE(line.size(), 1024u + 50);
        EXPECT_GE(line.size(), 1024u - 12);
        if (format == LogFormat::json) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
      }
    }
  }
}

TEST(LogLine, LeavesOutFieldsThatDoNotFitTheLine) {
  std::string big(1000, 'b');
  Fields fields;
  for (int i = 0; i < 20; ++i) fields.push_back({"big", big});
  fields.push_back({"verdict", "relay"});
  for (LogFormat format : {LogFormat::text, LogFormat::json}) {
    std::string line = format_line(format, LogLevel::info, "x", fields);
    EXPECT_LE(line.size(), log_line::max_body_octets);
    EXPECT_GT(line.size(), 7000u);
    EXPECT_NE(line.find("verdict"), std::string::npos);
    EXPECT_NE(line.find("cut"), std::string::npos);
    if (format == LogFormat::json) EXPECT_TRUE(nlohmann::json::accept(line));
  }
  fields.resize(3);
  EXPECT_EQ(format_line(LogFormat::text, LogLevel::info, "x", fields).find("cut"), std::string::npos);
}

TEST(LogLine, AddsANumberToAFinishedBody) {
  std::string text = format_line(LogFormat::text, LogLevel::info, "x", {{"a", "b"}});
  log_line::add_number(text, {LogFormat::text}, "repeated", 12);
  EXPECT_EQ(text, "info event=x a=b repeated=12");
  std::string json = format_line(LogFormat::json, LogLevel::info, "x", {{"a", "b"}});
  log_line::add_number(json, {LogFormat::json}, "repeated", 12);
  EXPECT_EQ(nlohmann::json::parse(json)["repeated"], 12);
}

// ---- lists ----

TEST(LogLine, WritesListsWithCommasAndAsArrays) {
  const std::vector<std::string> to{"ann@example.com", "bob@example.com"};
  EXPECT_EQ(text_of({{"to", to, true}}), " to=<ann@example.com>,<bob@example.com>");
  EXPECT_EQ(text_of({{"symbols", to}}), " symbols=ann@example.com,bob@example.com");
  EXPECT_EQ(json_of({{"to", to, true}})["to"], nlohmann::json({"ann@example.com", "bob@example.com"}));
  const std::vector<std::string> odd{"\"a b\"@example.com", "bob@example.com"};
  EXPECT_EQ(text_of({{"to", odd, true}}), R"( to="<\"a b\"@example.com>,<bob@example.com>")");
  EXPECT_EQ(json_of({{"to", odd}})["to"], nlohmann::json({"\"a b\"@example.com", "bob@example.com"}));
  const std::vector<std::string> none;
  EXPECT_EQ(text_of({{"to", none, true}, {"symbols", none}}), " to=<> symbols=\"\"");
  EXPECT_EQ(json_of({{"to", none}})["to"], nlohmann::json::array());
}

TEST(LogLine, SaysHowManyOfAListAreLeftOut) {
  std::vector<std::string> to;
  for (int n = 0; n < 1000; ++n) to.push_back("user" + std::to_string(n) + "@example.com");
  const std::string text = text_of({{"to", to, true}, {"end", 1}});
  EXPECT_LE(text.size(), log_line::max_value_octets + std::string_view(" to= end=1").size());
  EXPECT_GT(text.size(), log_line::max_value_octets - 50) << "as many as there is room for";
  const std::size_t shown = static_cast<std::size_t>(std::count(text.begin(), text.end(), '<'));
  EXPECT_TRUE(text.ends_with(">,+" + std::to_string(1000 - shown) + " end=1")) << text;

  const nlohmann::json list = json_of({{"to", to, true}})["to"];
  EXPECT_EQ(list.front(), "user0@example.com");
  EXPECT_EQ(list.back(), "+" + std::to_string(1000 - (list.size() - 1)));
  EXPECT_LE(list.dump().size(), log_line::max_value_octets);
  // All but one fit: nothing is cut in its middle.
  to.resize(shown);
  EXPECT_TRUE(text_of({{"to", to, true}}).ends_with("<" + to.back() + ">"));
}

TEST(LogLine, CutsTheFirstOfAListThatIsTooLongForAll) {
  const std::vector<std::string> to{std::string(3000, '\n'), "bob@example.com"};
  const std::string text = text_of({{"to", to, true}});
  EXPECT_LE(text.size(), log_line::max_value_octets + 4);
  EXPECT_TRUE(text.ends_with("...>,+1\"")) << text;
  EXPECT_EQ(json_of({{"to", to}})["to"].back(), "+1");
}

// Whatever a peer sends: one line, well-formed, and in text the value ends where it should.
TEST(LogLine, HoldsForRandomOctets) {
  std::mt19937 random(14);
  for (int round = 0; round < 3000; ++round) {
    std::string value;
    for (std::size_t n = random() % 400; n > 0; --n) {
      static constexpr std::string_view pieces[] = {"\"", "\\", "\r\n", "\xe2\x80\xa8", "\xe2\x80", "\xc3\xbc", " ",
                                                    "=",  "<",  ">"};
      if (random() % 2)
        value += pieces[random() % std::size(pieces)];
      else
        value += static_cast<char>(random());
    }
    std::string json = format_line(LogFormat::json, LogLevel::info, "x", {{"a", value}, {"end", 1}});
    ASSERT_TRUE(nlohmann::json::accept(json)) << json;
    EXPECT_EQ(nlohmann::json::parse(json)["end"], 1);
    std::string text = text_of({{"a", value, round % 2 == 0}, {"end", 1}});
    for (const std::string& line : {json, text}) {
      EXPECT_TRUE(text::is_utf8(line));
      for (char c : line) ASSERT_FALSE(text::is_control(c));
      EXPECT_EQ(line.find("\xe2\x80\xa8"), std::string::npos);
    }
    // Read it as a log reader would: from quote to unescaped quote, or up to the space.
    std::size_t end = 3;
    if (text[end] == '"') {
      for (++end; text[end] != '"'; ++end) {
        if (text[end] == '\\') ++end;
      }
      ++end;
    } else {
      end = text.find(' ', end);
    }
    EXPECT_EQ(text.substr(end), " end=1") << text;
  }
}

}  // namespace
}  // namespace sallyport
