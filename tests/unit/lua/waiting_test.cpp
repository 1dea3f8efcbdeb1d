// Lookups as plain code: what sp.dns gives, where a rule may wait, what runs beside it meanwhile, and what the record
// tells of it.
#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Lookups : public GatherTest {
 protected:
  Lookups() {
    support::DnsZone& zone = resolver.zone();
    zone.a("host.example", "192.0.2.1");
    zone.a("host.example", "192.0.2.2");
    zone.a("host.example", "2001:db8::1");
    zone.mx("example.org", 20, "b.example.org");
    zone.mx("example.org", 10, "a.example.org");
    zone.txt("example.org", "v=spf1 -all");
    zone.ptr("7.2.0.192.in-addr.arpa", "mail.example.org");
    zone.set("broken.example", dns::Type::A, dns::Status::servfail);
    zone.set("silent.example", dns::Type::A, dns::Status::timeout);
    zone.a("7.2.0.192.list.example", "127.0.0.2");
    zone.a("7.2.0.192.list.example", "127.0.0.9");
    zone.a("bad.example.dbl.example", "127.0.1.2");
    zone.a("full.example.dbl.example", "127.255.255.254");
    zone.a("taken.example.dbl.example", "203.0.113.9");
    zone.a("7.2.0.192.abcd1234efgh5678.zen.example", "127.0.0.2");
    for (int i = 0; i < 50; ++i) zone.a("n" + std::to_string(i) + ".example", "192.0.2.9");
  }
  // The detail of the hit that the rule's function ends with; or how it failed.
  std::string detail_of(const std::string& body) {
    const std::vector<Verdict> said = verdicts_of(rule("r", body));
    return said.empty() ? "silent" : said.front().because;
  }
  // An expression's values, as text.
  std::string values_of(const std::string& expression) {
    return detail_of(R"lua(
      local function text(v)
        if type(v) ~= 'table' then return tostring(v) end
        local parts = {}
        for _, one in ipairs(v) do parts[#parts + 1] = text(one) end
        if v.host then parts[#parts + 1] = v.preference .. ' ' .. v.host end
        return '{' .. table.concat(parts, ',') .. '}'
      end
      local values, out = table.pack()lua" +
                     expression + R"lua(), {}
      for i = 1, values.n do out[i] = text(values[i]) end
      return sp.hit { detail = table.concat(out, ' ') })lua");
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> names;
    const RulesFacts found = facts.get<RulesFacts>();
    for (const RuleLookup& lookup : found.lookups) {
      names.push_back(std::string(dns::name(lookup.asked.question.type)) + " " + lookup.asked.question.name);
    }
    return names;
  }
};

// -- what they give

TEST_F(Lookups, GiveAValueOrNothingOrAnError) {
  for (const Duration delay : {Duration::zero(), Duration(milliseconds(100))}) {
    dns_takes(delay);
    EXPECT_EQ(values_of("sp.dns.a('host.example')"), "{192.0.2.1,192.0.2.2} nil ok");
    EXPECT_EQ(values_of("sp.dns.a('HOST.example.')"), "{192.0.2.1,192.0.2.2} nil ok");
    EXPECT_EQ(values_of("sp.dns.aaaa('host.example')"), "{2001:db8::1} nil ok");
    EXPECT_EQ(values_of("sp.dns.mx('example.org')"), "{{10 a.example.org},{20 b.example.org}} nil ok");
    EXPECT_EQ(values_of("sp.dns.txt('example.org')"), "{v=spf1 -all} nil ok");
    EXPECT_EQ(values_of("sp.dns.ptr(tx.client.ip)"), "{mail.example.org} nil ok");
    EXPECT_EQ(values_of("sp.dns.a('example.org')"), "nil nil no_data");
    EXPECT_EQ(values_of("sp.dns.a('nothing.example')"), "nil nil nxdomain");
    EXPECT_EQ(values_of("sp.dns.a('broken.example')"), "nil servfail servfail");
  }
}

TEST_F(Lookups, OfListsKnowWhatIsAListing) {
  EXPECT_EQ(values_of("sp.dns.listed(tx.client.ip, 'list.example')"), "127.0.0.2 nil {127.0.0.2,127.0.0.9}");
  EXPECT_EQ(values_of("sp.dns.listed('Bad.example', 'dbl.example')"), "127.0.1.2 nil {127.0.1.2}");
  EXPECT_EQ(values_of("sp.dns.listed('good.example', 'dbl.example')"), "nil nil");
  EXPECT_EQ(values_of("sp.dns.listed('full.example', 'dbl.example')"), "nil list_error");
  EXPECT_EQ(values_of("sp.dns.listed('taken.example', 'dbl.example')"), "nil list_error");
  EXPECT_EQ(values_of("sp.dns.listed('2001:db8::1', 'list.example')"), "nil nil");
  EXPECT_EQ(values_of("sp.dns.listed(('a'):rep(60) .. '.example', ('b.'):rep(95) .. 'example')"), "nil name_too_long");
  EXPECT_THAT(values_of("sp.dns.listed('a b', 'list.example')"), HasSubstr("rule_error"));
}

TEST_F(Lookups, AreCountedAgainstTheMailsBudgetByTheResolver) {
  support::DnsZone zone;
  zone.set("host.example", dns::Type::A, dns::Status::budget);
  resolver = support::TableResolver(zone);
  EXPECT_EQ(values_of("sp.dns.a('host.example')"), "nil budget budget");
}

// -- where a rule may wait

struct Place {
  const char* name;
  const char* body;
};
std::string name_of(const testing::TestParamInfo<Place>& info) { return info.param.name; }

class MayWait : public Lookups, public testing::WithParamInterface<Place> {};

TEST_P(MayWait, AsIfNothingWere) {
  for (const Duration delay : {Duration::zero(), Duration(milliseconds(100))}) {
    dns_takes(delay);
    EXPECT_EQ(detail_of("local function look(n) return sp.dns.a(n or 'host.example')[1] end\n" +
                        std::string(GetParam().body) + "\nreturn sp.hit { detail = found }"),
              "192.0.2.1")
        << delay.count();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Places, MayWait,
    testing::Values(
        Place{"Plain", "local found = look()"}, Place{"InALoop", "local found for i = 1, 20 do found = look() end"},
        Place{"InPcall", "local _, found = pcall(look)"},
        Place{"InNestedPcalls", "local _, _, _, found = pcall(pcall, pcall, look)"},
        Place{"InPcallThatFails", "local found pcall(function() found = look() error('x') end)"},
        Place{"InXpcall", "local _, found = xpcall(look, error)"},
        Place{"InTheHandlerOfXpcall", "local _, found = xpcall(error, function() return look() end)"},
        Place{"InACoroutine", "local _, found = coroutine.resume(coroutine.create(look))"},
        Place{"InWrap", "local found = coroutine.wrap(look)()"},
        Place{"InCoroutinesInEachOther",
              "local function deep(n) return n == 0 and look() or coroutine.wrap(deep)(n - 1) end local found = "
              "deep(20)"},
        Place{"InPcallInACoroutineInPcall",
              "local _, found = pcall(coroutine.wrap(function() return select(2, pcall(look)) end))"},
        Place{"BetweenTheYieldsOfACoroutine",
              "local c = coroutine.wrap(function(a) local b = coroutine.yield(look()) look() return b .. look() end) "
              "local found = c(1) assert(c('x') == 'x192.0.2.1')"},
        Place{"InAnIterator",
              "local found for x in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(look()) end "
              "end) do found = x end"},
        Place{"InAnIteratorFunction",
              "local found for x in function(_, last) if not last then return look() end end do "
              "found = x end"},
        Place{"InIndex", "local found = setmetatable({}, { __index = function() return look() end }).x"},
        Place{"InCall", "local found = setmetatable({}, { __call = function() return look() end })()"},
        Place{"InAdd", "local found = setmetatable({}, { __add = function() return look() end }) + 1"},
        Place{"InConcat", "local found = setmetatable({}, { __concat = function() return look() end }) .. 'x'"},
        Place{"InLess",
              "local found assert(setmetatable({}, { __lt = function() found = look() return true end }) < {})"},
        Place{"InEqual",
              "local found local m = { __eq = function() found = look() return true end } "
              "assert(setmetatable({}, m) == setmetatable({}, m))"},
        Place{"InClose",
              "local found do local x <close> = setmetatable({}, { __close = function() found = look() end }) end"},
        Place{"InPairs",
              "local found for _, x in pairs(setmetatable({}, { __pairs = function() local a = look() return next, "
              "{ a } end })) do found = x end"},
        Place{"InEach", "local t = sp.each({ 'host.example' }, look) local found = t['host.example']"},
        Place{"InEachInEach",
              "local t = sp.each({ 'a' }, function() return sp.each({ 'host.example' }, look)['host.example'] end) "
              "local found = t.a"},
        Place{"InACoroutineInEach",
              "local t = sp.each({ 'host.example' }, function(n) return coroutine.wrap(look)(n) end) "
              "local found = t['host.example']"},
        Place{
            "InEachInACoroutine",
            "local found = coroutine.wrap(function() return sp.each({ 'host.example' }, look)['host.example'] end)()"},
        Place{"InAll", "local found = sp.all { first = look, second = look }.first"}),
    name_of);

class MayNotWait : public Lookups, public testing::WithParamInterface<Place> {};

TEST_P(MayNotWait, IsAClearError) {
  for (const Duration delay : {Duration::zero(), Duration(milliseconds(100))}) {
    dns_takes(delay);
    const std::string detail = detail_of(
        "local message local function look() local ok, e = pcall(sp.dns.a, 'host.example') "
        "message = message or e return false end\n" +
        std::string(GetParam().body) + "\nreturn sp.hit { detail = tostring(message) }");
    EXPECT_THAT(detail, HasSubstr("a rule cannot wait here")) << delay.count();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Places, MayNotWait,
    testing::Values(
        Place{"InSort", "table.sort({ 1, 2, 3 }, look)"}, Place{"InGsub", "local _ = ('x'):gsub('x', look)"},
        Place{"InToString", "tostring(setmetatable({}, { __tostring = function() look() return 'x' end }))"},
        Place{"InFormat",
              "local _ = ('%s'):format(setmetatable({}, { __tostring = function() look() return 'x' end }))"},
        Place{"InLength", "table.insert(setmetatable({}, { __len = function() look() return 0 end }), 1)"},
        Place{"InIndexByALibrary",
              "table.concat(setmetatable({}, { __index = function() look() return 'x' end, "
              "__len = function() return 1 end }))"},
        Place{"InACoroutineInSort", "table.sort({ 1, 2, 3 }, function() return coroutine.wrap(look)() end)"},
        Place{"InEachInSort",
              "table.sort({ 1, 2, 3 }, function() local ok, e = pcall(sp.each, { 1 }, look) "
              "message = message or e return false end)"},
        Place{"InCoroutineClose",
              "local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = look }) "
              "coroutine.yield() end) coroutine.resume(c) coroutine.close(c)"},
        Place{"InACoroutineInCoroutineClose",
              "local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() "
              "coroutine.wrap(look)() end }) coroutine.yield() end) coroutine.resume(c) coroutine.close(c)"}),
    name_of);

TEST_F(Lookups, WhileAFileLoadsAreErrors) {
  write("a.lua", "local sp = require 'sallyport'\nlocal x = sp.dns.a('host.example')");
  write("b.lua", "local sp = require 'sallyport'\nlocal x = sp.each({ 1 }, function() end)");
  EXPECT_THAT(load_errors(), ElementsAre(HasSubstr("a.lua:2:0: a rule can wait only while it runs"),
                                         HasSubstr("b.lua:2:0: a rule can wait only while it runs")));
}

TEST_F(Lookups, ARuleStillCannotYieldItself) {
  dns_takes(milliseconds(100));
  EXPECT_THAT(detail_of("sp.dns.a('host.example') coroutine.yield()"), HasSubstr("rule_error"));
  EXPECT_THAT(detail_of("sp.each({ 1 }, function() coroutine.yield() end)"), HasSubstr("rule_error"));
}

TEST_F(Lookups, AWaitingCoroutineIsNotTheRulesToResumeOrClose) {
  dns_takes(milliseconds(100));
  EXPECT_EQ(detail_of(R"lua(
      local c = coroutine.create(function() return sp.dns.a('host.example')[1] end)
      local said = {}
      local threads = {}
      sp.all {
        function() table.insert(said, select(2, coroutine.resume(c))) end,
        function() table.insert(said, select(2, coroutine.resume(c))) end,
        function() table.insert(said, tostring(pcall(coroutine.close, c))) end,
        function() threads[1] = coroutine.running() sp.dns.a('host.example') end,
        function() table.insert(said, select(2, coroutine.resume(threads[1]))) end,
      }
      table.sort(said)
      return sp.hit { detail = table.concat(said, '|') })lua"),
            "192.0.2.1|cannot resume non-suspended coroutine|cannot resume non-suspended coroutine|false");
}

TEST_F(Lookups, CoroutinesThatAreLeftWaitingDoNotGetInTheWayOfNewOnes) {
  dns_takes(milliseconds(10));
  settings.memory = 1 << 20;
  settings.cpu = settings.cpu_per_mail = seconds(10);
  EXPECT_EQ(detail_of(R"lua(
      local function nested() return coroutine.wrap(function() return sp.dns.a('n1.example') end)() end
      for round = 1, 40 do
        pcall(sp.each, { nested, nested, error }, function(f) return f() end)
        for i = 1, 500 do coroutine.wrap(function() return ('x'):rep(100 + i) end)() end
      end
      return sp.hit { detail = 'ok' })lua"),
            "ok");
}

// -- beside each other

TEST_F(Lookups, OfEachAreAskedBesideEachOther) {
  dns_takes(milliseconds(100));
  const Time before = loop.now();
  EXPECT_EQ(detail_of(R"lua(
      local names = {}
      for i = 0, 31 do names[#names + 1] = 'n' .. i .. '.example' end
      local found, errors = sp.each(names, function(name) return sp.dns.a(name) end)
      local count = 0
      for name, addresses in pairs(found) do assert(addresses[1] == '192.0.2.9') count = count + 1 end
      return sp.hit { detail = count .. ' ' .. tostring(errors) })lua"),
            "32 nil");
  EXPECT_LT(loop.now() - before, milliseconds(150));
  EXPECT_EQ(asked().size(), 32u);
}

TEST_F(Lookups, OneSlowLookupDoesNotHoldUpTheSecondOnesOfOthers) {
  dns_takes(milliseconds(100));
  deadline = loop.now() + seconds(2);
  EXPECT_THAT(detail_of(R"lua(
      local second = 0
      sp.all { function() return sp.dns.a('silent.example') end,
               function() sp.dns.a('n1.example') sp.dns.a('n2.example') second = second + 1 end })lua"),
              HasSubstr("rule_timeout"));
  EXPECT_THAT(asked(), testing::IsSupersetOf({"A n1.example", "A n2.example"}));
}

TEST_F(Lookups, EachGivesValuesAndErrorsByItem) {
  dns_takes(milliseconds(10));
  EXPECT_EQ(detail_of(R"lua(
      local values, errors = sp.each({ 'host.example', 'broken.example', 'host.example', 'nothing.example' }, sp.dns.a)
      return sp.hit { detail = #values['host.example'] .. tostring(values['broken.example']) .. tostring(values['nothing.example'])
        .. ' ' .. errors['broken.example'] .. tostring(errors['nothing.example']) })lua"),
            "2nilnil servfailnil");
  EXPECT_EQ(detail_of("local v, e = sp.all { a = function() return 1 end, b = function() return nil, 'x' end, "
                      "function() return false "
                      "end } return sp.hit { detail = v.a .. tostring(v.b) .. tostring(v[1]) .. e.b }"),
            "1nilfalsex");
  EXPECT_EQ(detail_of("local v, e = sp.each({}, error) return sp.hit { detail = tostring(next(v)) .. tostring(e) }"),
            "nilnil");
}

TEST_F(Lookups, MoreItemsThanRunAtATimeAllGetTheirTurn) {
  dns_takes(milliseconds(100));
  EXPECT_EQ(detail_of(R"lua(
      local names = {}
      for i = 1, 100 do names[i] = 'n' .. (i % 50) .. '.example' names[i + 100] = i end
      local found = sp.each(names, function(x) return type(x) == 'number' and x or sp.dns.a(x)[1] end)
      local count = 0
      for _ in pairs(found) do count = count + 1 end
      return sp.hit { detail = tostring(count) })lua"),
            "150");
}

TEST_F(Lookups, AnErrorInOneBranchIsTheCallers) {
  dns_takes(milliseconds(100));
  EXPECT_EQ(detail_of(R"lua(
      local ok, message = pcall(sp.each, { 'n1.example', 'n2.example' }, function(name)
        sp.dns.a(name)
        if name == 'n2.example' then error('second', 0) end
      end)
      return sp.hit { detail = tostring(ok) .. message .. sp.dns.a('host.example')[1] })lua"),
            "falsesecond192.0.2.1");
}

TEST_F(Lookups, RulesThatWaitDoSoBesideEachOtherAndKeepTheirOrder) {
  dns_takes(milliseconds(100));
  const Time before = loop.now();
  std::string source;
  for (int i = 0; i < 20; ++i) {
    source +=
        rule("r" + std::to_string(i), "return sp.hit { detail = sp.dns.a('n" + std::to_string(i) + ".example')[1] }");
    source += rule("q" + std::to_string(i), "return true");
  }
  const std::vector<Verdict> said = verdicts_of(source);
  ASSERT_EQ(said.size(), 40u);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(said[2 * i].rule, "r" + std::to_string(i));
    EXPECT_EQ(said[2 * i].because, "192.0.2.9");
    EXPECT_EQ(said[2 * i + 1].rule, "q" + std::to_string(i));
  }
  EXPECT_LT(loop.now() - before, milliseconds(150));
}

// -- deadline, end

TEST_F(Lookups, ARuleThatWaitsForEverTimesOut) {
  dns_takes(milliseconds(100));
  const std::vector<Verdict> said =
      verdicts_of(rule("first", "return sp.dns.a('silent.example') and true") +
                  rule("second", "while true do sp.dns.a('host.example') end", "on_error = 'skip',") +
                  rule("third", "return true"));
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[0].because, "rule_timeout at r.lua:1");
  EXPECT_EQ(said[0].action, policies::Action::tempfail);
  EXPECT_TRUE(said[0].is_unknown && said[1].is_unknown);
  EXPECT_EQ(said[1].action, policies::Action::none);
  EXPECT_EQ(said[2].rule, "third");
  EXPECT_EQ(counters.get(Fault::rule_timeout) + counters.get(Fault::rule_error), 2u);
}

TEST_F(Lookups, ADroppedSessionNeverResumesARule) {
  dns_takes(milliseconds(100));
  use(rule("r",
           "local x <close> = setmetatable({}, { __close = function() sp.dns.a('n9.example') end })\n"
           "sp.each({ 'n1.example', 'n2.example' }, sp.dns.a) sp.dns.a('n3.example')"));
  for (int waits = 0; waits < 2; ++waits) {
    deadline = loop.now() + seconds(20);
    const policies::GatherContext at_hand = context();
    const auto gathering = gatherer->begin();
    {
      async::Nursery nursery(loop.scheduler());
      nursery.spawn(gathering->gather(Stage::message, mail, facts, at_hand));
      loop.run();
      if (waits > 0) loop.advance(milliseconds(100));
      EXPECT_EQ(resolver.asked().size(), 2u + static_cast<std::size_t>(waits));
    }
    loop.advance(seconds(60));
    EXPECT_EQ(resolver.asked().size(), 2u + static_cast<std::size_t>(waits));
    resolver.forget_asked();
  }
  EXPECT_THAT(found(), IsEmpty());
  deadline = loop.now() + seconds(20);
  gather();
  EXPECT_EQ(resolver.asked().size(), 4u) << "the rules are as good as new";
}

TEST_F(Lookups, OfOneRunAreBounded) {
  EXPECT_THAT(detail_of("for i = 1, 201 do sp.dns.a('host.example') end"), HasSubstr("rule_error"));
  EXPECT_EQ(detail_of("for i = 1, 200 do sp.dns.a('host.example') end return sp.hit { detail = 'ok' }"), "ok");
  EXPECT_EQ(asked().size(), 1u) << "a question that a rule asks again stands in the record once";
}

// -- the record

TEST_F(Lookups, StandInTheFactsAlsoOfARuleThatSaysNothing) {
  dns_takes(milliseconds(100));
  verdicts_of(rule("quiet", "sp.dns.a('host.example')") +
              rule("loud", "return sp.dns.mx('example.org') and not sp.dns.a('nothing.example')"));
  EXPECT_THAT(asked(), ElementsAre("A host.example", "MX example.org", "A nothing.example"));
  const policies::Findings findings = facts.tell();
  ASSERT_EQ(findings.evidence.size(), 3u);
  EXPECT_EQ(findings.evidence[0]->answer.records.size(), 2u);
  EXPECT_EQ(findings.evidence[2]->answer.status, dns::Status::nxdomain);

  const auto json = JsonValue::parse(facts.to_json());
  ASSERT_TRUE(json);
  const auto read = policies::Facts::from_json(*json, {&rules_facts});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_json(), facts.to_json());

  gather();
  EXPECT_EQ(asked().size(), 3u) << "a stage that is gathered again replaces its lookups";
}

TEST_F(Lookups, OfListsDoNotShowTheKeyInTheZone) {
  EXPECT_EQ(values_of("sp.dns.listed(tx.client.ip, 'abcd1234efgh5678.zen.example')"), "127.0.0.2 nil {127.0.0.2}");
  EXPECT_EQ(resolver.asked().back().name, "7.2.0.192.abcd1234efgh5678.zen.example");
  EXPECT_THAT(facts.to_json(), AllOf(HasSubstr("7.2.0.192.zen.example"), Not(HasSubstr("abcd1234"))));
}

}  // namespace
}  // namespace sallyport::lua
