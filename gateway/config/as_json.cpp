// Effective values, differences, errors and the schema as JSON: implements the JSON functions of explain.h and diff.h.
#include <nlohmann/json.hpp>

#include "gateway/base/ensure.h"
#include "gateway/config/diff.h"
#include "gateway/config/document.h"
#include "gateway/config/explain.h"
#include "gateway/config/schema_tree.h"

namespace sallyport::config {
namespace {

using Json = nlohmann::ordered_json;

// File names may contain any octets; those that are not UTF-8 are replaced.
std::string printed(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

// Converts a TOML value to JSON; it comes from our own to_toml(), so it is well-formed and not deep.
Json to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::table: {
      Json object = Json::object();
      for (const Member& member : node.members) object[member.key] = to_json(member.value);
      return object;
    }
    case Node::Kind::array: {
      Json array = Json::array();
      for (const Node& item : node.items) array.push_back(to_json(item));
      return array;
    }
    case Node::Kind::text:
      return node.text;
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::number:
      return node.number;
    case Node::Kind::boolean:
      return node.boolean;
    case Node::Kind::date:
      break;
  }
  broken("configuration: a value that is no setting");
}

Json toml_as_json(const std::string& toml) {
  const auto document = parse_document("value = " + toml, {});
  ensure(document.ok(), "configuration: a value that is not TOML");
  return to_json(document->members.front().value);
}

Json list_of(Json item) { return {{"type", "array"}, {"items", std::move(item)}}; }

Json type_schema(const Key& key) {
  const settings::ValueType& type = *key.row->type;
  if (!type.words.empty()) return {{"type", "string"}, {"enum", Json(type.words)}};
  Json schema = Json::parse(type.schema);
  const settings::Bounds& bounds = key.bounds;
  if (type.form == settings::Form::number) {
    if (!bounds.least.empty()) schema["minimum"] = toml_as_json(std::string(bounds.least));
    if (!bounds.most.empty()) schema["maximum"] = toml_as_json(std::string(bounds.most));
  }
  if (type.form == settings::Form::list && !bounds.least.empty())
    schema["minItems"] = toml_as_json(std::string(bounds.least));
  return schema;
}

Json key_schema(const Key& key) {
  Json schema = type_schema(key);
  schema["description"] = std::string(key.row->doc);
  if (key.by_default) schema["default"] = toml_as_json(*key.by_default);
  return schema;
}

constexpr const char* policy_reference = "#/$defs/policy";

// The recursion is as deep as the longest path of the settings table.
Json node_schema(const SchemaNode& node) {
  if (node.key != nullptr) return key_schema(*node.key);
  const bool is_top = &node == &schema_tree();
  Json object = {{"type", "object"}};
  Json required = Json::array();
  for (const auto& [name, child] : node.children) {
    // The schema of `policy` is written once and referred to at the top and under each tenant.
    const bool is_policy = name == "policy" && (is_top || node.is_tenant);
    object["properties"][name] = is_policy ? Json{{"$ref", policy_reference}} : node_schema(*child);
    if (child->key != nullptr && child->key->row->options.required) required.push_back(name);
  }
  // Below a name, a required key may also be given by its short form, which a schema cannot express; the loader checks
  // it.
  if (!required.empty() && is_top) object["required"] = required;
  object["additionalProperties"] = node.any_name ? node_schema(*node.any_name) : Json(false);
  if (node.collection != nullptr) object["description"] = std::string(node.collection->doc);
  return node.is_array ? list_of(std::move(object)) : object;
}

std::string values_json(const std::vector<Effective>& values) {
  Json json = Json::object();
  for (const Effective& value : values)
    json[value.path] = {{"value", toml_as_json(value.toml)}, {"origin", value.origin.to_string()}};
  return printed(json);
}

}  // namespace

std::string show_json(const Loaded& loaded) { return values_json(loaded.values); }

Result<std::string> show_tenant_json(const Loaded& loaded, std::string_view tenant) {
  const auto values = values_of_tenant(loaded, tenant);
  if (!values) return values.error();
  return values_json(*values);
}

std::string to_json(const std::vector<Change>& changes) {
  const auto value = [](const std::optional<std::string>& toml) -> Json {
    if (!toml) return nullptr;
    // The running program may be of another version: what this version cannot parse as TOML is shown as received.
    const auto document = parse_document("value = " + *toml, {});
    if (!document || document->members.size() != 1) return *toml;
    return to_json(document->members.front().value);
  };
  Json list = Json::array();
  for (const Change& change : changes)
    list.push_back({{"path", change.path},
                    {"running", value(change.running)},
                    {"disk", value(change.disk)},
                    {"reload", change.reload ? Json(std::string(name(*change.reload))) : Json(nullptr)}});
  return printed(list);
}

std::string report_json(const std::string& file, const ConfigErrors& errors, const ConfigErrors& warnings,
                        const Contents& contents) {
  const auto list = [](const ConfigErrors& found) {
    Json array = Json::array();
    for (const ConfigError& error : found)
      array.push_back(
          {{"file", error.at.file}, {"line", error.at.line}, {"column", error.at.column}, {"message", error.message}});
    return array;
  };
  const Json report = {{"file", file},
                       {"ok", errors.empty()},
                       {"errors", list(errors)},
                       {"warnings", list(warnings)},
                       {"listeners", contents.listeners},
                       {"upstreams", contents.upstreams},
                       {"lists", contents.lists},
                       {"rules", contents.rules}};
  return printed(report);
}

std::string json_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "Sallyport configuration"}};
  schema.update(node_schema(schema_tree()));
  schema["$defs"] = {{"policy", node_schema(*schema_tree().children.at("policy"))}};
  return printed(schema);
}

}  // namespace sallyport::config
