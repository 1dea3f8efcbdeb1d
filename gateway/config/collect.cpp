#include "gateway/config/collect.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <set>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/config/in_public.h"
#include "gateway/config/key_hints.h"
#include "gateway/config/key_path.h"
#include "gateway/config/schema_tree.h"

namespace sallyport::config {
namespace {

constexpr std::size_t max_files = 10000;

bool is_identifier(std::string_view name) {
  const auto fits = [](char c) { return text::is_alnum(c) || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), fits);
}

// Gives the name in the form in which it is kept, or the reason why it is not valid; there it is written as `shown`.
Result<std::string> accept_name(std::string_view name, NameRule rule, std::string_view shown) {
  switch (rule) {
    case NameRule::identifier:
      if (is_identifier(name)) return std::string(name);
      return Failure{quote(shown) + " cannot be a name here: letters, digits, \"-\", \"_\" and \".\", at most 64"};
    case NameRule::domain:
      if (is_domain_name(name)) return text::to_lower(name);
      return Failure{quote(shown) + " is not a domain name"};
    case NameRule::domain_or_wildcard:
      if (is_domain_name(name.starts_with("*.") ? name.substr(2) : name)) return text::to_lower(name);
      return Failure{quote(shown) + " is neither a host name nor one like \"*.example.com\""};
  }
  broken("NameRule: not one of its values");
}

// Finds a key with the same last segment in another section, to suggest to somebody who forgot the section.
std::string same_name_elsewhere(std::string_view name) {
  for (const Key& key : settings_table()) {
    const std::size_t dot = key.path.rfind('.');
    if (dot != std::string::npos && std::string_view(key.path).substr(dot + 1) == name) return key.path;
  }
  return {};
}

// For a value that stands where a table should: "[limits] is a table of settings, such as { hops = ... }". The key that
// is shown is one that people look for, or the first.
std::string a_table(const std::string& path, const SchemaNode& schema) {
  if (schema.any_name) return "[" + path + "] has a table for each name: write [" + path + ".NAME]";
  std::string text = "[" + path + "] is a table of settings";
  const std::vector<std::string> names = schema.names();
  if (names.empty()) return text;
  std::string shown = names.front();
  for (const char* wanted : {"score", "file", "servers", "domains", "mode"}) {
    if (!schema.children.contains(wanted)) continue;
    shown = wanted;
    break;
  }
  return text + ", such as { " + shown + " = ... }";
}

// The position of a table in the configuration.
struct Where {
  std::string section;  // as written in files: "tenants.acme.policy.spf"; entries of an array without their number
  std::string pattern;  // as in the settings table: "policy.spf", "upstreams.*", "listen[]"
  std::string tenant;   // the tenant whose policy table this is; empty: none
  Places which;         // places of the key's path in the settings table, which does not contain the tenant

  std::string below(std::string_view segment) const { return joined(section, segment); }
  static std::string joined(const std::string& path, std::string_view segment) {
    return path.empty() ? std::string(segment) : path + "." + std::string(segment);
  }
};

// Walks one document along the schema tree, and so never deeper than that tree.
class Matcher {
 public:
  Matcher(Collected& collected, std::string directory) : collected_(collected), directory_(std::move(directory)) {}

  void match(const SchemaNode& schema, const Node& table, const Where& where) {
    for (const Member& member : table.members) {
      if (const auto child = schema.children.find(member.key); child != schema.children.end()) {
        known(schema, *child->second, member, where);
      } else if (schema.any_name) {
        named(schema, member, where);
      } else {
        unknown(schema, member, where);
      }
    }
  }

 private:
  void fail(const Origin& at, std::string message) { collected_.errors.push_back({at, std::move(message)}); }

  void known(const SchemaNode& parent, const SchemaNode& schema, const Member& member, const Where& where) {
    if (schema.key != nullptr) {
      leaf(*schema.key, member, where);
      return;
    }
    Where there{where.below(member.key), Where::joined(where.pattern, member.key), where.tenant, where.which};
    if (schema.is_array) {
      tables(schema, member, there);
    } else if (member.value.kind == Node::Kind::table) {
      // Below the tenant's `policy`, keys have their global paths, so the places begin anew.
      if (parent.is_tenant) {
        there.tenant = where.which.back().name;
        there.which.clear();
        there.pattern = member.key;
      }
      match(schema, member.value, there);
    } else {
      fail(member.value.at, a_table(there.section, schema) + ", not " + std::string(describe(member.value.kind)));
    }
  }

  void leaf(const Key& key, const Member& member, const Where& where) {
    const std::string path = tenant_prefix(where.tenant) + full_path(key.path, where.which);
    // Each file may have its own `include`; every other key may be given once only.
    if (key.path != "include") {
      const auto [place, first] = collected_.places.emplace(path, member.at);
      if (!first) {
        fail(member.at, path_in_public(path) + " is already set at " + place->second.to_string());
        return;
      }
    }
    if (key.read(member.value, directory_, nullptr, collected_.errors))
      collected_.values.insert_or_assign(path,
                                         Given{&key, where.tenant, where.which, member.value, directory_, member.at});
  }

  void tables(const SchemaNode& schema, const Member& member, const Where& where) {
    const bool all_tables = member.value.kind == Node::Kind::array &&
                            std::all_of(member.value.items.begin(), member.value.items.end(),
                                        [](const Node& item) { return item.kind == Node::Kind::table; });
    const std::string& path = where.section;
    if (!all_tables || member.value.items.empty()) {
      fail(member.at, quote(path) + " is an array of tables: write [[" + path + "]] above each of them");
      return;
    }
    const auto [place, first] = collected_.places.emplace(path, member.at);
    if (!first) {
      fail(member.at, "[[" + path + "]] is already set at " + place->second.to_string());
      return;
    }
    for (std::size_t i = 0; i < member.value.items.size(); ++i)
      match(schema, member.value.items[i], entered(schema, where, Place(i), path, member.value.items[i].at));
  }

  void named(const SchemaNode& schema, const Member& member, const Where& where) {
    if (member.value.kind != Node::Kind::table && is_top_level(member.key)) return misplaced(member, where.section);
    if (refuse_unquoted(*schema.any_name, schema.collection->path, member, where)) return;
    // Errors are logged, when they are those of a reload: a name that may contain a secret is not in them.
    const std::string& collection = schema.collection->path;
    const auto shown = [&collection](std::string_view text) { return name_in_public(collection, text); };
    auto name = accept_name(member.key, schema.collection->names, shown(member.key));
    if (!name) {
      fail(member.at, name.error().message);
      return;
    }
    const std::string path = where.below(key_segment(shown(*name)));
    if (member.value.kind != Node::Kind::table) {
      fail(member.value.at, a_table(path, *schema.any_name) + ", not " + std::string(describe(member.value.kind)));
      return;
    }
    match(*schema.any_name, member.value, entered(schema, where, Place(std::move(*name)), path, member.at));
  }

  // Adds one entry to its collection, and gives the position inside it.
  Where entered(const SchemaNode& schema, const Where& where, Place place, const std::string& section,
                const Origin& at) {
    collected_.add_instance(tenant_prefix(where.tenant) + full_path(schema.collection->path, where.which), place, at);
    Where inside{section, where.pattern + (schema.is_array ? "[]" : ".*"), where.tenant, where.which};
    inside.which.push_back(std::move(place));
    return inside;
  }

  // Names with dots that stand without quotes. True when nothing is left of `member` that could be a name of its own.
  bool refuse_unquoted(const SchemaNode& inside, const std::string& collection, const Member& member,
                       const Where& where) {
    const std::vector<UnquotedName> found = find_unquoted_names(inside, member);
    for (const UnquotedName& unquoted : found) {
      refused_.insert(unquoted.first);
      fail(unquoted.setting->at, "a name with dots needs quotes, or its parts are taken for tables: write " +
                                     where.below(quote(name_in_public(collection, unquoted.name))) + "." +
                                     unquoted.setting->key);
    }
    if (found.empty()) return false;
    return std::none_of(member.value.members.begin(), member.value.members.end(),
                        [&](const Member& below) { return inside.children.contains(below.key); });
  }

  void misplaced(const Member& member, const std::string& section) {
    collected_.misplaced.insert(member.key);
    fail(member.at, quote(member.key) + " stands behind [" + section +
                        "], and so is taken for a key of that section: " +
                        "move it to the top of the file, above the first [section]");
  }

  void unknown(const SchemaNode& schema, const Member& member, const Where& where) {
    if (refused_.contains(&member)) return;
    const std::string& section = where.section;
    std::string message = "unknown key " + quote(member.key);
    if (!section.empty()) message += " in [" + section + "]";
    if (is_of_another_version(Where::joined(where.pattern, member.key))) {
      fail(member.at, message + ": not in this version; leave it out");
      return;
    }
    if (!section.empty() && is_top_level(member.key)) return misplaced(member, section);
    std::string meant(text::did_you_mean(member.key, schema.names()));
    if (meant.empty()) meant = same_name_elsewhere(member.key);
    if (!meant.empty()) message += "; did you mean " + quote(meant) + "?";
    fail(member.at, std::move(message));
  }

  Collected& collected_;
  const std::string directory_;
  std::set<const Member*> refused_;  // said already
};

// Resolves `name` relative to the directory of `file`.
std::string beside(const std::string& file, const std::string& name) {
  return (std::filesystem::path(file).parent_path() / name).lexically_normal().string();
}

std::string absolute_directory(const std::string& file) {
  std::error_code ignored;  // on an error the path stays as it is
  const std::filesystem::path path = std::filesystem::absolute(file, ignored);
  return (path.empty() ? std::filesystem::path(file) : path).parent_path().lexically_normal().string();
}

// Adds the files that `include` of this file names to the queue.
void queue_included(Collected& collected, const std::string& file, const Files& files, std::deque<std::string>& queue) {
  const auto given = collected.values.find("include");
  if (given == collected.values.end()) return;
  std::vector<std::string> patterns;
  given->second.key->read(given->second.value, given->second.directory, &patterns, collected.errors);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::string& pattern = patterns[i];
    const std::string beside_file = beside(file, pattern);
    if (pattern.find_first_of("*?[") == std::string::npos) {
      queue.push_back(beside_file);
      continue;
    }
    const auto matching = files.matching(beside_file);
    if (matching && matching->empty()) {
      const std::vector<Node>& items = given->second.value.items;
      collected.warnings.push_back(
          {i < items.size() ? items[i].at : given->second.at, "no file matches " + quote(beside_file)});
    }
    if (matching)
      queue.insert(queue.end(), matching->begin(), matching->end());
    else
      collected.errors.push_back(
          {given->second.at, "cannot read " + quote(beside_file) + ": " + matching.error().message});
  }
  collected.values.erase(given);
}

}  // namespace

void Collected::add_instance(std::string_view collection, const Place& place, const Origin& at) {
  if (!has_instance(collection, place)) instances[std::string(collection)].push_back({place, at});
}

bool Collected::has_instance(std::string_view collection, const Place& place) const {
  const auto list = instances.find(collection);
  return list != instances.end() && std::any_of(list->second.begin(), list->second.end(),
                                                [&](const InstanceAt& known) { return known.place == place; });
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
    Matcher(collected, absolute_directory(next)).match(schema_tree(), *document, {});
    queue_included(collected, next, files, queue);
  }
  return collected;
}

}  // namespace sallyport::config
