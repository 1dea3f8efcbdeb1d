// threats.md L5 to L7: what rules can reach, and that nothing of one run is there in the next.
#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;

class Isolation : public RulesTest {
 protected:
  // Two runs of the same rule, which gives its text by sp.hit.
  std::pair<std::string, std::string> twice() {
    const RunResult first = run();
    const RunResult second = run();
    return {detail(first), detail(second)};
  }
  static std::string detail(const RunResult& result) {
    return result.kind == Kind::verdict ? result.fact.detail
                                        : "failed at " + result.fact.file + ":" + std::to_string(result.fact.line);
  }
};

TEST_F(Isolation, GlobalsAreGoneForTheNextMessage) {
  write("r.lua", rule_text("local before = tostring(seen) seen = 'yes' return sp.hit { detail = before .. seen }"));
  load();
  EXPECT_EQ(twice(), std::pair(std::string("nilyes"), std::string("nilyes")));
}

TEST_F(Isolation, GlobalsOfTheFileComeBack) {
  write("r.lua", "limit = 3\nfunction twice(x) return x * 2 end\n" +
                     rule_text("local l = limit limit = 100 local t = twice(limit) twice = nil "
                               "return sp.hit { detail = l .. ' ' .. t }"));
  load();
  EXPECT_EQ(twice(), std::pair(std::string("3 200"), std::string("3 200")));
}

TEST_F(Isolation, GlobalsOfOneFileAreNotThoseOfAnother) {
  write("a.lua", "shared = 'a'\n" + rule_text("return sp.hit { detail = tostring(shared) }"));
  std::string other = rule_text("return sp.hit { detail = tostring(shared) }");
  other.replace(other.find("'r'"), 3, "'q'");
  write("b.lua", other);
  load();
  EXPECT_EQ(detail(run(0)), "a");
  EXPECT_EQ(detail(run(1)), "nil");
}

TEST_F(Isolation, LocalsOfTheFileArePutBack) {
  write("r.lua", "local count, last = 0, nil\nlocal function bump(s) count = count + 1 last = s end\n" +
                     rule_text("bump(tx.id) return sp.hit { detail = count .. ' ' .. tostring(last) }"));
  load();
  EXPECT_EQ(twice(), std::pair(std::string("1 " + mail.id), std::string("1 " + mail.id)));
}

TEST_F(Isolation, LocalsArePutBackAfterAFailure) {
  write("r.lua",
        "local count = 0\n" + rule_text("count = count + 1 if count > 1 then return sp.hit { detail = 'leak' } end "
                                        "error('x')"));
  load();
  EXPECT_EQ(run().kind, Kind::error);
  EXPECT_EQ(run().kind, Kind::error);
}

TEST_F(Isolation, LocalsInClosuresArePutBack) {
  write("r.lua",
        "local function counter() local n = 0 return function() n = n + 1 return n end end\n"
        "local tools = { next_number = counter() }\n" +
            rule_text("return sp.hit { detail = tostring(tools.next_number()) }"));
  load();
  EXPECT_EQ(twice(), std::pair(std::string("1"), std::string("1")));
}

struct Attempt {
  const char* name;
  const char* before;  // at the top of the file
  const char* body;
};

class Change : public Isolation, public testing::WithParamInterface<Attempt> {};

TEST_P(Change, IsRefused) {
  write("r.lua", std::string(GetParam().before) + "\n" + rule_text(GetParam().body));
  load();
  EXPECT_EQ(run().kind, Kind::error);
  EXPECT_EQ(run().kind, Kind::error);
}

INSTANTIATE_TEST_SUITE_P(
    Tables, Change,
    testing::Values(
        Attempt{"Library", "", "string.find = nil"}, Attempt{"NewFieldOfLibrary", "", "string.leak = tx.id"},
        Attempt{"RawSetOfLibrary", "", "rawset(string, 'leak', tx.id)"},
        Attempt{"InsertIntoLibrary", "", "table.insert(table, 'x')"},
        Attempt{"MoveIntoLibrary", "", "table.move({ 1 }, 1, 1, 1, math)"},
        Attempt{"SortOfFrozen", "local t = { 3, 1, 2 }", "table.sort(t)"},
        Attempt{"RemoveOfFrozen", "local t = { 3, 1, 2 }", "table.remove(t)"}, Attempt{"Module", "", "sp.reject = nil"},
        Attempt{"MetatableOfLibrary", "", "setmetatable(string, { __index = math })"},
        Attempt{"MetatableOfStrings", "", "getmetatable('').__index = nil"}, Attempt{"MethodOfStrings", "", "(''):x()"},
        Attempt{"MetatableOfGlobals", "", "setmetatable(_ENV, {})"},
        Attempt{"TableOfTheFile", "local seen = {}", "seen[tx.id] = true"},
        Attempt{"GlobalTableOfTheFile", "seen = {}", "seen[tx.id] = true"},
        Attempt{"NestedTable", "local t = { a = { b = {} } }", "t.a.b.c = 1"},
        Attempt{"TableBehindTheMetatable", "local t = setmetatable({}, { __index = { list = {} } })", "t.list.x = 1"},
        Attempt{"MetatableOfTheFile", "local m = { __index = {} } local t = setmetatable({}, m)", "m.__index = nil"},
        Attempt{"MetatableOfTableOfTheFile", "local t = setmetatable({}, {})", "getmetatable(t).x = 1"},
        Attempt{"TableAsKey", "local k = {} local t = { [k] = 1 }", "for key in pairs(t) do key.x = 1 end"},
        Attempt{"ByItsOwnMethod", "local t = {} function t:set(v) self.value = v end", "t:set(1)"},
        Attempt{"ByItsNewIndex", "local t = setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v) end })",
                "t.x = 1"},
        Attempt{"ByTableOfUpvalue", "local t = {} local function f(v) t[1] = v end", "f(1)"},
        Attempt{"Transaction", "", "tx.id = 'x'"}, Attempt{"Client", "", "tx.client.helo = 'x'"},
        Attempt{"Address", "", "tx.from.addr = 'x'"},
        Attempt{"MetatableOfTransaction", "", "getmetatable(tx).__index = nil"},
        Attempt{"FinalizerOfTable", "", "setmetatable({}, { __gc = function() end })"},
        Attempt{"WeakTable", "", "setmetatable({}, { __mode = 'k' })"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Isolation, FrozenTablesReadAsBefore) {
  write("r.lua", R"lua(
    local list = { 'a', 'b', 'c', n = 3 }
    local Class = {} ; Class.__index = Class ; Class.__tostring = function(o) return 'o' .. o.v end
    Class.__len = function() return 7 end
    function Class.new(v) return setmetatable({ v = v }, Class) end
    function Class:double() return self.v * 2 end
    local one = Class.new(21)
    local defaulted = setmetatable({ own = 1 }, { __index = function(t, k) return k .. '?' end, __call = function(_, x) return x + 1 end })
    local cycle = {} ; cycle.self = cycle ; setmetatable(cycle, cycle)
  )lua" + rule_text(R"lua(
    local log = {}
    local function note(...) for _, v in ipairs { ... } do log[#log + 1] = tostring(v) end end
    note(#list, list[2], list.n, list.missing == nil, rawlen(list), rawget(list, 3), select('#', table.unpack(list)))
    for i, v in ipairs(list) do note(i .. v) end
    local keys = {} for k in pairs(list) do keys[#keys + 1] = tostring(k) end table.sort(keys) note(table.concat(keys))
    local k, n = nil, 0 repeat k = next(list, k) n = n + 1 until k == nil note(n)
    note(table.concat(list, '+'))
    note(one:double(), tostring(one), #one, getmetatable(one) == Class)
    local fresh = Class.new(4) note(fresh:double(), tostring(fresh), getmetatable(fresh) == Class, fresh.nothing == nil)
    fresh.v = 5 note(fresh:double())
    note(defaulted.own, defaulted.other, defaulted(1))
    note(cycle.self == cycle, cycle.self.self == cycle)
    local copy = table.move(list, 1, #list, 1, {}) copy[4] = 'd' note(#copy)
    note(string.find('abc', 'b'), ('x'):rep(3), math.floor(2.5), #utf8.char(228))
    return sp.hit { detail = table.concat(log, ' ') }
  )lua"));
  load();
  const std::string expected =
      "3 b 3 true 3 c 3 1a 2b 3c 123n 5 a+b+c 42 o21 7 false 8 o4 true true 10 1 other? 2 true true 4 2 xxx 2 2";
  EXPECT_EQ(twice(), std::pair(expected, expected));
}

TEST_F(Isolation, ModulesAreFrozenToo) {
  write("m.lua",
        "local m = { count = 0, list = {} } counted = 0\n"
        "function m.bump() counted = counted + 1 end\n"
        "function m.add(x) m.list[#m.list + 1] = x end\n"
        "function m.twice(x) return x * 2 end return m");
  write("r.lua",
        "local m = require 'm'\n" +
            rule_text("return sp.hit { detail = tostring(pcall(m.bump)) .. ' ' .. tostring(pcall(m.add, 1)) .. ' ' "
                      ".. m.twice(4) .. ' ' .. tostring(require 'm' == m) }"));
  load();
  EXPECT_EQ(detail(run()), "false false 8 true");
}

TEST_F(Isolation, CoroutinesAndIteratorsOfTheLoadingCannotBeKept) {
  write("a.lua",
        "local sp = require 'sallyport'\nlocal c = coroutine.wrap(function() while true do coroutine.yield() end end)\n"
        "sp.rule { name = 'a', stage = 'message', run = function() c() end }");
  write("b.lua",
        "local sp = require 'sallyport'\nlocal g = ('a b c'):gmatch('%a')\n"
        "sp.rule { name = 'b', stage = 'message', run = function() g() end }");
  EXPECT_THAT(
      load_errors(),
      testing::ElementsAre("a.lua:1:0: a coroutine made while the file loads cannot be kept for the runs of a rule",
                           "b.lua:1:0: an iterator made while the file loads cannot be kept for the runs of a rule"));
}

TEST_F(Isolation, PatternsAndVerdictsOfTheLoadingCanBeKept) {
  write("r.lua",
        "local s = require 'sallyport'\nlocal found = { re = s.re('^01') } local yes = s.hit { detail = 'kept' }\n" +
            rule_text("if found.re:test(tx.id) then return yes end"));
  load();
  EXPECT_EQ(twice(), std::pair(std::string("kept"), std::string("kept")));
}

class NotThere : public Isolation, public testing::WithParamInterface<const char*> {};

TEST_P(NotThere, IsNil) { EXPECT_EQ(text_of(GetParam()), "nil"); }

INSTANTIATE_TEST_SUITE_P(Names, NotThere,
                         testing::Values("io", "debug", "package", "load", "loadstring", "loadfile", "dofile",
                                         "collectgarbage", "print", "warn", "_G", "os.execute", "os.getenv", "os.exit",
                                         "os.remove", "os.rename", "os.tmpname", "os.setlocale", "os.clock",
                                         "string.dump", "string.pack", "math.random", "math.randomseed",
                                         "coroutine.leak"));

TEST_F(Isolation, TimeAndDateAreThere) {
  EXPECT_EQ(text_of("os.date('!%Y-%m-%d', tx.now) .. ' ' .. type(os.time())"), "2026-09-21 number");
}

TEST_F(Isolation, RequireGivesNothingElse) {
  write("x.lua", "return 1");
  EXPECT_EQ(
      text_of("tostring(pcall(require, 'io')) .. tostring(pcall(require, '../x')) .. tostring(pcall(require, ''))"),
      "falsefalsefalse");
}

TEST_F(Isolation, SpRuleInARunIsAnError) {
  EXPECT_EQ(run_body("sp.rule { name = 'late', stage = 'message', run = function() end }").kind, Kind::error);
}

// -- L7
// -------------------------------------------------------------------------------------------------------------------

TEST_F(Isolation, AnErrorNamesItsPlace) {
  write("r.lua", rule_text("local function deeper()\n  return nil + 1\nend\nreturn deeper()"));
  load();
  const RunResult result = run();
  EXPECT_EQ(result.kind, Kind::error);
  EXPECT_EQ(result.fact.file, "r.lua");
  EXPECT_EQ(result.fact.line, 4);
}

TEST_F(Isolation, AnErrorInALibraryFunctionIsPlacedAtTheCall) {
  const RunResult result = run_body("\n\nstring.rep()");
  EXPECT_EQ(result.kind, Kind::error);
  EXPECT_EQ(result.fact.line, 5);
}

TEST_F(Isolation, ErrorsThatAreNotStrings) {
  for (const char* body : {"error()", "error({})", "error(nil)", "error(setmetatable({}, {__tostring = error}))"}) {
    EXPECT_EQ(run_body(body).kind, Kind::error) << body;
  }
}

TEST_F(Isolation, WrongReturnValuesAreErrors) {
  for (const char* body : {"return 1", "return 'reject'", "return {}", "return function() end", "return tx",
                           "return tx.from", "return sp.re('x')", "return coroutine.create(function() end)"}) {
    const RunResult result = run_body(body);
    EXPECT_EQ(result.kind, Kind::error) << body;
    EXPECT_EQ(result.fact.line, 2) << body;
  }
}

TEST_F(Isolation, YieldingOutOfARuleIsAnError) {
  EXPECT_EQ(run_body("coroutine.yield()").kind, Kind::error);
  EXPECT_EQ(run_body("pcall(coroutine.yield)").kind, Kind::error);
  EXPECT_EQ(run_body("return true").kind, Kind::verdict);
}

}  // namespace
}  // namespace sallyport::lua
