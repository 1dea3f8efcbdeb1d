#include "policies/lists/setting_types.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/settings/value_types.h"
#include "policies/lists/list_name.h"
#include "policies/lists/list_text.h"

namespace sallyport::policies {

namespace {

Result<ReplyRange> read_reply_range(std::string_view text, const settings::Reading& reading) {
  if (auto range = parse_reply_range(text)) return *range;
  // threats.md D8: codes outside 127/8, and those that lists use for errors, are never a hit.
  if (IpAddress::parse(text.substr(0, text.find('-'))))
    return Failure{settings::quote(text) +
                   " holds no answer that may count as a hit: those are in 127.0.0.2-127.255.254.255"};
  return reading.wrong(text);
}

std::string reply_range_text(const ReplyRange& range) {
  if (range.first == range.last) return range.first.to_string();
  return range.first.to_string() + "-" + range.last.to_string();
}

// Adds one entry of `codes`; false when it is wrong.
bool read_code(const settings::Member& member, const settings::Reading& reading, std::vector<CodeScore>& codes) {
  const Result<ReplyRange> range = read_reply_range(member.key, reading);
  if (!range) {
    reading.errors.push_back({member.at, range.error().message});
    return false;
  }
  const bool is_known =
      std::any_of(codes.begin(), codes.end(), [&range](const CodeScore& known) { return known.codes == *range; });
  if (is_known) {
    reading.errors.push_back({member.at, settings::quote(member.key) + " is named twice"});
    return false;
  }
  const settings::Node& score = member.value;
  const bool is_number = score.kind == settings::Node::Kind::number || score.kind == settings::Node::Kind::integer;
  if (!is_number) {
    return reading.fail(score, "expected the score of " + settings::quote(member.key) + ", a number, not " +
                                   std::string(settings::describe(score.kind)));
  }
  if (!(score.number >= -1000 && score.number <= 1000)) {
    return reading.fail(score, "the score of " + settings::quote(member.key) + " is out of range: -1000 to 1000");
  }
  codes.push_back({*range, score.number});
  return true;
}

bool read_codes(const settings::Node& node, const settings::Reading& reading, void* value) {
  if (node.kind != settings::Node::Kind::table) return reading.mismatch(node);
  std::vector<CodeScore> codes;
  bool good = true;
  for (const settings::Member& member : node.members) good = read_code(member, reading, codes) && good;
  return good && settings::give(std::move(codes), value);
}

std::string codes_to_toml(const void* value) {
  std::string text;
  for (const CodeScore& one : *static_cast<const std::vector<CodeScore>*>(value)) {
    text += text.empty() ? "{ " : ", ";
    text += settings::quote(reply_range_text(one.codes)) + " = " + settings::type::number.to_toml(&one.score);
  }
  return text.empty() ? "{}" : text + " }";
}

Result<std::string> read_list_name(std::string_view name, const settings::Reading& reading) {
  const bool fits = !name.empty() && name.size() <= max_list_name && std::all_of(name.begin(), name.end(), [](char c) {
    return text::is_alnum(c) || c == '.' || c == '-' || c == '_';
  });
  if (fits) return std::string(name);
  return reading.wrong(name);
}

Result<std::string> read_list_text(std::string_view text, const settings::Reading&) {
  if (auto wrong = objection_to_list_text(text)) return Failure{std::move(*wrong)};
  return std::string(text);
}

std::string same_text(const std::string& text) { return text; }

// True and false were the only values once.
bool read_self_test(const settings::Node& node, const settings::Reading& reading, void* value) {
  if (node.kind == settings::Node::Kind::boolean) {
    return settings::give(node.boolean ? SelfTest::on : SelfTest::off, value);
  }
  return settings::word_type<SelfTest>.read(node, reading, value);
}

}  // namespace

namespace list_types {

constinit const settings::TypeOf<std::vector<ReplyRange>> reply_ranges =
    settings::list_type<ReplyRange, read_reply_range, reply_range_text>(
        "list of reply ranges", R"(a list of replies like ["127.0.0.2", "127.0.0.4-127.0.0.11"])",
        R"({"type": "array", "items": {"type": "string", "minLength": 1}})");

constinit const settings::TypeOf<std::vector<CodeScore>> code_scores{
    {"scores by code",
     settings::Form::other,
     R"(a table of scores by reply like { "127.0.0.2-127.0.0.3" = 8.0, "127.0.0.10" = 3.0 })",
     {},
     R"({"type": "object", "additionalProperties": {"type": "number", "minimum": -1000, "maximum": 1000}})",
     read_codes,
     codes_to_toml}};

constinit const settings::TypeOf<std::string> list_name = settings::text_type<std::string, read_list_name, same_text>(
    "name of a list", R"(a name of letters, digits, ".", "-" and "_", 63 at most)",
    R"({"type": "string", "pattern": "^[A-Za-z0-9._-]{0,63}$"})");

constinit const settings::TypeOf<std::string> list_text = settings::text_type<std::string, read_list_text, same_text>(
    "text of a reply", R"(a text like "Listed by {list}, see https://example.net/?ip={ip}")",
    R"({"type": "string", "maxLength": 300})");

constinit const settings::TypeOf<SelfTest> self_test{
    {"word", settings::Form::text, {}, words_of<SelfTest>, {}, read_self_test, [](const void* value) {
       return settings::quote(word(*static_cast<const SelfTest*>(value)));
     }}};

}  // namespace list_types

}  // namespace sallyport::policies
