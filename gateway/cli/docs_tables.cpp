#include "gateway/cli/docs_tables.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/base/field_json.h"
#include "gateway/base/version.h"
#include "gateway/cli/all_replies.h"
#include "gateway/cli/command_list.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/key_path.h"
#include "gateway/config/settings_table.h"

namespace sallyport::cli {
namespace {

struct NamedText {
  const char* name_of_name;
  std::string name;
  std::string about;
  template <class V>
  void fields(V& visit) {
    visit(name_of_name, name);
    visit("about", about);
  }
};

struct StatusRow {
  int status = 0;
  std::string meaning;
  template <class V>
  void fields(V& visit) {
    visit("status", status);
    visit("meaning", meaning);
  }
};

struct CommandTable {
  std::string version;
  std::vector<CommandDescription> commands;
  std::vector<NamedText> groups;
  std::vector<StatusRow> exit_statuses;
  template <class V>
  void fields(V& visit) {
    visit("version", version);
    visit("commands", commands);
    visit("groups", groups);
    visit("exit_statuses", exit_statuses);
  }
};

struct SettingRow {
  std::string key;
  std::string about;
  std::string type;
  std::string expects;
  std::optional<std::string> by_default;
  std::string least;
  std::string most;
  std::string reload;
  std::string stands_for;     // a short form: the full key that it sets
  std::string falls_back_to;  // the key that counts before the default does
  bool is_required = false;
  bool is_for_tenants = false;  // may stand under [tenants.NAME] too
  template <class V>
  void fields(V& visit) {
    visit("key", key);
    visit("about", about);
    visit("type", type);
    visit("expects", expects);
    visit("default", by_default);
    visit("least", least);
    visit("most", most);
    visit("reload", reload);
    visit("stands_for", stands_for);
    visit("falls_back_to", falls_back_to);
    visit("is_required", is_required);
    visit("is_for_tenants", is_for_tenants);
  }
};

struct SettingTable {
  std::vector<SettingRow> settings;
  std::vector<NamedText> collections;
  template <class V>
  void fields(V& visit) {
    visit("settings", settings);
    visit("collections", collections);
  }
};

SettingRow row_of(const config::Key& key) {
  const settings::Row& from = *key.row;
  SettingRow row;
  row.key = key.path;
  row.about = from.doc;
  row.type = from.type->name;
  row.expects = from.type->expectation();
  row.by_default = key.by_default;
  row.least = key.bounds.least;
  row.most = key.bounds.most;
  row.reload = config::name(from.options.reload);
  if (!from.options.stands_for.empty())
    row.stands_for = config::full_path(from.options.stands_for, {config::Place("default")});
  row.falls_back_to = key.falls_back_to().key;
  row.is_required = from.options.required;
  row.is_for_tenants = key.is_policy();
  return row;
}

struct ReplyTable {
  std::vector<DocumentedReply> replies;
  template <class V>
  void fields(V& visit) {
    visit("replies", replies);
  }
};

}  // namespace

std::string replies_json() { return FieldWriter::json(ReplyTable{all_replies()}) + "\n"; }

std::string commands_json(std::span<const CommandDescription> commands) {
  CommandTable table;
  table.version = version();
  table.commands.assign(commands.begin(), commands.end());
  for (const CommandDescription& command : commands) {
    const std::string group = command.group();
    const auto is_group = [&group](const NamedText& one) { return one.name == group; };
    if (!group.empty() && std::none_of(table.groups.begin(), table.groups.end(), is_group))
      table.groups.push_back({"name", group, std::string(group_about(group))});
  }
  for (const ExitStatus& status : exit_statuses)
    table.exit_statuses.push_back({status.status, std::string(status.meaning)});
  return FieldWriter::json(table) + "\n";
}

std::string settings_json() {
  SettingTable table;
  for (const config::Key& key : config::settings_table()) table.settings.push_back(row_of(key));
  for (const config::Collection& collection : config::collections())
    table.collections.push_back({"path", collection.path, std::string(collection.doc)});
  return FieldWriter::json(table) + "\n";
}

}  // namespace sallyport::cli
