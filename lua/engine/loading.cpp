#include "lua/engine/loading.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gateway/base/byte_order_mark.h"
#include "gateway/base/directory.h"
#include "gateway/base/text.h"
#include "lua/engine/context.h"
#include "lua/engine/frozen.h"
#include "lua/engine/lua_tokens.h"
#include "lua/engine/shipped_rules.h"

namespace sallyport::lua {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most_source_octets = 1 << 20;
// Loading happens once and prepares what all runs use, so it gets this many times the budget of a run.
constexpr int times_the_budget = 20;
constexpr std::uint64_t most_block_octets = 16u << 20;
constexpr std::uint64_t most_patterns = 10'000;
constexpr char bytecode_mark = '\x1b';

// Removes the prefix "spam.lua:3: " from a message of Lua's and returns the line, or 0 when there is no such prefix.
int take_line(std::string& message) {
  const std::size_t end = message.find(": ");
  const std::size_t colon = end == std::string::npos ? end : message.rfind(':', end - 1);
  if (colon == std::string::npos) return 0;
  const auto line = text::to_number(std::string_view(message).substr(colon + 1, end - colon - 1), INT32_MAX);
  if (!line) return 0;
  message.erase(0, end + 2);
  return static_cast<int>(*line);
}

// Marks a file as running while another file requires it. When the file fails, Lua's error unwinds through here, and
// the destructor marks it as failed.
class Requiring {
 public:
  Requiring(RuleFile& file, std::vector<std::size_t>& running, std::size_t index) : file_(file), running_(running) {
    file_.state = RuleFile::State::running;
    running_.push_back(index);
  }
  ~Requiring() {
    running_.pop_back();
    if (file_.state == RuleFile::State::running) file_.state = RuleFile::State::failed;
  }
  Requiring(const Requiring&) = delete;
  Requiring& operator=(const Requiring&) = delete;

 private:
  RuleFile& file_;
  std::vector<std::size_t>& running_;
};

const char* describe(Breach breach) {
  switch (breach) {
    case Breach::time:
      return "the file takes too long to load";
    case Breach::memory:
      return "the file takes too much memory to load";
    case Breach::depth:
      return "calls nest too deeply";
    case Breach::none:
      break;
  }
  return "";
}

std::vector<std::string> names_of_shipped() {
  std::vector<std::string> names;
  for (const ShippedRule& one : shipped_rules()) names.emplace_back(one.name);
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "; did you mean 'LOTTERY'?", or nothing.
std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
  const std::string_view near = text::did_you_mean(name, known);
  return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
}

}  // namespace

Loading::Loading(lua_State* L, const RuleSettings& settings) : L_(L), settings_(settings) {
  Context& context = Context::of(L);
  context.loading = this;
  context.patterns_left = most_patterns;
  find_files();
  find_shipped();
}

Loading::~Loading() { Context::of(L_).loading = nullptr; }

void Loading::find_files() {
  if (settings_.path.empty()) return;
  std::vector<std::string> names;
  Directory directory(settings_.path);
  while (const auto entry = directory.next()) {
    std::string name(*entry);
    if (!is_rule_file(name)) continue;
    const fs::path path = fs::path(settings_.path) / name;
    std::error_code no_type;
    const fs::file_type type = fs::status(path, no_type).type();
    if (type == fs::file_type::regular) {
      names.push_back(std::move(name));
    } else if (type != fs::file_type::directory && !name.starts_with('.') &&
               fs::symlink_status(path, no_type).type() != fs::file_type::not_found) {
      // A link to nothing, a pipe: left out in silence, it would be a rule that its author believes in. Editors lock
      // files by hidden links to nothing.
      add_error(name, 0, "is no file that can be read");
    }
  }
  if (directory.error() != 0)
    add_error("", 0, std::string("cannot read the rule path: ") + std::strerror(directory.error()));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) read((fs::path(settings_.path) / name).string(), name);
}

void Loading::find_shipped() {
  const std::span<const ShippedRule> all = shipped_rules();
  for (const std::string& name : settings_.shipped) {
    const auto rule = std::find_if(all.begin(), all.end(), [&](const ShippedRule& one) { return one.name == name; });
    if (rule == all.end()) {
      add_error("", 0,
                "policy.rules.shipped: there is no shipped rule '" + text::printable(name, 64) + "'" +
                    suggestion(name, names_of_shipped()));
      continue;
    }
    RuleFile file;
    file.name = "shipped/" + std::string(rule->file);
    file.source = rule->source;
    files_.push_back(std::move(file));
  }
}

void Loading::read(const std::string& path, const std::string& name) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  RuleFile file;
  file.name = name;
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) {
    add_error(name, 0, "cannot be read");
  } else if (size > most_source_octets) {
    add_error(name, 0, "is larger than 1 MiB");
  } else {
    const std::string source(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>{});
    file.source = without_byte_order_mark(source);
    files_.push_back(std::move(file));
  }
}

void Loading::add_error(std::string_view file, int line, std::string message, int column) {
  // The same error is reported once: check_source() may already have found what the file now fails at.
  for (const LoadError& known : errors_) {
    if (line > 0 && known.line == line && known.file == file && known.message == message) return;
  }
  errors_.push_back({std::string(file), line, column, std::move(message)});
}

void Loading::run(int globals) {
  globals_ = globals;
  for (RuleFile& file : files_) {
    if (file.source.starts_with(bytecode_mark)) {
      add_error(file.name, 1, "compiled Lua is not accepted, only its text");
      file.state = RuleFile::State::failed;
      file.told = true;
      continue;
    }
    const Context& context = Context::of(L_);
    for (LoadError& error : check_source(file.name, file.source, context.checks, context.upstreams))
      errors_.push_back(std::move(error));
  }
  for (RuleFile& file : files_) {
    if (file.state == RuleFile::State::unread) execute(file);
  }
}

// Adds an error for each file that failed while another file required it, when that other file has caught the Lua
// error.
void Loading::tell_of_hidden_failures() {
  for (RuleFile& file : files_) {
    if (file.state != RuleFile::State::failed || file.told) continue;
    file.told = true;
    add_error(file.name, 0, "did not load");
  }
}

// Compiles the file, with globals of its own, and leaves the function on the stack; or adds the error and returns
// false.
bool Loading::compile(lua_State* L, RuleFile& file) {
  const std::string chunk_name = "@" + file.name;
  if (luaL_loadbufferx(L, file.source.data(), file.source.size(), chunk_name.c_str(), "t") != LUA_OK) {
    std::string message = text::printable(to_text(L, -1), 1000);
    lua_pop(L, 1);
    const int line = take_line(message);
    add_error(file.name, line, std::move(message));
    file.state = RuleFile::State::failed;
    file.told = true;
    return false;
  }
  lua_newtable(L);
  lua_newtable(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, globals_);
  push_contents(L, -1);
  lua_setfield(L, -3, "__index");
  lua_pop(L, 1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  file.environment = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_setupvalue(L, -2, 1);
  lua_pushvalue(L, -1);
  file.chunk = luaL_ref(L, LUA_REGISTRYINDEX);
  return true;
}

// The file runs on a Lua thread of its own: after an error, the thread's call stack still shows the line.
void Loading::execute(RuleFile& file) {
  lua_State* thread = lua_newthread(L_);
  Meter& meter = Context::of(L_).meter;
  if (!compile(thread, file)) {
    lua_pop(L_, 1);
    return;
  }
  file.state = RuleFile::State::running;
  running_.push_back(static_cast<std::size_t>(&file - files_.data()));
  int results = 0;
  meter.start(thread, {times_the_budget * settings_.cpu, times_the_budget * settings_.memory, most_block_octets});
  const int status = lua_resume(thread, L_, 0, &results);
  meter.stop();
  running_.clear();
  if (status == LUA_OK) {
    file.state = RuleFile::State::loaded;
    if (results > 0) {
      lua_pushvalue(thread, -results);
    } else {
      lua_pushboolean(thread, 1);
    }
    file.module = luaL_ref(thread, LUA_REGISTRYINDEX);
    tell_of_hidden_failures();
  } else {
    file.state = RuleFile::State::failed;
    // The error of this file also stands for the files that failed while this one required them.
    for (RuleFile& failed : files_) failed.told = failed.told || failed.state == RuleFile::State::failed;
    add_thrown(thread, file, status == LUA_YIELD);
  }
  lua_pop(L_, 1);
}

void Loading::add_thrown(lua_State* thread, const RuleFile& file, bool yielded) {
  const Meter& meter = Context::of(L_).meter;
  if (meter.breach() != Breach::none) {
    const Place place = meter.place();
    add_error(place.line > 0 ? place.file : file.name, place.line, describe(meter.breach()));
    return;
  }
  const Place place = find_place(thread);
  const std::string where = place.line > 0 ? place.file : file.name;
  if (yielded) {
    add_error(where, place.line, "a file cannot yield while it loads");
    return;
  }
  std::string message =
      is_text(thread, -1) ? text::printable(to_text(thread, -1), 1000) : std::string("an error that is not a string");
  const int line = take_line(message);
  add_error(where, place.line > 0 ? place.line : line, std::move(message));
}

void Loading::require(lua_State* L, std::string_view name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(),
                                                  [](char c) { return text::is_alnum(c) || c == '_' || c == '-'; });
  const std::string file_name = std::string(name) + ".lua";
  const auto file = std::find_if(files_.begin(), files_.end(), [&](const RuleFile& f) { return f.name == file_name; });
  if (!plain || file == files_.end()) {
    luaL_error(L, "no such module; there are \"sallyport\" and the files of the rule path");
  }
  const auto index = static_cast<std::size_t>(file - files_.begin());
  const auto declares = [&](const Rule& rule) { return rule.file_index == index; };
  if (std::any_of(rules_.begin(), rules_.end(), declares)) {
    luaL_error(L, "a file that declares rules cannot be required by another one");
  }
  if (file->state == RuleFile::State::running) luaL_error(L, "files that require each other in a circle");
  if (file->state == RuleFile::State::failed) luaL_error(L, "the required file did not load");
  if (file->state == RuleFile::State::unread) {
    if (!compile(L, *file)) luaL_error(L, "the required file did not load");
    const Requiring requiring(*file, running_, index);
    lua_call(L, 0, 1);
    file->state = RuleFile::State::loaded;
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lua_pushboolean(L, 1);
    }
    file->module = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, file->module);
}

void Loading::freeze_file(RuleFile& file, std::size_t index) {
  const int first = lua_gettop(L_) + 1;
  lua_rawgeti(L_, LUA_REGISTRYINDEX, file.environment);
  lua_rawgeti(L_, LUA_REGISTRYINDEX, file.module);
  for (const Rule& rule : rules_) {
    if (rule.file_index != index || rule.run == no_reference) continue;
    luaL_checkstack(L_, 1, nullptr);
    lua_rawgeti(L_, LUA_REGISTRYINDEX, rule.run);
  }
  if (std::string complaint = freeze(L_, first); !complaint.empty()) add_error(file.name, 1, std::move(complaint));
  lua_settop(L_, first - 1);

  lua_newtable(L_);
  lua_rawgeti(L_, LUA_REGISTRYINDEX, file.environment);
  push_contents(L_, -1);
  lua_setfield(L_, -3, "__index");
  lua_pop(L_, 1);
  lua_pushboolean(L_, 0);
  lua_setfield(L_, -2, "__metatable");
  file.run_environment = luaL_ref(L_, LUA_REGISTRYINDEX);
}

void Loading::finish() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].state == RuleFile::State::loaded) freeze_file(files_[i], i);
  }
  // The globals of the rule's own file are not among its upvalues: each run sets them. Those of modules are: a function
  // of theirs may assign _ENV.
  for (Rule& rule : rules_) {
    if (rule.run == no_reference) continue;
    lua_rawgeti(L_, LUA_REGISTRYINDEX, files_[rule.file_index].chunk);
    const void* globals = lua_upvalueid(L_, -1, 1);
    lua_rawgeti(L_, LUA_REGISTRYINDEX, rule.run);
    rule.upvalues = find_upvalues(L_, globals);
    lua_pop(L_, 2);
    if (rule.on_error == OnError::automatic) {
      rule.on_error = can_refuse(rule.file_index) ? OnError::tempfail : OnError::skip;
    }
  }
  set_modes();
  find_unused();
}

// True if the file, or one that it requires, names a function whose verdict keeps a mail from its recipients or sends
// it elsewhere.
bool Loading::can_refuse(std::size_t index) const {
  std::vector<std::size_t> looked_at{index};
  for (std::size_t next = 0; next < looked_at.size(); ++next) {
    const Tokens tokens(tokens_of(files_[looked_at[next]].source));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens.at(i);
      if (token.kind == Token::Kind::name || token.kind == Token::Kind::string) {
        constexpr std::string_view refusing[] = {"reject", "tempfail", "drop", "discard", "quarantine", "redirect"};
        if (std::find(std::begin(refusing), std::end(refusing), token.text) != std::end(refusing)) return true;
      }
      if (token.kind != Token::Kind::string) continue;
      for (std::size_t other = 0; other < files_.size(); ++other) {
        const bool is_named = files_[other].name == std::string(token.text) + ".lua";
        if (is_named && std::find(looked_at.begin(), looked_at.end(), other) == looked_at.end()) {
          looked_at.push_back(other);
        }
      }
    }
  }
  return false;
}

// What the settings say of rules and groups.
void Loading::set_modes() {
  for (Rule& rule : rules_) {
    const auto of_rule = settings_.rules.find(rule.name);
    const auto of_group = settings_.groups.find(rule.group);
    if (of_rule != settings_.rules.end()) {
      rule.mode = of_rule->second.mode;
    } else if (of_group != settings_.groups.end()) {
      rule.mode = of_group->second.mode;
    }
    if (settings_.mode.mode == policies::Mode::enforce) rule.mode = within(rule.mode, settings_.mode);
  }
}

const std::vector<std::string>* Loading::read_list(const std::string& name) {
  lists_read_.insert(name);
  const auto found = settings_.lists.find(name);
  return found == settings_.lists.end() ? nullptr : &found->second.entries;
}

// What the settings say of rules, groups and lists that are not there.
void Loading::find_unused() {
  std::vector<std::string> names;
  std::vector<std::string> groups;
  for (const Rule& rule : rules_) {
    names.push_back(rule.name);
    if (!rule.group.empty()) groups.push_back(rule.group);
  }
  const std::vector<std::string> shipped = names_of_shipped();
  std::vector<std::string> possible = names;
  possible.insert(possible.end(), shipped.begin(), shipped.end());
  for (const auto& [name, of_rule] : settings_.rules) {
    if (contains(names, name)) continue;
    std::string why = "there is no rule '" + name + "'" + suggestion(name, possible);
    if (contains(shipped, name)) why = "the shipped rule '" + name + "' is not switched on: policy.rules.shipped";
    unused_.push_back({"rules." + name + ".mode", std::move(why)});
  }
  for (const auto& [name, of_group] : settings_.groups) {
    if (contains(groups, name)) continue;
    unused_.push_back({"groups." + name + ".mode", "there is no group '" + name + "'" + suggestion(name, groups)});
  }
  const std::vector<std::string> lists(lists_read_.begin(), lists_read_.end());
  for (const auto& [name, of_list] : settings_.lists) {
    if (contains(lists, name)) continue;
    unused_.push_back(
        {"lists." + name + ".entries", "no rule reads the list '" + name + "'" + suggestion(name, lists)});
  }
}

}  // namespace sallyport::lua
