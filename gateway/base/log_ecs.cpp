#include "gateway/base/log_ecs.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sallyport::log_ecs {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view ecs_version = "8.11.0";

// What ECS calls a field of ours whose value stays as it is.
constexpr std::pair<std::string_view, std::string_view> same_values[] = {
    {"id", "event.id"},    {"because", "event.reason"},    {"ip", "source.ip"},   {"rdns", "source.domain"},
    {"rule", "rule.name"}, {"version", "service.version"}, {"file", "file.path"},
};

struct Category {
  std::string_view event;
  std::string_view kind;
  Texts category;
  Texts type;
};

// Only categories and types of the table that ECS allows for these fields.
Category category_of(std::string_view event) {
  if (event == "transaction" || event == "recipient") return {event, "event", {"email"}, {"info"}};
  if (event == "connection") return {event, "event", {"network"}, {"connection", "denied"}};
  if (event == "violation") return {event, "event", {"intrusion_detection"}, {"info"}};
  if (event == "ready") return {event, "event", {"process"}, {"start"}};
  if (event == "stopping" || event == "stopped") return {event, "event", {"process"}, {"end"}};
  if (event == "reloaded") return {event, "event", {"configuration"}, {"change"}};
  if (event == "upstream" || event == "upstream_name" || event == "milter")
    return {event, "state", {"network"}, {"info"}};
  return {event, "event", {"process"}, event == "fault" ? Texts{"error"} : Texts{"info"}};
}

bool is_about_mail(std::string_view event) {
  return event == "transaction" || event == "recipient" || event == "connection";
}

class Translation {
 public:
  Translation(std::string_view event, const std::vector<LogField>& fields) : event_(event), fields_(fields) {}

  std::vector<Field> run() {
    made_.reserve(fields_.size() + 14);
    add("ecs.version", std::string(ecs_version));
    add("message", message());
    add("event.module", std::string("sallyport"));
    add("event.dataset", std::string("sallyport.log"));
    Category found = category_of(event_);
    add("event.kind", std::string(found.kind));
    add("event.category", std::move(found.category));
    add("event.type", std::move(found.type));
    add("event.action", std::string(event_));
    if (const auto outcome = outcome_of()) add("event.outcome", std::string(*outcome));
    if (is_about_mail(event_)) {
      add("network.transport", std::string("tcp"));
      add("network.protocol", std::string("smtp"));
    }
    for (const LogField& field : fields_) translate(field);
    return std::move(made_);
  }

 private:
  template <class T>
  void add(std::string key, T value) {
    made_.push_back({std::move(key), std::move(value)});
  }

  std::string_view text(std::string_view key) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(), [key](const auto& f) { return f.key == key; });
    if (found == fields_.end()) return {};
    const auto* value = std::get_if<std::string_view>(&found->value);
    return value != nullptr ? *value : std::string_view();
  }

  // A few words of ours for lists of lines; nothing of a peer's.
  std::string message() const {
    std::string words(event_);
    for (const char* key : {"verdict", "check", "kind"}) {
      if (const std::string_view word = text(key); !word.empty()) (words += ' ') += word;
    }
    return words;
  }

  bool is_relayed() const {
    const std::string_view verdict = text("verdict");
    return verdict == "relay" || verdict == "tag" || verdict == "quarantine";
  }

  std::optional<std::string_view> outcome_of() const {
    if (event_ == "fault") return "failure";
    if (!is_about_mail(event_)) return std::nullopt;
    return is_relayed() ? "success" : "failure";
  }

  void translate(const LogField& field) {
    const std::string_view key = field.key;
    if (const auto* list = std::get_if<LogList>(&field.value)) {
      if (!list->empty()) add(key == "to" ? "email.to.address" : own_name(key), Texts(list->begin(), list->end()));
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      translate_number(key, *number);
    } else if (const auto* fraction = std::get_if<double>(&field.value)) {
      add(own_name(key), *fraction);
    } else if (const auto* yes = std::get_if<bool>(&field.value)) {
      add(own_name(key), *yes);
    } else {
      translate_text(key, std::get<std::string_view>(field.value));
    }
  }

  void translate_number(std::string_view key, std::int64_t number) {
    constexpr std::int64_t nanoseconds_of_a_millisecond = 1'000'000;
    if (key == "ms") {
      add("event.duration", number * nanoseconds_of_a_millisecond);
    } else if (key == "code") {
      if (number != 0) add("event.code", std::to_string(number));  // a keyword
    } else {
      add(own_name(key), number);
    }
  }

  void translate_text(std::string_view key, std::string_view value) {
    if (key == "tls") return translate_tls(value);
    if (value.empty()) return;
    if (key == "from") return add("email.from.address", Texts{std::string(value)});
    if (event_ == "fault" && key == "kind") return add("error.type", std::string(value));
    if (event_ == "fault" && key == "detail") return add("error.message", std::string(value));
    const auto same = std::find_if(std::begin(same_values), std::end(same_values),
                                   [key](const auto& one) { return one.first == key; });
    add(same != std::end(same_values) ? std::string(same->second) : own_name(key), std::string(value));
  }

  // "TLSv1.3" is version 1.3 of the protocol tls.
  void translate_tls(std::string_view value) {
    constexpr std::string_view prefix = "TLSv";
    const bool is_used = value.starts_with(prefix);
    add("tls.established", is_used);
    if (!is_used) return;
    add("tls.version", std::string(value.substr(prefix.size())));
    add("tls.version_protocol", std::string("tls"));
  }

  std::string_view event_;
  const std::vector<LogField>& fields_;
  std::vector<Field> made_;
};

}  // namespace

std::string own_name(std::string_view key) { return "sallyport." + std::string(key); }

LogField view_of(const Field& field) {
  LogField view{field.key, std::int64_t{0}};
  std::visit(
      [&view](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          view.value = std::string_view(value);
        } else if constexpr (std::is_same_v<T, Texts>) {
          view.value = LogList(value);
        } else {
          view.value = value;
        }
      },
      field.value);
  return view;
}

std::vector<Field> fields_of(std::string_view event, const std::vector<LogField>& fields) {
  return Translation(event, fields).run();
}

}  // namespace sallyport::log_ecs
