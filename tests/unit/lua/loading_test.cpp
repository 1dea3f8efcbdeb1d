// Loading rule files: what is declared, and that everything wrong is told at once, with its place (threats.md L5, L9).
#include <sys/stat.h>

#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class LoadingRules : public RulesTest {};

TEST_F(LoadingRules, NoPathMeansNoRules) {
  settings.path.clear();
  load();
  EXPECT_THAT(rules->rules(), IsEmpty());
}

TEST_F(LoadingRules, AnEmptyDirectoryHasNoRules) {
  load();
  EXPECT_THAT(rules->rules(), IsEmpty());
}

TEST_F(LoadingRules, AMissingDirectoryIsAnError) {
  settings.path += "/nowhere";
  EXPECT_THAT(load_errors(), ElementsAre(HasSubstr("cannot read the rule path")));
}

TEST_F(LoadingRules, AllFieldsOfARule) {
  write("a.lua",
        "local sp = require 'sallyport'\n\nsp.rule {\n  name = 'FIRST', stage = 'rcpt', score = 2.5,\n"
        "  mode = 'shadow', on_error = 'skip', run = function() end }\n");
  write("b.lua", "require('sallyport').rule { name = 'b', stage = 'connect', run = function() end }");
  write("ignored.txt", "not Lua");
  load();
  ASSERT_EQ(rules->rules().size(), 2u);
  const Rule& first = rules->rules()[0];
  EXPECT_EQ(first.name, "FIRST");
  EXPECT_EQ(first.stage, policies::Stage::rcpt);
  EXPECT_EQ(first.score, 2.5);
  EXPECT_EQ(first.mode.mode, policies::Mode::shadow);
  EXPECT_EQ(first.on_error, OnError::skip);
  EXPECT_EQ(first.file, "a.lua");
  EXPECT_EQ(first.line, 3);
  const Rule& second = rules->rules()[1];
  EXPECT_EQ(second.mode.mode, policies::Mode::enforce);
  EXPECT_EQ(second.on_error, OnError::tempfail);
  EXPECT_EQ(second.score, 0);
}

TEST_F(LoadingRules, OnErrorComesFromTheSettings) {
  settings.on_error = OnError::skip;
  write("r.lua", rule_text(""));
  load();
  EXPECT_EQ(rules->rules()[0].on_error, OnError::skip);
}

TEST_F(LoadingRules, FilesLoadInOrderOfTheirNames) {
  for (const char* name : {"20", "10", "15"}) {
    write(std::string(name) + ".lua",
          "require('sallyport').rule { name = '" + std::string(name) + "', stage = 'connect', run = function() end }");
  }
  load();
  ASSERT_EQ(rules->rules().size(), 3u);
  EXPECT_EQ(rules->rules()[0].name + rules->rules()[1].name + rules->rules()[2].name, "101520");
}

TEST_F(LoadingRules, AllErrorsOfAllFilesAtOnce) {
  write("a.lua",
        "local sp = require 'sallyport'\n"
        "sp.rule { name = 'bad name', stage = 'mesage', score = 'x', mode = 'on', on_error = 'reject', weight = 1 }\n"
        "sp.rule { name = 'fine', stage = 'message', run = function() return sp.redis.get('x') end }\n"
        "sp.rule { name = 'fine', stage = 'done', run = function() return sp.rejct() end }\n");
  write("b.lua", "local x = \n\nif then end\n");
  write("c.lua", "local t = nil\nt.x = 1\n");
  EXPECT_THAT(
      load_errors(),
      ElementsAre("a.lua:2:0: unknown field 'weight'", "a.lua:2:0: name: expected 1 to 64 letters, digits and _ . -",
                  "a.lua:2:0: stage: expected one of connect, helo, mail, rcpt, headers, message, done; did you mean "
                  "'message'?",
                  "a.lua:2:0: score: expected a number from -1000 to 1000",
                  StartsWith("a.lua:2:0: mode: expected one of enforce, shadow, off"),
                  StartsWith("a.lua:2:0: on_error: expected one of skip, tempfail"),
                  "a.lua:2:0: run: expected a function", "a.lua:3:72: sp.redis is not available in this version",
                  "a.lua:4:0: name: 'fine' is already taken, at a.lua:3",
                  "a.lua:4:69: sp.rejct does not exist; did you mean sp.reject?",
                  "b.lua:3:0: unexpected symbol near 'if'",
                  StartsWith("c.lua:2:0: attempt to index a nil value (local 't')")));
}

TEST_F(LoadingRules, ErrorsHaveThePathOfTheFile) {
  write("a.lua", "x x");
  auto loaded = RuleSet::load(settings);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().front().file, settings.path + "/a.lua");
}

TEST_F(LoadingRules, BytecodeIsRefused) {
  write("a.lua", std::string("\x1bLua\x54\x00\x19\x93", 8));
  EXPECT_THAT(load_errors(), ElementsAre("a.lua:1:0: compiled Lua is not accepted, only its text"));
}

TEST_F(LoadingRules, FilesThatCannotBeRead) {
  write("big.lua", std::string((1 << 20) + 1, ' '));
  std::filesystem::create_directory(settings.path + "/directory.lua");
  EXPECT_THAT(load_errors(), ElementsAre("big.lua:0:0: is larger than 1 MiB"));
}

TEST_F(LoadingRules, WhatIsNoFileIsNotLeftOutInSilence) {
  write("a.lua", rule_text(""));
  std::filesystem::create_symlink("nowhere.lua", settings.path + "/b.lua");
  std::filesystem::create_symlink("ann@host.example.4711", settings.path + "/.#a.lua");  // an editor's lock
  std::filesystem::create_symlink("a.lua", settings.path + "/c.txt");
  std::filesystem::create_directory(settings.path + "/d.lua");
  ASSERT_EQ(::mkfifo((settings.path + "/e.lua").c_str(), 0600), 0);
  EXPECT_THAT(load_errors(),
              UnorderedElementsAre("b.lua:0:0: is no file that can be read", "e.lua:0:0: is no file that can be read"));
}

TEST_F(LoadingRules, AByteOrderMarkIsNoPartOfAFile) {
  write("a.lua", "\xef\xbb\xbf" + rule_text("return true"));
  load();
  EXPECT_EQ(run().kind, RunResult::Kind::verdict);
}

TEST_F(LoadingRules, LoadingHasABudgetToo) {
  settings.memory = 1 << 20;
  settings.cpu = std::chrono::minutes(1);  // its memory is to end it, however slow the machine
  write("a.lua", "local t = {} while true do t = { t, t } end");
  EXPECT_THAT(load_errors(), ElementsAre("a.lua:1:0: the file takes too much memory to load"));
  write("a.lua", "local function f() return f() + 1 end f()");
  EXPECT_THAT(load_errors(), ElementsAre(StartsWith("a.lua:1:0: ")));
  settings.cpu = std::chrono::milliseconds(5);
  write("a.lua", "\npcall(function() while true do end end)");
  EXPECT_THAT(load_errors(), ElementsAre("a.lua:2:0: the file takes too long to load"));
}

TEST_F(LoadingRules, YieldingAndOddErrors) {
  write("a.lua", "coroutine.yield()");
  write("b.lua", "error({})");
  write("c.lua", "error('no place', 0)");
  write("d.lua", "require('sallyport').rule(5)");
  EXPECT_THAT(load_errors(),
              ElementsAre("a.lua:1:0: a file cannot yield while it loads", "b.lua:1:0: an error that is not a string",
                          "c.lua:1:0: no place",
                          HasSubstr("d.lua:1:0: bad argument #1 to 'rule' (table expected, got number)")));
}

// -- require
// --------------------------------------------------------------------------------------------------------------

TEST_F(LoadingRules, ModulesAreLoadedOnce) {
  write("common.lua", "loaded = (loaded or 0) + 1 return { loaded = loaded, double = function(x) return 2 * x end }");
  write("a.lua", "local c = require 'common' assert(c.loaded == 1 and c == require('common'))");
  write("z.lua", "local c = require 'common' assert(c.double(2) == 4 and require('empty') == true)");
  write("empty.lua", "");
  load();
}

TEST_F(LoadingRules, WhatCannotBeRequired) {
  write("a.lua", "require 'io'");
  write("b.lua", "require '../a'");
  write("c.lua", "require 'a.b'");
  write("d.lua", "require 'broken'");
  write("broken.lua", "= 1");
  write("e.lua", "require 'f'");
  write("f.lua", "require 'e'");
  write("g.lua", "require 'rules'");
  write("rules.lua", "require('sallyport').rule { name = 'x', stage = 'connect', run = function() end }");
  write("s.lua", "require 'rules'");
  const std::string no_module = "no such module; there are \"sallyport\" and the files of the rule path";
  EXPECT_THAT(load_errors(), ElementsAre("a.lua:1:0: " + no_module, "b.lua:1:0: " + no_module,
                                         "broken.lua:1:0: unexpected symbol near '='", "c.lua:1:0: " + no_module,
                                         "d.lua:1:0: the required file did not load", HasSubstr("circle"),
                                         "rules.lua:1:0: a file that declares rules cannot be required by another one",
                                         "s.lua:1:0: the required file did not load"));
}

TEST_F(LoadingRules, AFailureInAModuleIsToldEvenWhenItsUserHidesIt) {
  write("a.lua", "pcall(require, 'm')");
  write("m.lua", "error('x')");
  EXPECT_THAT(load_errors(), ElementsAre("m.lua:0:0: did not load"));
}

// -- names that are not there
// ---------------------------------------------------------------------------------------------

TEST_F(LoadingRules, UnknownNamesAreFoundWithoutRunning) {
  const std::string source = R"lua(local s <const> = require("sallyport")
-- s.redis in a comment --[[ s.redis
--[==[ s.redis
]] s.redis ]==]
local text = "s.redis" .. 's.redis \' s.redis' .. [[ s.redis
]] .. [=[ s.redis ]] ]=]
local t = { s = { redis = 1 } }
local u = t.s.redis
local function later() return s . redis {} end
local function later() return ""..s.redis{} end
local function later() return require "sallyport".dns.ns("x"), s.dns.aa end
local function fine() return s.reject(), s.re "x", s["hit"]() end)lua";
  write("a.lua", source);
  EXPECT_THAT(load_errors(), ElementsAre("a.lua:9:35: sp.redis is not available in this version",
                                         "a.lua:10:37: sp.redis is not available in this version",
                                         "a.lua:11:55: sp.dns.ns does not exist",
                                         "a.lua:11:70: sp.dns.aa does not exist; did you mean sp.dns.a?"));
}

TEST_F(LoadingRules, UnknownFieldsOfTheMailAreFoundWithoutRunning) {
  write("a.lua", R"lua(local sp = require "sallyport"
sp.rule { name = "a", stage = "message", run = function(mail)
  if mail.clent.ip == "x" then return end
  local t = { mail = { clent = 1 } } ; t.mail.clent = 2
  for _, rcpt in ipairs(mail.rcpts) do if rcpt.addres then repeat until mail.msg:headr("x") end end
  return mail.auth.dmarc == "pass" and mail.client.tls.verson .. mail.id .. mail.from.org_doman
end }
local function named(tx) return tx.msg.subjet end
local function unused(tx) return tx.nothing end
sp.rule { name = "b", run = named, stage = "message" }
sp.rule { name = "c", stage = "message", run = function(tx) local tx = {} return tx.nothing end }
sp.rule { name = "d", stage = "message", run = function(tx) return f(function(a, tx) return tx.nothing end) end }
sp.rule { name = "e", stage = "message", run = function(tx) return { tx = 1 }, tx.nothing end })lua");
  EXPECT_THAT(load_errors(),
              ElementsAre("a.lua:3:11: tx.clent does not exist; did you mean tx.client?",
                          "a.lua:5:82: tx.msg.headr does not exist; did you mean tx.msg.header?",
                          "a.lua:6:56: tx.client.tls.verson does not exist; did you mean tx.client.tls.version?",
                          "a.lua:6:87: address.org_doman does not exist; did you mean address.org_domain?",
                          "a.lua:8:40: tx.msg.subjet does not exist; did you mean tx.msg.subject?",
                          "a.lua:13:83: tx.nothing does not exist"));
}

TEST_F(LoadingRules, UnknownChecksAreFoundWithoutRunning) {
  checks = {"dnsbl", "rate"};
  write("a.lua", R"lua(local sp = require "sallyport"
local accept = sp.accept
local function f(x) return sp.accept { skip = { "dnsbl", 'raet', x .. "y", "spff" } } end
sp.rule { name = "a", stage = "message", run = function() return sp.accept({ skip = { "rate" } }) end })lua");
  EXPECT_THAT(load_errors(), ElementsAre("a.lua:3:58: skip: there is no check 'raet'; did you mean 'rate'?",
                                         "a.lua:3:76: skip: there is no check 'spff'"));
  write("a.lua", rule_text("return sp.accept { skip = { 'dns' .. 'bl' } }"));
  load();
  EXPECT_EQ(run().kind, RunResult::Kind::verdict);
  write("a.lua", rule_text("return sp.accept { skip = { 'dns' .. 'bll' } }"));
  load();
  EXPECT_EQ(run().kind, RunResult::Kind::error);
}

TEST_F(LoadingRules, UnfinishedTextDoesNotConfuseTheSearch) {
  for (const char* source : {"--[[", "[==[", "'", "\"\\", "sp = require 'sallyport' sp.rule { run = function(tx",
                             "sp = require 'sallyport' sp.accept { skip = {", "sp = require 'sallyport' sp.",
                             "sp = require", "require(", "["}) {
    EXPECT_THAT(check_source("x", source), IsEmpty()) << source;
  }
}

TEST_F(LoadingRules, OldRulesStayWhenNewOnesDoNotLoad) {
  write("r.lua", rule_text("return sp.hit { detail = 'old' }"));
  load();
  write("r.lua", "broken");
  EXPECT_THAT(load_errors(), testing::SizeIs(1));
  EXPECT_EQ(run().fact.detail, "old");
}

}  // namespace
}  // namespace sallyport::lua
