#include "gateway/base/field_json.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gateway/base/text.h"

namespace sallyport {

using Json = nlohmann::json;

namespace {

const Json& node_of(const void* node) { return *static_cast<const Json*>(node); }

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (octet < 0x20 || octet == 0x7f) {
      out.append("\\u00").append({hex[octet >> 4], hex[octet & 15]});
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void FieldWriter::next() {
  if (!is_first_) out_ += ',';
  is_first_ = true;
}

void FieldWriter::open(char bracket) {
  out_ += bracket;
  is_first_ = true;
}

void FieldWriter::close(char bracket) {
  out_ += bracket;
  is_first_ = false;
}

void FieldWriter::key(std::string_view name) {
  next();
  append_quoted(out_, name);
  out_ += ':';
}

void FieldWriter::value(bool yes) {
  out_ += yes ? "true" : "false";
  is_first_ = false;
}

void FieldWriter::value(std::string_view text) {
  if (text::is_utf8(text)) {
    append_quoted(out_, text);
  } else {
    out_.append("{\"octets\":\"").append(text::to_hex(text)).append("\"}");
  }
  is_first_ = false;
}

void FieldWriter::value(double number) {
  char digits[32];
  // The shortest text that reads back as the same number; JSON has no infinity.
  if (!std::isfinite(number)) number = 0;
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  is_first_ = false;
}

void FieldWriter::value(std::int64_t number) {
  out_ += std::to_string(number);
  is_first_ = false;
}

void FieldWriter::value(std::uint64_t number) {
  out_ += std::to_string(number);
  is_first_ = false;
}

void FieldWriter::value(const IpAddress& ip) { value(ip.to_string()); }
void FieldWriter::value(Duration duration) { value(to_text(duration)); }
void FieldWriter::value(const Rate& rate) { value(to_text(rate)); }
void FieldWriter::value(WallTime time) {
  value(
      static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count()));
}

void FieldWriter::null() {
  out_ += "null";
  is_first_ = false;
}

struct JsonValue::Tree {
  Json root;
};

Result<JsonValue> JsonValue::parse(std::string_view json) {
  auto tree = std::make_shared<Tree>();
  tree->root = Json::parse(json, nullptr, false);
  if (tree->root.is_discarded()) return Failure{"not JSON"};
  const void* root = &tree->root;
  return JsonValue(std::move(tree), root);
}

bool JsonValue::is_null() const { return node_of(node_).is_null(); }
bool JsonValue::is_object() const { return node_of(node_).is_object(); }
bool JsonValue::is_list() const { return node_of(node_).is_array(); }

std::optional<bool> JsonValue::boolean() const {
  const Json& json = node_of(node_);
  return json.is_boolean() ? std::optional(json.get<bool>()) : std::nullopt;
}

std::optional<double> JsonValue::number() const {
  const Json& json = node_of(node_);
  return json.is_number() ? std::optional(json.get<double>()) : std::nullopt;
}

std::optional<std::int64_t> JsonValue::signed_integer() const {
  const Json& json = node_of(node_);
  if (!json.is_number_integer()) return std::nullopt;
  if (json.is_number_unsigned() && !std::in_range<std::int64_t>(json.get<std::uint64_t>())) return std::nullopt;
  return json.get<std::int64_t>();
}

std::optional<std::uint64_t> JsonValue::unsigned_integer() const {
  const Json& json = node_of(node_);
  return json.is_number_unsigned() ? std::optional(json.get<std::uint64_t>()) : std::nullopt;
}

std::optional<std::string> JsonValue::text() const {
  const Json& json = node_of(node_);
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_object()) return std::nullopt;
  const auto octets = json.find("octets");
  if (octets == json.end() || !octets->is_string()) return std::nullopt;
  return text::from_hex(octets->get<std::string>());
}

std::optional<JsonValue> JsonValue::member(std::string_view name) const {
  const Json& json = node_of(node_);
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(std::string(name));
  if (found == json.end()) return std::nullopt;
  return JsonValue(tree_, &*found);
}

std::size_t JsonValue::size() const {
  const Json& json = node_of(node_);
  return json.is_array() ? json.size() : 0;
}

JsonValue JsonValue::item(std::size_t index) const {
  ensure(index < size(), "JsonValue: an item that is not there");
  return JsonValue(tree_, &node_of(node_)[index]);
}

bool FieldReader::read(const JsonValue& json, IpAddress& ip) {
  const auto text = json.text();
  return text && take(IpAddress::parse(*text), ip);
}

bool FieldReader::read(const JsonValue& json, Duration& duration) {
  const auto text = json.text();
  return text && take(parse_duration(*text), duration);
}

bool FieldReader::read(const JsonValue& json, std::chrono::seconds& duration) {
  const auto count = json.signed_integer();
  if (count) duration = std::chrono::seconds(*count);
  return count.has_value();
}

bool FieldReader::read(const JsonValue& json, WallTime& time) {
  const auto count = json.signed_integer();
  if (count) time = WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(*count)));
  return count.has_value();
}

bool FieldReader::read(const JsonValue& json, Rate& rate) {
  const auto text = json.text();
  return text && take(parse_rate(*text), rate);
}

}  // namespace sallyport
