// threats.md L1 to L4: whatever a rule does, it is stopped, and cannot keep that from happening.
#include <time.h>

#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int slowdown = 10;
#else
constexpr int slowdown = 1;
#endif
#else
constexpr int slowdown = 1;
#endif

Duration cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

struct Case {
  const char* name;
  const char* body;
};

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

// -- L1, L2: time
// ---------------------------------------------------------------------------------------------------------

class Endless : public RulesTest, public testing::WithParamInterface<Case> {};

TEST_P(Endless, IsStoppedWithinTwiceItsBudget) {
  write("r.lua", rule_text(GetParam().body));
  load();
  const Duration before = cpu_time();
  const RunResult result = run();
  const Duration used = cpu_time() - before;
  EXPECT_EQ(result.kind, Kind::timeout);
  EXPECT_EQ(result.fact.file, "r.lua");
  EXPECT_GE(result.fact.line, 3);
  EXPECT_LT(used, 2 * settings.cpu * slowdown);
}

INSTANTIATE_TEST_SUITE_P(
    Loops, Endless,
    testing::Values(
        Case{"Plain", "while true do end"}, Case{"Repeat", "repeat local x = 1 until false"},
        Case{"Goto", "::again:: goto again"}, Case{"CallsItself", "local function f() return f() end f()"},
        Case{"InPcall", "while true do pcall(function() while true do end end) end"},
        Case{"InNestedPcall",
             "local function f(n) while true do pcall(n > 0 and f or function() while true do end end, n - 1) end end "
             "f(20)"},
        Case{"InPcallWithoutBody", "while true do pcall(error) end"},
        Case{"InPcallsThatNest", "local function f() while true do pcall(f) end end f()"},
        Case{"InErrorHandler", "xpcall(error, function() while true do end end) while true do end"},
        Case{"InErrorHandlerOfTheStop",
             "xpcall(function() while true do end end, function() while true do end end) while true do end"},
        Case{"InErrorHandlerOfErrorHandler",
             "local function h() xpcall(error, h) while true do end end xpcall(error, h)"},
        Case{"InCoroutine", "while true do coroutine.resume(coroutine.create(function() while true do end end)) end"},
        Case{"InWrap", "while true do pcall(coroutine.wrap(function() while true do end end)) end"},
        Case{"InManyShortCoroutines",
             "local c = coroutine.wrap(function() while true do coroutine.yield() end end) while true do c() end"},
        Case{"InCoroutinesThatResumeEachOther",
             "local function make(n) return coroutine.wrap(function() local inner = n > 0 and make(n - 1) "
             "while true do for i = 1, 50 do if inner then inner() end end coroutine.yield() end end) end "
             "local c = make(20) while true do c() end"},
        Case{"InCoroutineClose",
             "local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() "
             "while true do end end}) coroutine.yield() end) coroutine.resume(c) coroutine.close(c)"},
        Case{"InCloseOfStoppedCoroutine",
             "local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() "
             "while true do end end}) while true do end end) pcall(coroutine.resume, c) pcall(coroutine.close, c) "
             "while true do end"},
        Case{"InMetamethod", "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x"},
        Case{"InToString", "tostring(setmetatable({}, {__tostring = function() while true do end end}))"},
        Case{"InToBeClosed", "local x <close> = setmetatable({}, {__close = function() while true do end end})"},
        Case{"InToBeClosedOfTheStop",
             "local function f() local x <close> = setmetatable({}, {__close = function() while true do end end}) "
             "while true do end end while true do pcall(f) end"},
        Case{"InManyToBeClosedOfTheStop",
             "local m = {__close = function() pcall(function() while true do end end) while true do end end} "
             "local function f() local a <close> = setmetatable({}, m) local b <close> = setmetatable({}, m) "
             "local c <close> = setmetatable({}, m) while true do end end while true do pcall(f) end"},
        Case{"InIterator", "for _ in function() return 1 end do end"},
        Case{"InGenericForClose",
             "for _ in function() return 1 end, nil, nil, setmetatable({}, {__close = function() while true do end "
             "end}) "
             "do end"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    LibraryFunctions, Endless,
    testing::Values(
        Case{"PatternBacktracking", "string.find(string.rep('a', 50), string.rep('a?', 50) .. string.rep('a', 50))"},
        Case{"PatternStars", "string.find(string.rep('a', 100000), '.-.-.-.-.-b')"},
        Case{"PatternInGsub", "string.gsub(string.rep('a', 100000), '.*.*.*.*b', '')"},
        Case{"PatternInGmatch", "for _ in string.gmatch(string.rep('a', 100000), '.*.*.*.*b') do end"},
        Case{"PatternBalance", "local s = string.rep('(', 100000) while true do string.find(s, '%b()') end"},
        Case{"PatternLongSet",
             "local s = string.rep('a', 500000) string.find(s, '[' .. string.rep('b', 100000) .. ']*c')"},
        Case{"PatternBackReference", "local s = string.rep('a', 200000) string.find(s, '(.*)%1b')"},
        Case{"PlainFind",
             "local s, w = string.rep('a', 1000000), string.rep('a', 500000) .. 'b' while true do s:find(w, 1, true) "
             "end"},
        Case{"RepeatNothing", "while true do string.rep('', 1 << 60) end"},
        Case{"RepeatMuch", "while true do local s = string.rep('x', 1000000) end"},
        Case{"LowerMuch", "local s = string.rep('x', 1000000) while true do s:lower() end"},
        Case{"CompareLongStrings",
             "local a, b = string.rep('x', 1000000) .. 'y', string.rep('x', 1000000) .. 'y' while a == b do end"},
        Case{"OrderLongStrings",
             "local a, b = string.rep('\\0', 1000000), string.rep('\\0', 1000000) while a <= b do end"},
        Case{"NumberFromLongString", "local a = string.rep('1', 1000000) while true do tonumber(a) end"},
        Case{"ConcatenateLongStrings", "local s = string.rep('x', 500000) while true do local t = s .. 'y' end"},
        Case{"ManyArguments",
             "local t = {} for i = 1, 10000 do t[i] = i end local function f(...) return select('#', ...) end "
             "while true do f(table.unpack(t)) end"},
        Case{"MoveFar", "table.move({}, 1, 1 << 60, 2)"},
        Case{"InsertWithLength", "table.insert(setmetatable({}, {__len = function() return 1 << 53 end}), 1, 'x')"},
        Case{"RemoveWithLength", "table.remove(setmetatable({}, {__len = function() return 1 << 53 end}), 1)"},
        Case{
            "SortWithLength",
            "table.sort(setmetatable({}, {__len = function() return 1 << 40 end, __index = function() return 1 end}))"},
        Case{"SortMuch",
             "local t = {} for i = 1, 20000 do t[i] = -i end while true do table.sort(t, function(a, b) return a < b "
             "end) "
             "end"},
        Case{"SortLongStrings",
             "local t = {} for i = 1, 60000 do t[i] = i % 2 == 0 and '\\0' or '\\0\\0' end "
             "while true do table.sort(t) end"},
        Case{"ConcatTable",
             "local t = {} for i = 1, 60000 do t[i] = 'xxxxxxxx' end while true do table.concat(t, ', ') end"},
        Case{"NextOnEmptiedTable",
             "local t = {} for i = 1, 30000 do t['k' .. i] = 1 end for k in pairs(t) do t[k] = nil end "
             "while true do next(t) end"},
        Case{"FormatMuch", "local s = string.rep('x', 900000) while true do string.format('%s', s) end"},
        Case{"Regex", "local re = sp.re('(x+x+)+y') local s = string.rep('x', 200000) while true do re:test(s) end"},
        Case{"RegexMadeToBeSlow",
             "local re, s = sp.re('[ab]*a[ab]{400}c'), {} for i = 1, 14000 do s[i] = i * 2654435761 >> 13 & 1 == 1 and "
             "'a' or "
             "'b' end s = table.concat(s) while true do re:match(s) end"}),
    name_of);

TEST_F(RulesTest, ARuleThatLoopsDoesNotHarmTheNextOne) {
  write("r.lua",
        "local sp = require 'sallyport'\n"
        "sp.rule { name = 'bad', stage = 'message', run = function() while true do end end }\n"
        "sp.rule { name = 'good', stage = 'message', score = 2, run = function() return true end }\n");
  load();
  EXPECT_EQ(run(0).kind, Kind::timeout);
  EXPECT_EQ(run(1).kind, Kind::verdict);
}

TEST_F(RulesTest, ALongRuleWithinItsBudgetEnds) {
  settings.cpu = std::chrono::seconds(20);
  EXPECT_EQ(text_of("(function() local n = 0 for i = 1, 1000000 do n = n + i % 7 end return n end)()"), "2999998");
}

// -- L3: memory
// -----------------------------------------------------------------------------------------------------------

class Bomb : public RulesTest, public testing::WithParamInterface<Case> {};

TEST_P(Bomb, EndsTheRun) {
  settings.cpu = std::chrono::seconds(10);  // memory is to be what ends it
  write("r.lua", rule_text(GetParam().body));
  load();
  EXPECT_EQ(run().kind, Kind::memory);
}

INSTANTIATE_TEST_SUITE_P(
    Memory, Bomb,
    testing::Values(
        Case{"Repeat", "string.rep('x', 1 << 30)"}, Case{"RepeatOverflow", "string.rep('xy', (1 << 63) - 1)"},
        Case{"RepeatSeparator", "string.rep('', 1 << 30, 'x')"},
        Case{"RepeatInPcall", "while true do pcall(string.rep, 'x', 1 << 30) end"},
        Case{"Doubling", "local s = 'x' while true do s = s .. s end"},
        Case{"DoublingInPcall", "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end"},
        Case{"DoublingInCoroutine",
             "while true do coroutine.resume(coroutine.create(function() local s = 'x' while true do s = s .. s end "
             "end)) "
             "end"},
        Case{"DoublingInToBeClosed",
             "local x <close> = setmetatable({}, {__close = function() local s = 'x' while true do s = s .. s end "
             "end})"},
        Case{"Keeping", "local t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end"},
        Case{"KeepingTables", "local t while true do t = {t} end"},
        Case{"KeepingCoroutines", "local t while true do local c = coroutine.create(print or type) t = {t, c} end"},
        Case{"Table", "local t = {} for i = 1, 1 << 30 do t[i] = i end"},
        Case{"Gsub", "local s = string.rep('x', 1000) while true do s = s:gsub('x', 'xxxxxxxxxx') end"},
        Case{"GsubFunction",
             "local r = string.rep('y', 100000) string.rep('x', 1000):gsub('x', function() return r end)"},
        Case{"Concat", "local t = {} for i = 1, 100 do t[i] = string.rep('x', 100000) end table.concat(t)"},
        Case{"Format", "local s = string.rep('x', 500000) string.format('%s%s%s', s, s, s)"},
        Case{"Upper", "local t = {} while true do t[#t + 1] = string.rep('x', 100000 + #t):upper() end"}),
    name_of);

TEST_F(RulesTest, ACollectionOfWeakTablesCannotBeMadeToTakeLong) {
  write("r.lua",
        rule_text("local m = {} local weak = setmetatable({}, m) m.__mode = 'k' rawset(m, '__mode', 'k')\n"
                  "local keys, x = {}, 12345 for i = 1, 30000 do keys[i] = {} end\n"
                  "for i = 30000, 2, -1 do x = x * 1103515245 + 12345 & 0x7fffffff local j = x % i + 1\n"
                  "keys[i], keys[j] = keys[j], keys[i] end\n"
                  "for i = 1, 29999 do weak[keys[i]] = keys[i + 1] end\n"
                  "local first = keys[1] keys = nil string.format('%s%s', ('x'):rep(1000000), ('x'):rep(1000000))"));
  load();
  const Duration before = cpu_time();
  EXPECT_NE(run().kind, Kind::silent);
  EXPECT_LT(cpu_time() - before, 2 * settings.cpu * slowdown);
}

TEST_F(RulesTest, GarbageDoesNotCountAsLongAsItIsNotHeld) {
  settings.cpu = std::chrono::seconds(20);
  EXPECT_EQ(run_body("for i = 1, 1000 do local s = string.rep('x', 100000) .. i end").kind, Kind::silent);
}

TEST_F(RulesTest, TheStateDoesNotGrowFromRunToRun) {
  settings.cpu = std::chrono::seconds(10);
  write("r.lua", rule_text("local t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end"));
  load();
  const std::uint64_t before = rules->octets_in_use();
  std::uint64_t most = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(run().kind, Kind::memory);
    most = std::max(most, rules->octets_in_use());
  }
  EXPECT_LT(most, before + 3 * settings.memory);
}

TEST_F(RulesTest, ManySmallRunsAreCollectedBetweenThem) {
  write("r.lua", rule_text("local t = {} for i = 1, 20 do t[i] = tx.client.ip .. i end global = t"));
  load();
  const std::uint64_t before = rules->octets_in_use();
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(run().kind, Kind::silent);
  EXPECT_LT(rules->octets_in_use(), before + (8u << 20));
}

// -- L4: depth
// ------------------------------------------------------------------------------------------------------------

class Deep : public RulesTest, public testing::WithParamInterface<Case> {};

TEST_P(Deep, IsARuleError) {
  settings.cpu = std::chrono::seconds(10);
  write("r.lua", rule_text(GetParam().body));
  load();
  const Duration before = cpu_time();
  EXPECT_EQ(run().kind, Kind::error);
  // Ten seconds were allowed; the way back out takes no longer than a run may by itself.
  EXPECT_LT(cpu_time() - before, std::chrono::milliseconds(100) * slowdown);
}

INSTANTIATE_TEST_SUITE_P(
    Depth, Deep,
    testing::Values(
        Case{"Recursion", "local function f() return 1 + f() end f()"},
        Case{"RecursionWithManyLocals",
             "local function f(...) local a, b, c, d, e, g, h, i, j, k, l, m = ... return 1 + f(a, b, c, d) end f()"},
        Case{"RecursionWithToBeClosed",
             "local m = {} local function f() local x <close> = setmetatable({}, m) f() end m.__close = f f()"},
        Case{"RecursionThroughPcall", "local function f() local ok, e = pcall(f) error(e) end f()"},
        Case{"RecursionThroughMetamethod",
             "local t = setmetatable({}, { __index = function(t, k) return t[k .. 'x'] end }) return t.x"},
        Case{"RecursionThroughGsub", "local function f(s) return s:gsub('.', f) end error(f('x'))"},
        Case{"RecursionThroughSort", "local function f() table.sort({1, 2, 3}, f) return true end f()"},
        Case{"RecursionThroughCoroutine",
             "local function f() local ok, e = coroutine.resume(coroutine.create(f)) error(e) end f()"},
        Case{"NestedPattern", "string.find('x', string.rep('(', 33) .. 'x' .. string.rep(')', 33))"},
        Case{"DeepPattern", "string.find(string.rep('a', 1000), string.rep('a?', 500) .. 'b')"}),
    name_of);

TEST_F(RulesTest, ClosingCoroutinesWithinEachOtherIsBounded) {
  settings.cpu = std::chrono::seconds(10);
  const RunResult result = run_body(
      "local function nest() local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = "
      "function()"
      " nest() end}) coroutine.yield() end) coroutine.resume(c) return coroutine.close(c) end\n"
      "local ok, e = nest() error(e)");
  EXPECT_EQ(result.kind, Kind::error);
}

}  // namespace
}  // namespace sallyport::lua
