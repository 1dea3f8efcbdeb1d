// Values with fields (fields.h) as JSON, and back: for `explain --json`, the history, and tests of round trips.
//
// Written in the order of the fields. What JSON has no type for is written as the text that people use for it:
// addresses, durations ("5s"), rates, and the words of enumerations. A string that is not UTF-8 (a DNS record may hold
// any octets) is {"octets": "<hexadecimal>"}. An optional without a value is null, a variant is [index, value], a pair
// [a, b].
//
// Reading is strict about types and lenient about names: a member that is missing keeps the value it has, one that is
// unknown is passed over, so that a record of an older version can be read by a newer one. nlohmann-json, which parses,
// stays behind this door.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/fields.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"

namespace sallyport {

class FieldWriter;
class FieldReader;

template <class T>
concept Fielded = requires(T& value, FieldWriter& writer) { value.fields(writer); };

// A type that is written as one text of its own: two functions beside it, found by their argument.
template <class T>
concept Texted = requires(const T& value, T& target, std::string_view text) {
  { to_field_text(value) } -> std::convertible_to<std::string>;
  { from_field_text(text, target) } -> std::same_as<bool>;
};

class FieldWriter {
 public:
  // A member of the object that is being written. A value is only read, though fields() takes it as one to be changed.
  template <class T>
  void operator()(std::string_view name, T& member) {
    key(name);
    value(member);
  }

  // One whole value as JSON text.
  template <class T>
  static std::string json(const T& whole) {
    FieldWriter writer;
    writer.value(whole);
    return std::move(writer.out_);
  }

 private:
  void key(std::string_view name);
  void open(char bracket);
  void close(char bracket);
  void next();  // a comma, where one belongs

  void value(bool yes);
  void value(std::string_view text);
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(double number);
  void value(std::int64_t number);
  void value(std::uint64_t number);
  template <std::integral T>
  void value(T number) {
    if constexpr (std::is_signed_v<T>)
      value(static_cast<std::int64_t>(number));
    else
      value(static_cast<std::uint64_t>(number));
  }
  template <Worded E>
  void value(E choice) {
    value(word(choice));
  }
  template <Texted T>
  void value(const T& text) {
    value(std::string_view(to_field_text(text)));
  }
  void value(const IpAddress& ip);
  void value(Duration duration);
  void value(std::chrono::seconds duration) { value(static_cast<std::int64_t>(duration.count())); }
  void value(WallTime time);
  void value(const Rate& rate);
  template <class T>
  void value(const std::optional<T>& maybe) {
    if (maybe)
      value(*maybe);
    else
      null();
  }
  template <class T>
  void value(const std::vector<T>& list) {
    open('[');
    for (const auto& item : list) {
      next();
      value(item);
    }
    close(']');
  }
  template <class A, class B>
  void value(const std::pair<A, B>& both) {
    open('[');
    next();
    value(both.first);
    next();
    value(both.second);
    close(']');
  }
  template <class... T>
  void value(const std::variant<T...>& one) {
    open('[');
    next();
    value(static_cast<std::uint64_t>(one.index()));
    next();
    std::visit([this](const auto& held) { this->value(held); }, one);
    close(']');
  }
  template <Fielded T>
  void value(const T& whole) {
    open('{');
    const_cast<T&>(whole).fields(*this);
    close('}');
  }
  void null();

  std::string out_;
  bool is_first_ = true;  // of its object or list: no comma before it
};

// One value of a JSON text; a copy is another look at the same one.
class JsonValue {
 public:
  static Result<JsonValue> parse(std::string_view json);

  bool is_null() const;
  bool is_object() const;
  bool is_list() const;
  // Nothing when the value is of another type, or does not fit.
  std::optional<bool> boolean() const;
  std::optional<double> number() const;
  std::optional<std::int64_t> signed_integer() const;
  std::optional<std::uint64_t> unsigned_integer() const;
  std::optional<std::string> text() const;  // also of {"octets": ...}
  // Of an object: nothing when there is no such member. Of a list: its items, else none.
  std::optional<JsonValue> member(std::string_view name) const;
  std::size_t size() const;
  JsonValue item(std::size_t index) const;

 private:
  struct Tree;
  JsonValue(std::shared_ptr<const Tree> tree, const void* node) : tree_(std::move(tree)), node_(node) {}

  std::shared_ptr<const Tree> tree_;
  const void* node_;
};

class FieldReader {
 public:
  template <class T>
  void operator()(std::string_view name, T& member) {
    const auto found = at_->member(name);
    if (found && !read(*found, member) && failed_.empty()) failed_ = name;
  }

  // Fills `whole` from JSON of its fields. Failure: the first member whose value is none of its type.
  template <class T>
  static Result<Done> read_json(const JsonValue& json, T& whole) {
    FieldReader reader;
    if (reader.read(json, whole) && reader.failed_.empty()) return Done{};
    return Failure{"not a value for " + (reader.failed_.empty() ? std::string("this") : reader.failed_)};
  }

 private:
  template <class T>
  static bool take(std::optional<T> from, T& to) {
    if (from) to = std::move(*from);
    return from.has_value();
  }
  bool read(const JsonValue& json, bool& yes) { return take(json.boolean(), yes); }
  bool read(const JsonValue& json, std::string& text) { return take(json.text(), text); }
  bool read(const JsonValue& json, double& number) { return take(json.number(), number); }
  template <std::integral T>
  bool read(const JsonValue& json, T& number) {
    if constexpr (std::is_signed_v<T>) {
      const auto wide = json.signed_integer();
      if (!wide || !std::in_range<T>(*wide)) return false;
      number = static_cast<T>(*wide);
    } else {
      const auto wide = json.unsigned_integer();
      if (!wide || !std::in_range<T>(*wide)) return false;
      number = static_cast<T>(*wide);
    }
    return true;
  }
  template <Worded E>
  bool read(const JsonValue& json, E& choice) {
    const auto text = json.text();
    return text && take(from_word<E>(*text), choice);
  }
  template <Texted T>
  bool read(const JsonValue& json, T& value) {
    const auto text = json.text();
    return text && from_field_text(*text, value);
  }
  bool read(const JsonValue& json, IpAddress& ip);
  bool read(const JsonValue& json, Duration& duration);
  bool read(const JsonValue& json, std::chrono::seconds& duration);
  bool read(const JsonValue& json, WallTime& time);
  bool read(const JsonValue& json, Rate& rate);
  template <class T>
  bool read(const JsonValue& json, std::optional<T>& maybe) {
    maybe.reset();
    return json.is_null() || read(json, maybe.emplace());
  }
  template <class T>
  bool read(const JsonValue& json, std::vector<T>& list) {
    list.clear();
    if (!json.is_list()) return false;
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (!read(json.item(i), list.emplace_back())) return false;
    }
    return true;
  }
  template <class A, class B>
  bool read(const JsonValue& json, std::pair<A, B>& both) {
    return json.size() == 2 && read(json.item(0), both.first) && read(json.item(1), both.second);
  }
  template <class... T>
  bool read(const JsonValue& json, std::variant<T...>& one) {
    const auto index = json.size() == 2 ? json.item(0).unsigned_integer() : std::nullopt;
    return index && *index < sizeof...(T) &&
           read_alternative(json.item(1), one, *index, std::index_sequence_for<T...>());
  }
  template <class... T, std::size_t... I>
  bool read_alternative(const JsonValue& json, std::variant<T...>& one, std::uint64_t index,
                        std::index_sequence<I...>) {
    return ((index == I && read(json, one.template emplace<I>())) || ...);
  }
  template <Fielded T>
  bool read(const JsonValue& json, T& whole) {
    if (!json.is_object()) return false;
    const JsonValue* outer = at_;
    at_ = &json;
    whole.fields(*this);
    at_ = outer;
    return failed_.empty();
  }

  const JsonValue* at_ = nullptr;
  std::string failed_;
};

}  // namespace sallyport
