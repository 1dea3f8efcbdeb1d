#include "gateway/cli/rule_list_command.h"

#include <algorithm>
#include <ostream>
#include <string>

#include "gateway/base/field_json.h"
#include "gateway/base/score_text.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/rule_folders.h"
#include "policies/policy_list.h"

namespace sallyport::cli {
namespace {

struct RuleListOptions {
  std::string path;
  std::string config_file = default_config_file;
  bool by_order = false;
  bool json = false;
};

void declare(Syntax& syntax, RuleListOptions& options) {
  syntax.optional_argument("PATH", "A directory of rules; else those of the configuration", options.path);
  syntax.config_file(options.config_file);
  syntax.flag("--order", "By stage, in the order in which they run; else by name", options.by_order);
  syntax.json(options.json);
}

// One rule as a program reads it.
struct Listed {
  std::string name;
  std::string stage;
  std::string mode;
  double score = 0;
  std::string group;
  std::string on_error;
  std::string file;
  int line = 0;
  std::string tenant;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("stage", stage);
    visit("mode", mode);
    visit("score", score);
    visit("group", group);
    visit("on_error", on_error);
    visit("file", file);
    visit("line", line);
    visit("tenant", tenant);
  }
};

void add(const RuleFolder& folder, const lua::RuleSet& set, bool by_order, std::vector<Listed>& to) {
  std::vector<lua::Rule> rules = set.rules();
  std::stable_sort(rules.begin(), rules.end(), [&](const lua::Rule& a, const lua::Rule& b) {
    return by_order ? a.stage < b.stage : a.name < b.name;
  });
  for (const lua::Rule& rule : rules) {
    Listed listed;
    listed.name = rule.name;
    listed.stage = word(rule.stage);
    listed.mode = lua::to_text(lua::within(rule.mode, folder.settings.mode));
    listed.score = rule.score;
    listed.group = rule.group;
    listed.on_error = word(rule.on_error);
    listed.file = rule.file.starts_with("shipped/") ? rule.file : folder.settings.path + "/" + rule.file;
    listed.line = rule.line;
    listed.tenant = folder.tenant;
    to.push_back(std::move(listed));
  }
}

void print(const std::vector<Listed>& rules, bool by_order, std::ostream& out) {
  std::size_t widest = 4;
  for (const Listed& rule : rules) widest = std::max(widest, rule.name.size());
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text + "  ";
  };
  const Listed* last = nullptr;
  for (const Listed& rule : rules) {
    if ((!last || last->tenant != rule.tenant) && !rule.tenant.empty()) out << "tenant " << rule.tenant << ":\n";
    const bool is_new_stage = !last || last->stage != rule.stage || last->tenant != rule.tenant;
    if (by_order && is_new_stage) out << rule.stage << "\n";
    out << (by_order ? "  " : "") << padded(rule.name, widest) << (by_order ? "" : padded(rule.stage, 7))
        << padded(rule.mode, 7) << padded(score_text(rule.score), 6) << rule.file << ":" << rule.line;
    if (!rule.group.empty()) out << "  (" << rule.group << ")";
    out << "\n";
    last = &rule;
  }
}

int list_rules(const RuleListOptions& options, const Console& console) {
  int exit = exit_code::ok;
  const auto folders = rule_folders(options.path, options.config_file, console, exit);
  if (!folders) return exit;
  std::vector<Listed> rules;
  for (const RuleFolder& folder : *folders) {
    const auto set = lua::RuleSet::load(folder.settings, policies::policy_names());
    if (!set) {
      print_load_errors(set.error(), console);
      exit = exit_code::configuration;
      continue;
    }
    add(folder, **set, options.by_order, rules);
  }
  if (exit != exit_code::ok) return exit;
  if (!options.json) {
    print(rules, options.by_order, console.out);
    return exit;
  }
  std::string json;
  for (Listed& rule : rules) json += (json.empty() ? "\n  " : ",\n  ") + FieldWriter::json(rule);
  console.out << "[" << json << (json.empty() ? "]\n" : "\n]\n");
  return exit;
}

}  // namespace

const Command rule_list_entry{"rule list", "The rules with their stage, mode, score and place",
                              make_invocation<RuleListOptions, declare, list_rules>};

}  // namespace sallyport::cli
