#include "gateway/cli/rule_new_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/rule_folders.h"
#include "gateway/uv/descriptor.h"

namespace sallyport::cli {
namespace {

namespace fs = std::filesystem;

struct RuleNewOptions {
  std::string name;
  std::string path;
  std::string config_file = default_config_file;
};

void declare(Syntax& syntax, RuleNewOptions& options) {
  syntax.argument("NAME", "The rule's name, such as OLD_DOMAIN; the files are called after it", options.name);
  syntax.optional_argument("PATH", "The directory of rules; else that of the configuration", options.path);
  syntax.config_file(options.config_file);
}

constexpr std::string_view rule_text = R"lua(-- @NAME@: what it looks for, and why that is a sign of unwanted mail.
local sp = require "sallyport"

-- What does not change from mail to mail is made once, here.
local words = sp.re([[\b(lottery|jackpot)\b]], "i")

sp.rule {
  name  = "@NAME@",
  stage = "message",   -- connect, helo, mail, rcpt, headers or message
  score = 2,           -- what a hit adds to the mail's score
  mode  = "shadow",    -- it is recorded and changes nothing; "10%" enforces it for a part, without this line for all mail
  run = function(tx)
    -- Every field of tx: lua/README.md, or `sallyport rule reference`.
    local subject = tx.msg.subject
    if not subject then return end   -- nil: nothing to say

    local word = words:match(subject)
    if word then return sp.hit { detail = word } end
    -- To refuse mail instead: return sp.reject(550, "5.7.1", "Not here")
  end,
}
)lua";

constexpr std::string_view test_text = R"lua(-- Tests of @NAME@. Run them with: sallyport rule test
local t = require "sallyport.test"

t.test("finds the words", function()
  local result = t.run("@NAME@", t.mail { headers = { Subject = "You have won the Lottery" } })
  t.equal(result.verdict, "hit")
  t.equal(result.score, 2)
  t.equal(result.detail, "Lottery")
end)

t.test("says nothing of other mail", function()
  t.equal(t.run("@NAME@", t.mail { headers = { Subject = "Minutes of Monday" } }).verdict, "none")
  t.equal(t.run("@NAME@", t.mail { body = "no subject" }).verdict, "none")
end)
)lua";

std::string filled_in(std::string_view pattern, const std::string& name) {
  constexpr std::string_view place = "@NAME@";
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t next = std::min(pattern.find(place, at), pattern.size());
    text += pattern.substr(at, next - at);
    if (next < pattern.size()) text += name;
    at = next + place.size();
  }
  return text;
}

// Never over a file that is there. An errno on failure.
int write_new(const fs::path& path, const std::string& text) {
  const uv::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file.get() < 0) return errno;
  return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : EIO;
}

int make_rule(const RuleNewOptions& options, const Console& console) {
  const bool is_name = !options.name.empty() && options.name.size() <= 64 &&
                       std::all_of(options.name.begin(), options.name.end(),
                                   [](char c) { return text::is_alnum(c) || c == '_' || c == '-'; });
  if (!is_name) {
    console.err << "sallyport: the name of a new rule has 1 to 64 letters, digits, _ and -\n";
    return exit_code::usage;
  }
  const std::string stem = text::to_lower(options.name);
  if (stem.ends_with("_test")) {
    console.err << "sallyport: " << stem << ".lua would be taken for tests; give the rule another name\n";
    return exit_code::usage;
  }
  int exit = exit_code::ok;
  const auto folders = rule_folders(options.path, options.config_file, console, exit);
  if (!folders) return exit;
  // The rules that come with the program have no directory.
  const auto folder =
      std::find_if(folders->begin(), folders->end(), [](const RuleFolder& one) { return !one.settings.path.empty(); });
  if (folder == folders->end()) {
    console.err << "sallyport: " << options.config_file << " has no policy.rules.path; name a directory of rules\n";
    return exit_code::usage;
  }
  const lua::RuleSettings& settings = folder->settings;
  if (const auto set = lua::RuleSet::load(settings)) {
    for (const lua::Rule& rule : (*set)->rules()) {
      if (rule.name != options.name) continue;
      console.err << "sallyport: there is a rule " << rule.name << " already, at " << settings.path << "/" << rule.file
                  << ":" << rule.line << "\n";
      return exit_code::usage;
    }
  }
  for (const auto& [name, pattern] : {std::pair{stem + ".lua", rule_text}, std::pair{stem + "_test.lua", test_text}}) {
    const fs::path path = fs::path(settings.path) / name;
    if (const int error = write_new(path, filled_in(pattern, options.name)); error != 0) {
      console.err << "sallyport: " << path.string() << ": " << std::strerror(error) << "\n";
      return error == EACCES || error == EPERM ? exit_code::permission : exit_code::io;
    }
    console.out << path.string() << "\n";
  }
  return exit_code::ok;
}

}  // namespace

const Command rule_new_entry{"rule new", "Write a rule to start from, with its test",
                             make_invocation<RuleNewOptions, declare, make_rule>};

}  // namespace sallyport::cli
