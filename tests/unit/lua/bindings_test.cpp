// The binding table: every function of it refuses what its arguments may not be, and shows no address of memory
// (threats.md L8). The cases are made from the table, so that a new function is tried as soon as it has an entry.
#include "lua/engine/bindings.h"

#include <algorithm>

#include "tests/unit/lua/content_fixture.h"

namespace sallyport::lua {
namespace {

// A value that the argument takes, as Lua's text; of most kinds any will do, because the call is not to succeed.
std::string sample(const Argument& argument) {
  switch (argument.kind) {
    case Kind::text:
    case Kind::line:
      return "'x'";
    case Kind::field_name:
      return "'Subject'";
    case Kind::domain:
      return "'example.org'";
    case Kind::ip:
      return "'192.0.2.1'";
    case Kind::integer:
    case Kind::number:
      return std::to_string(std::max<long>(static_cast<long>(argument.least), 1));
    case Kind::boolean:
      return "true";
    case Kind::list:
      return "{ 'x' }";
    case Kind::table:
    case Kind::dictionary:
      return "{}";
    case Kind::function:
      return "function() end";
    case Kind::any:
      return "'x'";
  }
  return "nil";
}

bool is_text_kind(Kind kind) {
  return kind == Kind::text || kind == Kind::line || kind == Kind::field_name || kind == Kind::domain ||
         kind == Kind::ip;
}

// What the argument must not be.
std::vector<std::string> bad_values(const Argument& argument) {
  std::vector<std::string> bad;
  if (argument.required) bad.emplace_back("nil");
  if (argument.kind == Kind::any) return bad;
  const auto other_types = {"true", "5.5", "'x'", "{ {} }", "tx", "tx.from", "tostring", "coroutine.create(tostring)"};
  for (const std::string value : other_types) {
    const bool is_number = value == "5.5" && argument.kind == Kind::number;
    const bool is_text = value == "'x'" && is_text_kind(argument.kind) && argument.kind != Kind::ip;
    const bool is_table = value == "{ {} }" && (argument.kind == Kind::dictionary ||
                                                (argument.kind == Kind::list && argument.items == Kind::any));
    const bool is_function = value == "tostring" && argument.kind == Kind::function;
    const bool is_boolean = value == "true" && argument.kind == Kind::boolean;
    if (!is_number && !is_text && !is_table && !is_function && !is_boolean) bad.push_back(value);
  }
  // A text of more than a megabyte cannot be made in the first place.
  if (is_text_kind(argument.kind) && most_of(argument) < 1 << 20) {
    bad.push_back("('x'):rep(" + std::to_string(static_cast<long>(most_of(argument))) + ") .. 'x'");
  }
  if (is_text_kind(argument.kind)) bad.emplace_back("5");
  if (is_text_kind(argument.kind) && argument.kind != Kind::text) {
    for (const char* text : {"'a\\0b'", "'a\\r\\nb'", "'a\\nb'", "'a\\127'"}) bad.emplace_back(text);
  }
  if (argument.kind == Kind::number || argument.kind == Kind::integer) {
    for (const char* number : {"0/0", "1/0", "-1/0", "2^60", "-2^60"}) bad.emplace_back(number);
  }
  if (argument.kind == Kind::list) {
    bad.emplace_back("{ a = 'x' }");
    bad.push_back("(function() local t = {} for i = 1, " + std::to_string(static_cast<long>(most_of(argument)) + 1) +
                  " do t[i] = 'x' end return t end)()");
  }
  if (argument.kind == Kind::table) {
    bad.emplace_back("{ no_such_field = 1 }");
    for (const Argument& field : argument.fields) {
      for (const std::string& value : bad_values(field)) {
        if (value != "nil") bad.push_back("{ " + std::string(field.name) + " = " + value + " }");
      }
    }
  }
  return bad;
}

class Bindings : public ContentTest {
 protected:
  Bindings() {
    set_mail("Subject: x\r\nFrom: ann@example.org\r\nContent-Type: text/plain; name=a.txt\r\n\r\nwww.example.com\r\n");
    mail.rcpt = MailAddress{"bob", "example.com"};
    mail.client.tls = policies::TlsFacts{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "", false, false, ""};
  }
  // Lines of a rule, each of which says what is wrong where it is wrong; the rule runs once for all.
  void expect_silence(const std::vector<std::string>& lines) {
    settings.cpu = std::chrono::seconds(10);
    std::string body = "local wrong = {}\n";
    for (const std::string& line : lines) body += line + "\n";
    body += "if #wrong > 0 then return sp.hit { detail = table.concat(wrong, '; ') } end";
    write("list.txt", "example.org\n");
    write("r.lua",
          "local a_list = require('sallyport').list { file = 'list.txt', kind = 'domain' }\n" + rule_text(body));
    load();
    if (HasFatalFailure()) return;
    const RunResult result = run();
    EXPECT_EQ(result.kind, RunResult::Kind::silent) << result.fact.detail << result.fact.line;
  }
  static std::string refuses(const std::string& function, const std::string& arguments) {
    return "if pcall(function() return " + function + "(" + arguments + ") end) then wrong[#wrong + 1] = [[" +
           function + "(" + arguments + ")]] end";
  }
  // All calls of the function with one argument wrong.
  static void add_bad_calls(const std::string& call, const std::string& self, const Function& function,
                            std::vector<std::string>& lines) {
    const auto arguments = arguments_of(function);
    std::string good = self;
    for (const Argument& argument : arguments) {
      for (const std::string& bad : bad_values(argument)) {
        lines.push_back(refuses(call, good.empty() ? bad : good + ", " + bad));
      }
      good += (good.empty() ? "" : ", ") + sample(argument);
    }
    lines.push_back(refuses(call, good.empty() ? "nil" : good + ", nil"));
  }
  // An expression that gives an object of the type.
  static std::string object(std::string_view type) {
    if (type == "address") return "tx.from";
    if (type == "re") return "sp.re('x')";
    if (type == "re_set") return "sp.re_set { 'x' }";
    if (type == "part") return "tx.msg:files()[1]";
    if (type == "url") return "tx.msg:urls()[1]";
    if (type == "list") return "a_list";
    if (type == "net") return "sp.net { '192.0.2.0/24' }";
    if (type == "verdict") return "sp.drop()";
    return std::string(type);
  }
};

TEST_F(Bindings, EveryFunctionRefusesWhatItsArgumentsMayNotBe) {
  for (const Library* library : libraries()) {
    for (const Function& function : library->functions) {
      SCOPED_TRACE(function.name);
      std::vector<std::string> lines;
      add_bad_calls(std::string(library->path) + "." + std::string(function.name), "", function, lines);
      expect_silence(lines);
    }
  }
}

// Fields are read where they were checked. A metatable could give others than those: of another type, or too many.
TEST_F(Bindings, WhatAMetatableGivesIsNoFieldOfAnArgument) {
  int tables = 0;
  const auto add = [&](const std::string& call, std::string arguments, const Function& function,
                       std::vector<std::string>& lines) {
    for (const Argument& argument : arguments_of(function)) {
      const std::string before = arguments.empty() ? "" : arguments + ", ";
      if (argument.kind == Kind::table) {
        ++tables;
        std::string fields;
        for (const Argument& field : argument.fields) {
          if (field.required) fields += std::string(field.name) + " = " + sample(field) + ", ";
        }
        lines.push_back("pcall(function() return " + call + "(" + before + "setmetatable({ " + fields +
                        "}, { __index = function(_, key) wrong[#wrong + 1] = '" + call +
                        " asks for ' .. key return 'x' end })) end)");
      }
      arguments = before + sample(argument);
    }
  };
  for (const Library* library : libraries()) {
    std::vector<std::string> lines;
    for (const Function& function : library->functions) {
      // It reads each field once, and checks what it has read.
      if (function.name != "rule")
        add(std::string(library->path) + "." + std::string(function.name), "", function, lines);
    }
    expect_silence(lines);
  }
  for (const ObjectType* type : object_types()) {
    std::vector<std::string> lines = {"local self = " + object(type->name)};
    for (const Function& method : type->methods) add("self." + std::string(method.name), "self", method, lines);
    expect_silence(lines);
  }
  EXPECT_GT(tables, 8);
}

TEST_F(Bindings, EveryMethodRefusesThemAndOtherObjects) {
  for (const ObjectType* type : object_types()) {
    for (const Function& method : type->methods) {
      SCOPED_TRACE(method.name);
      std::vector<std::string> lines = {"local self = " + object(type->name)};
      add_bad_calls("self." + std::string(method.name), "self", method, lines);
      for (const char* other : {"nil", "tx", "5", "'x'", "{}", "io", "tx.from", "sp.drop()", "sp"}) {
        if (other == object(type->name)) continue;
        std::string arguments = other;
        for (const Argument& argument : arguments_of(method)) arguments += ", " + sample(argument);
        lines.push_back(refuses("self." + std::string(method.name), arguments));
      }
      expect_silence(lines);
    }
  }
}

TEST_F(Bindings, EveryFieldCanBeReadAndNoneCanBeWritten) {
  for (const ObjectType* type : object_types()) {
    SCOPED_TRACE(type->name);
    std::vector<std::string> lines = {"local self = " + object(type->name)};
    for (const Field& field : type->fields) {
      const std::string name(field.name);
      lines.push_back("if not pcall(function() return self." + name + " end) then wrong[#wrong + 1] = '" + name +
                      "' end");
      lines.push_back("if pcall(function() self." + name + " = 1 end) then wrong[#wrong + 1] = '" + name + " =' end");
    }
    for (const char* key : {"no_such_field", "__index", "__gc", "__metatable", ""}) {
      lines.push_back("if pcall(function() return self['" + std::string(key) + "'] end) then wrong[#wrong + 1] = '" +
                      key + "' end");
    }
    lines.emplace_back("if getmetatable(self) then wrong[#wrong + 1] = 'metatable' end");
    expect_silence(lines);
  }
}

TEST_F(Bindings, NothingShowsAnAddressOfMemory) {
  std::vector<std::string> values = {"{}",
                                     "function() end",
                                     "tostring",
                                     "coroutine.create(tostring)",
                                     "sp",
                                     "string",
                                     "setmetatable({}, { __name = 'mine' })"};
  for (const ObjectType* type : object_types()) {
    values.push_back(object(type->name));
    for (const Function& method : type->methods) values.push_back(object(type->name) + "." + std::string(method.name));
  }
  for (const Library* library : libraries()) {
    values.emplace_back(library->path);
    for (const Function& function : library->functions)
      values.push_back(std::string(library->path) + "." + std::string(function.name));
  }
  std::vector<std::string> lines = {
      "local function check(text) if text:find('0x') or text:find('%x%x%x%x%x%x') then "
      "wrong[#wrong + 1] = text end end",
      "local re, set = sp.re('x'), sp.re_set { 'x' }"};
  for (std::string& value : values) {
    if (value.starts_with("sp.re('x')")) value.replace(0, 10, "re");  // a run may compile only some
    if (value.starts_with("sp.re_set { 'x' }")) value.replace(0, 17, "set");
  }
  for (const std::string& value : values) {
    lines.push_back("check(tostring(" + value + "))");
    lines.push_back("check(('%s %10.3s'):format(" + value + ", " + value + "))");
    lines.push_back("check(select(2, pcall(function() return 'x' .. " + value + " + 1 end)))");
    lines.push_back("if pcall(string.format, '%p', " + value + ") then wrong[#wrong + 1] = '%p' end");
  }
  expect_silence(lines);
}

TEST_F(Bindings, ScoresAreFiniteAndBounded) {
  for (const char* score : {"0/0", "1/0", "-1/0", "1000.5", "-1001", "2^1023"}) {
    EXPECT_EQ(run_body("return sp.hit { score = " + std::string(score) + " }").kind, RunResult::Kind::error) << score;
    write("r.lua", "require('sallyport').rule { name = 'r', stage = 'message', run = function() end, score = " +
                       std::string(score) + " }");
    EXPECT_EQ(load_errors().size(), 1u) << score;
  }
  EXPECT_EQ(run_body("return sp.hit { score = -1000 }").fact.score, -1000);
}

// -- the table itself

TEST(BindingTable, EveryEntryIsWhole) {
  for (const Library* library : libraries()) {
    EXPECT_TRUE(library->path == "sp" || library->path.starts_with("sp.")) << library->path;
    EXPECT_FALSE(library->about.empty()) << library->path;
  }
  const auto check = [](const Function& function) {
    EXPECT_NE(function.call, nullptr) << function.name;
    EXPECT_TRUE(function.about.ends_with('.')) << function.name;
    bool is_optional = false;
    for (const Argument& argument : arguments_of(function)) {
      EXPECT_FALSE(is_optional && argument.required) << function.name << ": what may be left out comes last";
      is_optional = is_optional || !argument.required;
      EXPECT_LE(argument.least, most_of(argument)) << function.name;
    }
  };
  for (const Library* library : libraries()) std::for_each(library->functions.begin(), library->functions.end(), check);
  for (const ObjectType* type : object_types()) {
    EXPECT_TRUE(type->about.ends_with('.')) << type->name;
    std::for_each(type->methods.begin(), type->methods.end(), check);
    for (const Field& field : type->fields) {
      EXPECT_TRUE(field.about.ends_with('.')) << type->name << "." << field.name;
      EXPECT_NE(field.push, nullptr) << field.name;
    }
  }
}

TEST(BindingTable, EveryNameIsThereOnce) {
  std::vector<std::string> owners;
  for (const Library* library : libraries()) owners.emplace_back(library->path);
  for (const ObjectType* type : object_types()) owners.emplace_back(type->name);
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  for (const std::string& owner : owners) {
    std::size_t entries = 0;
    for (const Library* library : libraries()) {
      if (library->path == owner) entries += library->functions.size();
    }
    if (const ObjectType* type = find_object_type(owner)) entries += type->fields.size() + type->methods.size();
    std::size_t below = 0;
    for (const std::string& name : names_below(owner)) {
      const std::string path = owner + "." + name;
      below += std::any_of(libraries().begin(), libraries().end(),
                           [&](const Library* one) { return one->path == path || one->path.starts_with(path + "."); });
    }
    EXPECT_EQ(names_below(owner).size(), entries + below) << owner;
  }
}

}  // namespace
}  // namespace sallyport::lua
