// sp.net, sp.address, sp.text, sp.hash and sp.json: what they say, and what strangers' texts come to in them
// (threats.md L2, L3, L8).
#include <string>

#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;

class DataLibraries : public RulesTest {
 protected:
  std::string error_of(const std::string& expression) {
    return text_of("select(2, pcall(function() return " + expression + " end))");
  }
};

TEST_F(DataLibraries, NetworksAreMadeAtTheTopOfAFileAndAskedByRules) {
  write("r.lua",
        "local sp = require 'sallyport'\n"
        "local own = sp.net { '192.0.2.0/28', '2001:db8::/32', '10.0.0.1' }\n"
        "sp.rule { name = 'r', stage = 'message', run = function(tx)\n"
        "  local out = {}\n"
        "  for i, ip in ipairs { tx.client.ip, '192.0.2.16', '10.0.0.1', '2001:db8:1::1', '2001:db9::1', "
        "'::ffff:10.0.0.1' } do\n"
        "    out[i] = own:contains(ip) and '1' or '0'\n"
        "  end\n"
        "  return sp.hit { detail = table.concat(out) }\n"
        "end }\n");
  load();
  EXPECT_EQ(run().fact.detail, "101101");
}

TEST_F(DataLibraries, ANetworkThatIsNoneIsFoundWhileTheFileLoads) {
  write("r.lua", "local sp = require 'sallyport'\nlocal own = sp.net { '192.0.2.0/28', '192.0.2.1/24' }\n");
  const auto errors = load_errors();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("r.lua:2:"), std::string::npos) << errors[0];
  EXPECT_NE(errors[0].find("entry 2"), std::string::npos) << errors[0];
}

TEST_F(DataLibraries, AddressesHaveTheNamesThatReadersSee) {
  EXPECT_EQ(text_of("(function() local a = sp.address.parse('\"Smith, Ann\" <Ann@Example.ORG>, bob@example.com') "
                    "return #a .. a[1].name .. a[1].addr .. a[1].domain .. tostring(a[2].name) end)()"),
            "2Smith, AnnAnn@Example.ORGexample.orgnil");
  EXPECT_EQ(text_of("#sp.address.parse('nothing of that kind')"), "0");
  EXPECT_EQ(text_of("#sp.address.parse(('a@b,'):rep(5000))"), "1000");
  EXPECT_NE(error_of("sp.address.parse(('a@b,'):rep(20000))").find("longer than"), std::string::npos);
}

TEST_F(DataLibraries, AddressesOfHostsHaveNoRegistrableDomain) {
  for (const char* name : {"192.0.2.77", "2001:db8::77", "[192.0.2.77]", "[ipv6:2001:db8::77]"}) {
    EXPECT_EQ(text_of("sp.address.org_domain('" + std::string(name) + "')"), name);
  }
  mail.from = MailAddress{"ann", "[198.51.100.9]"};
  EXPECT_EQ(text_of("tx.from.org_domain"), "[198.51.100.9]");
}

TEST_F(DataLibraries, AddressesOfTheMessageAreReadBeforeTheyAreDecoded) {
  set_message(
      "From: =?utf-8?q?Smith=2C_Ann_=3Cboss=40bank.example=3E?= <eve@evil.example>\r\n"
      "To: bob@example.com\r\nTo: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\n\r\n");
  EXPECT_EQ(text_of("tx.msg.from.name .. '|' .. tx.msg.from.addr"), "Smith, Ann <boss@bank.example>|eve@evil.example");
  EXPECT_EQ(text_of("#tx.msg:addresses('to') == 2 and tx.msg:addresses('TO')[2].name == 'J\u00fcrgen'"), "true");
  EXPECT_EQ(text_of("#tx.msg:addresses('cc')"), "0");
  EXPECT_EQ(text_of("tx.from.name"), "nil");
}

TEST_F(DataLibraries, TextsAreComparedAsPeopleReadThem) {
  EXPECT_EQ(text_of("sp.text.skeleton('\u0440\u0430ypal') == sp.text.skeleton('paypal')"), "true");
  EXPECT_EQ(text_of("sp.text.fold('STRASSE') == sp.text.fold('Stra\u00dfe')"), "true");
  EXPECT_EQ(text_of("sp.text.nfc('e\u0301') == '\u00e9'"), "true");
  EXPECT_EQ(text_of("sp.text.distance('exmaple.org', 'example.org')"), "1");
  EXPECT_EQ(text_of("sp.text.distance('kitten', 'sitting', 2)"), "nil");
  EXPECT_EQ(text_of("sp.text.distance('kitten', 'sitting', 3)"), "3");
  for (const char* name : {"skeleton", "fold", "nfc"}) {
    const std::string call = std::string("sp.text.") + name;
    EXPECT_EQ(text_of("utf8.len(" + call + "('a\\0\\r\\n\\xff\\xc3'))"), "6") << "any octets: " << name;
    EXPECT_NE(error_of(call + "(('x'):rep(65537))").find("longer than"), std::string::npos) << name;
  }
}

TEST_F(DataLibraries, DigestsAreHexadecimal) {
  EXPECT_EQ(text_of("sp.hash.md5('')"), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(text_of("sp.hash.sha1('abc')"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(text_of("sp.hash.sha256('abc')"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(text_of("sp.hash.sha256('a\\0\\r\\n') == sp.hash.sha256('a')"), "false");
}

TEST_F(DataLibraries, JsonIsReadAndWritten) {
  EXPECT_EQ(text_of("sp.json.encode(sp.json.decode('{\"b\":[1,2.5,\"x\",true,null],\"a\":{},\"n\":null}'))"),
            "{\"a\":{},\"b\":[1,2.5,\"x\",true,false]}");
  EXPECT_EQ(text_of(R"(sp.json.decode('"\\ud83d\\ude00\\u00e9\\n\\ud800"') == '\u{1f600}\u{e9}\n\u{fffd}')"), "true");
  EXPECT_EQ(text_of("math.type(sp.json.decode('9007199254740993')) .. sp.json.decode('9007199254740993')"),
            "integer9007199254740993");
  EXPECT_EQ(text_of("math.type(sp.json.decode('1e2'))"), "float");
  EXPECT_EQ(text_of(R"(sp.json.encode('a"\\\n\xff') == '"a\\"\\\\\\u000a\u{fffd}"')"), "true");
  EXPECT_EQ(text_of("sp.json.encode({ [1] = 'x', [3] = 'y' })"), "{\"1\":\"x\",\"3\":\"y\"}");
  EXPECT_EQ(text_of("sp.json.encode({ 'x', nil, 'y', [9] = 'z' })"), "{\"1\":\"x\",\"3\":\"y\",\"9\":\"z\"}");
}

TEST_F(DataLibraries, WhatIsNoJsonIsSaidWithoutAnError) {
  for (const char* bad : {"",          " ",    "{",   "[1,",   "[1 2]", "{\"a\"}",  "{\"a\":}", "{a:1}",
                          "01",        "1.",   "-",   "1e",    "tru",   "nullx",    "\"x",      "\"\\q\"",
                          "\"\\u12\"", "[1]x", "'x'", "1e999", "\xff",  "\"\xff\"", "[1,]",     "{,}"}) {
    const RunResult result = run_body("local v, err = sp.json.decode([==[" + std::string(bad) +
                                      "]==]) assert(v == nil and type(err) == 'string')");
    EXPECT_EQ(result.kind, Kind::silent) << bad;
  }
  EXPECT_EQ(text_of("select(2, sp.json.decode('\"a\\nb\"'))"), "a control character in a string");
  EXPECT_EQ(text_of("select(2, sp.json.decode(('['):rep(100000)))"), "nested too deeply");
  EXPECT_EQ(text_of("select(2, sp.json.decode(('{\"a\":'):rep(100000)))"), "nested too deeply");
}

TEST_F(DataLibraries, WhatJsonCannotSayIsAnError) {
  EXPECT_NE(error_of("sp.json.encode(tostring)").find("function"), std::string::npos);
  EXPECT_NE(error_of("sp.json.encode(0/0)").find("infinite"), std::string::npos);
  EXPECT_NE(error_of("sp.json.encode({ [true] = 1 })").find("keys"), std::string::npos);
  EXPECT_NE(error_of("(function() local t = {} t.t = t return sp.json.encode(t) end)()").find("deeply"),
            std::string::npos);
  EXPECT_NE(error_of("sp.json.encode(tx)").find("userdata"), std::string::npos);
}

TEST_F(DataLibraries, TablesOfTheFileAreWrittenToo) {
  write("r.lua",
        "local sp = require 'sallyport'\nlocal list = { 'x', { y = 1 } }\n"
        "sp.rule { name = 'r', stage = 'message', run = function() return sp.hit { detail = sp.json.encode(list) } end "
        "}");
  load();
  EXPECT_EQ(run().fact.detail, "[\"x\",{\"y\":1}]");
}

// The same megabyte in each function, over and over: the run ends by its budget and stays in its memory.
TEST_F(DataLibraries, TheirWorkCounts) {
  const char* endless[] = {
      "sp.hash.sha256(big)",    "sp.hash.md5(big)",
      "sp.json.encode(big)",    "sp.json.decode('[' .. ('[1,2,\"x\"],'):rep(20000) .. '1]')",
      "sp.text.skeleton(part)", "sp.text.fold(part)",
      "sp.text.nfc(part)",      "sp.text.distance(part:sub(1, 500), ('y'):rep(500))",
      "sp.address.parse(part)", "sp.net(nets)",
  };
  for (const char* call : endless) {
    const RunResult result = run_body(
        "local big = ('x\\xc3\\xbc'):rep(300000) local part = ('\\xc3\\xbc@,'):rep(16000)\n"
        "local nets = {} for i = 1, 5000 do nets[i] = '10.' .. i % 256 .. '.0.0/16' end\n"
        "while true do pcall(function() return " +
        std::string(call) + " end) end");
    EXPECT_TRUE(result.kind == Kind::timeout || result.kind == Kind::memory) << call << int(result.kind);
  }
  const RunResult bomb =
      run_body("local t = { ('x'):rep(100000) } for i = 1, 20 do t = { t, t } end sp.json.encode(t)");
  EXPECT_EQ(bomb.kind, Kind::memory) << "a text that doubles with each level";
}

}  // namespace
}  // namespace sallyport::lua
