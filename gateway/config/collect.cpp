#include "gateway/config/collect.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <set>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/config/document.h"
#include "gateway/config/key_path.h"
#include "gateway/config/schema_tree.h"

namespace sallyport::config {
namespace {

constexpr std::size_t max_files = 10000;

bool is_identifier(std::string_view name) {
  const auto fits = [](char c) { return text::is_alnum(c) || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), fits);
}

// The name as it is kept, or why it cannot be one.
Result<std::string> accept_name(std::string_view name, NameRule rule) {
  switch (rule) {
    case NameRule::identifier:
      if (is_identifier(name)) return std::string(name);
      return Failure{quote(name) + " cannot be a name here: letters, digits, \"-\", \"_\" and \".\", at most 64"};
    case NameRule::domain:
      if (is_domain_name(name)) return text::to_lower(name);
      return Failure{quote(name) + " is not a domain name"};
    case NameRule::domain_or_wildcard:
      if (is_domain_name(name.starts_with("*.") ? name.substr(2) : name)) return text::to_lower(name);
      return Failure{quote(name) + " is neither a host name nor one like \"*.example.com\""};
  }
  broken("NameRule: not one of its values");
}

// A key of that name elsewhere in the configuration, for those who forgot the section.
std::string same_name_elsewhere(std::string_view name) {
  for (const Key& key : settings_table()) {
    const std::size_t dot = key.path.rfind('.');
    if (dot != std::string_view::npos && key.path.substr(dot + 1) == name) return std::string(key.path);
  }
  return {};
}

// Walks one document along the tree. It goes no deeper than the tree does.
class Matcher {
 public:
  Matcher(Collected& collected, std::string directory) : collected_(collected), directory_(std::move(directory)) {}

  void match(const SchemaNode& schema, const Node& table, const std::string& section, const Instance& which) {
    for (const Member& member : table.members) {
      if (const auto child = schema.children.find(member.key); child != schema.children.end()) {
        known(child->second, member, section, which);
      } else if (schema.any_name) {
        named(schema, member, section);
      } else {
        unknown(schema, member, section);
      }
    }
  }

 private:
  void fail(const Origin& at, std::string message) { collected_.errors.push_back({at, std::move(message)}); }

  static std::string below(const std::string& section, std::string_view segment) {
    return section.empty() ? std::string(segment) : section + "." + std::string(segment);
  }

  void known(const SchemaNode& schema, const Member& member, const std::string& section, const Instance& which) {
    const std::string path = below(section, member.key);
    if (schema.key != nullptr) {
      leaf(*schema.key, member, which);
    } else if (schema.is_array) {
      tables(schema, member, path);
    } else if (member.value.kind == Node::Kind::table) {
      match(schema, member.value, path, which);
    } else {
      fail(member.value.at, quote(path) + " is a table of settings, not " + std::string(describe(member.value.kind)));
    }
  }

  void leaf(const Key& key, const Member& member, const Instance& which) {
    const std::string path = full_path(key.path, which);
    // Each file may include others; everything else is said once.
    if (key.path != "include") {
      const auto [place, first] = collected_.places.emplace(path, member.at);
      if (!first) {
        fail(member.at, path + " is already set at " + place->second.to_string());
        return;
      }
    }
    auto value = parse_value(member.value, key.shape(), directory_, collected_.errors);
    if (value) collected_.values.insert_or_assign(path, Given{&key, which, std::move(*value), member.at});
  }

  void tables(const SchemaNode& schema, const Member& member, const std::string& path) {
    const bool all_tables = member.value.kind == Node::Kind::array &&
                            std::all_of(member.value.items.begin(), member.value.items.end(),
                                        [](const Node& item) { return item.kind == Node::Kind::table; });
    if (!all_tables || member.value.items.empty()) {
      fail(member.at, quote(path) + " is an array of tables: write [[" + path + "]] above each of them");
      return;
    }
    const auto [place, first] = collected_.places.emplace(path, member.at);
    if (!first) {
      fail(member.at, "[[" + path + "]] is already set at " + place->second.to_string());
      return;
    }
    for (std::size_t i = 0; i < member.value.items.size(); ++i) {
      const Instance entry{{}, i};
      collected_.add_instance(schema.collection->path, entry, member.value.items[i].at);
      match(schema, member.value.items[i], path, entry);
    }
  }

  void named(const SchemaNode& schema, const Member& member, const std::string& section) {
    auto name = accept_name(member.key, schema.collection->names);
    if (!name) {
      fail(member.at, name.error().message);
      return;
    }
    const std::string path = below(section, key_segment(*name));
    if (member.value.kind != Node::Kind::table) {
      fail(member.value.at, quote(path) + " is a table of settings, not " + std::string(describe(member.value.kind)));
      return;
    }
    const Instance which{std::move(*name), 0};
    collected_.add_instance(schema.collection->path, which, member.at);
    match(*schema.any_name, member.value, path, which);
  }

  void unknown(const SchemaNode& schema, const Member& member, const std::string& section) {
    std::string message = "unknown key " + quote(member.key);
    if (!section.empty()) message += " in [" + section + "]";
    std::string meant(text::did_you_mean(member.key, schema.names()));
    if (meant.empty()) meant = same_name_elsewhere(member.key);
    if (!meant.empty()) message += "; did you mean " + quote(meant) + "?";
    fail(member.at, std::move(message));
  }

  Collected& collected_;
  const std::string directory_;
};

// Relative to the file that names it.
std::string beside(const std::string& file, const std::string& name) {
  return (std::filesystem::path(file).parent_path() / name).lexically_normal().string();
}

std::string absolute_directory(const std::string& file) {
  std::error_code ignored;  // without a working directory the path stays as it is
  const std::filesystem::path path = std::filesystem::absolute(file, ignored);
  return (path.empty() ? std::filesystem::path(file) : path).parent_path().lexically_normal().string();
}

// What `include` of one file asks for.
void queue_included(Collected& collected, const std::string& file, const Files& files, std::deque<std::string>& queue) {
  const auto given = collected.values.find("include");
  if (given == collected.values.end()) return;
  for (const std::string& pattern : std::get<std::vector<std::string>>(given->second.value)) {
    const std::string beside_file = beside(file, pattern);
    if (pattern.find_first_of("*?[") == std::string::npos) {
      queue.push_back(beside_file);
      continue;
    }
    const auto matching = files.matching(beside_file);
    if (matching)
      queue.insert(queue.end(), matching->begin(), matching->end());
    else
      collected.errors.push_back(
          {given->second.at, "cannot read " + quote(beside_file) + ": " + matching.error().message});
  }
  collected.values.erase(given);
}

}  // namespace

void Collected::add_instance(std::string_view collection, const Instance& which, const Origin& at) {
  std::vector<InstanceAt>& list = instances[std::string(collection)];
  for (const InstanceAt& known : list)
    if (known.which.name == which.name && known.which.index == which.index) return;
  list.push_back({which, at});
}

Collected collect(const std::string& file, const Files& files) {
  Collected collected;
  std::set<std::string> seen;
  std::deque<std::string> queue{file};
  while (!queue.empty()) {
    const std::string next = std::move(queue.front());
    queue.pop_front();
    if (!seen.insert(std::filesystem::path(next).lexically_normal().string()).second) continue;
    if (seen.size() > max_files) {
      collected.errors.push_back({{next, 0, 0}, "more than 10000 files are included"});
      break;
    }
    const auto content = files.read(next);
    if (!content) {
      collected.errors.push_back({{next, 0, 0}, "cannot read: " + content.error().message});
      collected.incomplete = true;
      continue;
    }
    const auto document = parse_document(*content, next);
    if (!document) {
      collected.errors.push_back(document.error());
      collected.incomplete = true;
      continue;
    }
    Matcher(collected, absolute_directory(next)).match(schema_tree(), *document, {}, {});
    queue_included(collected, next, files, queue);
  }
  return collected;
}

}  // namespace sallyport::config
