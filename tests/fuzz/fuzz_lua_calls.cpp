// Calls of the gateway's functions by a rule (threats.md L6, L8): which functions, methods and fields, in which order
// and with which values, a stranger's octets say; a rule that is loaded once executes them, for a mail that is made of
// the rest. What must hold: each run ends; no value shows an address of memory; what a verdict has fits into replies,
// header fields and lines of the log.
//
// The first octet is the length of the program, in fours; then the program, then the mail.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/base/top_level_domains.h"
#include "gateway/mime/analysis.h"
#include "gateway/state/mail_memory.h"
#include "lua/engine/bindings.h"
#include "lua/engine/rules_entry.h"
#include "lua/engine/services.h"
#include "policies/content/facts.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace {

using namespace sallyport;

// Reads its program octet by octet: what to call, and with which values. What calls have given are values of later
// ones.
constexpr std::string_view rule = R"(
local functions = {}
local function collect(library)
  local names = {}
  for name in pairs(library) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if type(library[name]) == "table" then collect(library[name]) else functions[#functions + 1] = library[name] end
  end
end
for _, library in ipairs { sp, string, table, math, utf8, coroutine } do collect(library) end
for _, name in ipairs { "tostring", "tonumber", "type", "pairs", "ipairs", "next", "select", "error", "assert", "rawget",
  "rawset", "rawlen", "rawequal", "setmetatable", "getmetatable", "pcall", "xpcall" } do
  functions[#functions + 1] = _ENV[name]
end

local numbers = { 0, 1, -1, 2, 3, 10, 255, 256, 65536, 0.5, -0.0, 1e15, 1e300, 1 / 0, 0 / 0, math.maxinteger, math.mininteger }
local pattern, set, net, list = sp.re("(a+)b"), sp.re_set { "a", "b+" }, sp.net { "192.0.2.0/24" }, sp.list { file = "list.txt", kind = "domain" }

sp.rule {
  name = "CALLS",
  stage = "message",
  on_error = "skip",
  run = function(tx)
    local program, at = tx.client.helo or "", 0
    local values = { tx, tx.msg, tx.client, tx.auth, tx.from, tx.rcpts, pattern, set, net, list }
    local function octet()
      at = at + 1
      return program:byte(at) or 0
    end
    local function text()
      local size = octet()
      at = at + size
      return program:sub(at - size + 1, at)
    end
    local function value()
      local kind = octet()
      if kind < 8 then return nil end
      if kind < 40 then return numbers[octet() % #numbers + 1] end
      if kind < 100 then return text() end
      if kind < 108 then return { value(), value(), value() } end
      if kind < 124 then return { [text()] = value(), [text()] = value() } end
      if kind < 132 then return functions[octet() % #functions + 1] end
      if kind < 136 then return kind < 134 end
      return values[octet() % #values + 1]
    end
    local function keep(is_well, ...)
      for _, one in ipairs { ... } do
        if type(one) ~= "string" and tostring(one):find("0x%x%x%x%x%x%x") then error("a value shows an address") end
        values[#values % 60 + 1] = one
      end
      return is_well
    end
    for _ = 1, 60 do
      if at >= #program then break end
      if octet() < 128 then
        keep(pcall(functions[octet() % #functions + 1], value(), value(), value()))
      else
        local object, name = value(), members[octet() % #members + 1]
        keep(pcall(function()
          local member = object[name]
          if type(member) ~= "function" then return member end
          return member(object, value(), value())
        end))
      end
    end
    return values[#values]
  end,
}
)";

class NoSpool final : public mail::Spool {
 public:
  Result<std::unique_ptr<mail::SpoolFile>> open() override { return Failure{"there is none"}; }
};

class NoRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer{}; }
};

class World {
 public:
  World() : memory_({}, [this] { return loop_.now(); }) {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-fuzz-XXXXXX").string();
    ensure(::mkdtemp(pattern.data()) != nullptr, "no folder for the rule");
    folder_ = pattern;
    std::string members = "local members = { ";
    for (const lua::ObjectType* type : lua::object_types()) {
      for (const std::string& name : lua::names_below(type->name)) members += "'" + name + "', ";
    }
    std::ofstream(folder_ + "/calls.lua") << "local sp = require 'sallyport'\n" << members << "}\n" << rule;
    std::ofstream(folder_ + "/list.txt") << "example.org\n";
    settings_.path = folder_;
    settings_.cpu = settings_.cpu_per_mail = std::chrono::milliseconds(20);
    settings_.memory = 4U << 20;
    learned_.of<lua::RuleServices>().memory = &memory_;
    auto prepared = lua::rules_entry.prepare(&settings_, {learned_, rates_, registrable_, own_});
    if (!prepared) std::fprintf(stderr, "%s\n", prepared.error().message.c_str());
    ensure(static_cast<bool>(prepared), "the rule does not load");
    gatherer_ = std::move(*prepared);
  }
  ~World() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  lua::RulesFacts run(std::string_view program, std::string_view octets) {
    NoSpool spool;
    mail::Message message(mail::MessageLimits{}, spool);
    message.append(octets);
    message.parse_header();
    policies::Transaction mail;
    mail.id = "01JD3K7Q0123ABCD";
    // Another one each time: a rule that fails often is suspended for its mail's client.
    mail.client.ip = IpAddress::v4({10, static_cast<std::uint8_t>(++runs_ >> 16), static_cast<std::uint8_t>(runs_ >> 8),
                                    static_cast<std::uint8_t>(runs_)});
    mail.client.helo = program;
    mail.from = MailAddress{"ann", "example.org"};
    mail.rcpts = {{"bob", "example.com"}, {"Eve", "example.com"}};
    mail.message = &message;
    policies::Facts facts;
    policies::ContentFacts found;
    found.tree = mime::read_tree(message);
    found.contents = std::make_shared<mime::Contents>();
    found.urls = std::make_shared<url::MailUrls>(suffixes_);
    facts.put(std::move(found));
    support::LinesLog log;
    support::TableResolver resolver({}, loop_.scheduler(), std::chrono::milliseconds(runs_ % 2));
    const policies::GatherContext context{
        loop_.scheduler(), resolver, counters_, log, loop_.now() + std::chrono::seconds(20), body_hashes_};
    const auto gathering = gatherer_->begin();
    loop_.run_until_done(gathering->gather(policies::Stage::message, mail, facts, context));
    for (const std::string& line : log.lines) check_text(line, "a line of the log with control characters");
    return facts.get<lua::RulesFacts>();
  }

  static void check_text(std::string_view text, const char* what) {
    ensure(std::none_of(text.begin(), text.end(), text::is_control), what);
  }

 private:
  support::ManualLoop loop_;
  state::MailMemory memory_;
  std::string folder_;
  PublicSuffixList registrable_;
  TopLevelDomains top_;
  url::Suffixes suffixes_{registrable_, top_};
  NoRates rates_;
  policies::OwnNames own_;
  Counters counters_;
  std::vector<signature::BodyHash> body_hashes_;
  lua::RuleSettings settings_;
  policies::Learned learned_;
  std::unique_ptr<policies::Gatherer> gatherer_;
  std::uint32_t runs_ = 0;
};

void check(const lua::RuleFact& fact) {
  ensure(std::isfinite(fact.score) && std::abs(fact.score) <= 1000, "a score beyond its bounds");
  World::check_text(fact.text, "a reply or a reason with control characters");
  World::check_text(fact.detail, "a detail with control characters");
  World::check_text(fact.error, "an error with control characters");
  World::check_text(fact.subject_prefix, "a subject's prefix with control characters");
  ensure(fact.error != "a value shows an address", "a value shows an address of memory");
  for (const auto& [name, value] : fact.add_headers) {
    World::check_text(name, "the name of a field with control characters");
    World::check_text(value, "the value of a field with control characters");
  }
  for (const policies::HeaderEdit& edit : fact.header_edits) {
    World::check_text(edit.name, "the name of a field with control characters");
    World::check_text(edit.value.value_or(""), "the value of a field with control characters");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t length = std::min<std::size_t>(std::size_t{data[0]} * 4, input.size());
  const lua::RulesFacts found = world.run(input.substr(0, length), input.substr(length));
  ensure(found.rules.size() <= 1, "one rule, and several answers");
  for (const lua::RuleFact& fact : found.rules) check(fact);
  return 0;
}
