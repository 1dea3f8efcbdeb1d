// Every key of the configuration: the rows of all sections with their full paths.
//
// The loader, `check`, `config explain`, `config show` and the JSON Schema all read this table, so they always agree.
// To add a key: add its member to a settings struct, its row beside the struct, and its line to
// packaging/sallyport.toml.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/gateway_settings.h"
#include "gateway/settings/section.h"

namespace sallyport::config {

using settings::NameRule;
using settings::Place;
using settings::Places;
using settings::Reload;

struct GatewaySection;

struct Key {
  // Segments joined by dots: "limits.hops". "*" stands for any name ("upstreams.*.servers"), "[]" for each entry of an
  // array of tables ("listen[].address"). A policy's key has its global path: "policy.spf.on_fail" also stands for the
  // key under [tenants.T.policy.spf].
  std::string path;
  const settings::Section* section = nullptr;
  const settings::Row* row = nullptr;
  const GatewaySection* gateway = nullptr;  // null: a policy's key, which may also stand under a tenant
  // The default as TOML. Nothing: the key must be given in each table that has it (at the top: always), or it is a
  // short form of another key.
  std::optional<std::string> by_default;
  settings::Bounds bounds;
  std::size_t order = 0;   // in the table
  std::size_t places = 0;  // how many "*" and "[]" the path has

  bool is_policy() const { return gateway == nullptr; }
  // True if it has its own effective value after loading; false for `include`, `policy.mode` and short forms.
  bool is_effective() const { return row->has_member() && !row->options.while_loading; }
  const settings::Fallback& falls_back_to() const { return row->options.falls_back_to; }

  // The member in the global settings; an element of a collection that does not exist yet is created.
  void* member(Settings& settings, std::span<const Place> which) const;
  // The member of a policy's key in a tenant's set of settings.
  void* member(settings::Set& policy, std::span<const Place> which) const;

  // Reads a node as a value of this key into `member`; a null `member` only checks the value. False when an error was
  // added.
  bool read(const settings::Node& node, const std::string& directory, void* member,
            settings::ConfigErrors& errors) const;
};

// All keys in the order in which they are shown. A key stands after the key it falls back to.
const std::vector<Key>& settings_table();
// Finds a key by its path in this table; null when there is none.
const Key* find_key(std::string_view path);

// A part of a path where names are chosen freely ("upstreams.*") or tables are counted ("listen[]").
struct Collection {
  std::string path;
  NameRule names;
  std::string_view doc;
};

const std::vector<Collection>& collections();

// "live", "new connections", "restart".
std::string_view name(Reload reload);

}  // namespace sallyport::config
