// The program's side of explain.h: effective values, findings and the schema as JSON.
#include <nlohmann/json.hpp>

#include "gateway/base/ensure.h"
#include "gateway/config/document.h"
#include "gateway/config/explain.h"
#include "gateway/config/schema_tree.h"

namespace sallyport::config {
namespace {

using Json = nlohmann::ordered_json;

// File names may hold any octets; what is not UTF-8 is replaced.
std::string printed(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

// A TOML value of ours as JSON; both are known to be well-formed and shallow.
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

Json text_matching(const char* pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

Json list_of(Json item) { return {{"type", "array"}, {"items", std::move(item)}}; }

void add_bounds(Json& schema, const Key& key) {
  if (!key.least.empty()) schema["minimum"] = toml_as_json(std::string(key.least));
  if (!key.most.empty()) schema["maximum"] = toml_as_json(std::string(key.most));
}

Json certificate_schema() {
  Json pair = {{"type", "object"},
               {"properties", {{"chain", {{"type", "string"}}}, {"key", {{"type", "string"}}}}},
               {"required", {"chain", "key"}},
               {"additionalProperties", false}};
  Json one = {{"type", "string"}, {"minLength", 1}};
  Json either = {{"oneOf", Json::array({one, pair})}};
  return {{"oneOf", Json::array({one, pair, list_of(either)})}};
}

Json type_schema(const Key& key) {
  switch (key.type) {
    case Type::word:
      return {{"type", "string"}, {"enum", Json(key.shape().words)}};
    case Type::boolean:
      return {{"type", "boolean"}};
    case Type::integer: {
      Json schema = {{"type", "integer"}, {"minimum", 0}};
      add_bounds(schema, key);
      return schema;
    }
    case Type::number: {
      Json schema = {{"type", "number"}};
      add_bounds(schema, key);
      return schema;
    }
    case Type::duration:
      return text_matching("^[0-9]+(d|h|m|s|ms|us|ns)$");
    case Type::size:
      return {
          {"oneOf", Json::array({text_matching("^[0-9]+(KiB|MiB|GiB|TiB)?$"), {{"type", "integer"}, {"minimum", 0}}})}};
    case Type::rate:
      return text_matching("^(off|[0-9]+/[0-9]+(d|h|m|s|ms|us|ns)( burst [0-9]+)?)$");
    case Type::networks:
      return list_of(text_matching("^[0-9A-Fa-f.:]+(/[0-9]+)?$"));
    case Type::address:
    case Type::addresses: {
      Json address = text_matching(key.port == 0 ? "^([0-9.]+|\\[[0-9A-Fa-f.:]+\\]):[0-9]+$"
                                                 : "^([0-9.]+|\\[?[0-9A-Fa-f.:]+\\]?)(:[0-9]+)?$");
      return key.type == Type::address ? address : list_of(std::move(address));
    }
    case Type::domains:
      return list_of(text_matching("^(\\*\\.)?[A-Za-z0-9_.-]+$"));
    case Type::globs:
    case Type::reply_ranges:
      return list_of({{"type", "string"}, {"minLength", 1}});
    case Type::certificates:
      return certificate_schema();
    case Type::log_target:
      return text_matching("^(stderr|journal|file:.+)$");
    case Type::text:
    case Type::domain:
    case Type::path:
      return {{"type", "string"}};
  }
  broken("Type: not one of its values");
}

Json key_schema(const Key& key) {
  Json schema = type_schema(key);
  if (schema.value("type", "") == "array" && !key.least.empty())
    schema["minItems"] = toml_as_json(std::string(key.least));
  schema["description"] = std::string(key.doc);
  if (key.by_default && key.stands_for.empty()) schema["default"] = toml_as_json(key.default_toml());
  return schema;
}

// The tree is as deep as the table's longest path.
Json node_schema(const SchemaNode& node) {
  if (node.key != nullptr) return key_schema(*node.key);
  Json object = {{"type", "object"}};
  Json required = Json::array();
  for (const auto& [name, child] : node.children) {
    object["properties"][name] = node_schema(child);
    if (child.key != nullptr && !child.key->by_default) required.push_back(name);
  }
  // Below a name everything required may also come by its short form, which a schema cannot tell; the loader can.
  if (!required.empty() && &node == &schema_tree()) object["required"] = required;
  object["additionalProperties"] = node.any_name ? node_schema(*node.any_name) : Json(false);
  if (node.collection != nullptr) object["description"] = std::string(node.collection->doc);
  return node.is_array ? list_of(std::move(object)) : object;
}

}  // namespace

std::string show_json(const Loaded& loaded) {
  Json values = Json::object();
  for (const Effective& value : loaded.values)
    values[value.path] = {{"value", toml_as_json(value.toml)}, {"origin", value.origin.to_string()}};
  return printed(values);
}

std::string report_json(const std::string& file, const ConfigErrors& errors, const ConfigErrors& warnings) {
  const auto list = [](const ConfigErrors& found) {
    Json array = Json::array();
    for (const ConfigError& error : found)
      array.push_back(
          {{"file", error.at.file}, {"line", error.at.line}, {"column", error.at.column}, {"message", error.message}});
    return array;
  };
  const Json report = {{"file", file}, {"ok", errors.empty()}, {"errors", list(errors)}, {"warnings", list(warnings)}};
  return printed(report);
}

std::string json_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "Sallyport configuration"}};
  schema.update(node_schema(schema_tree()));
  return printed(schema);
}

}  // namespace sallyport::config
