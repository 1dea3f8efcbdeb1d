#include "lua/engine/rule_mode.h"

#include <algorithm>
#include <cstdint>

#include "gateway/base/text.h"

namespace sallyport::lua {

namespace {

constexpr std::uint64_t whole = 100;

// From 0 to 99. FNV-1a, with a last mix, because ids of one second differ in their last characters only.
std::uint64_t hundredth_of(std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdU;
  hash ^= hash >> 33;
  return hash % whole;
}

Result<RuleMode> read_mode(std::string_view text, const settings::Reading& reading) {
  if (const auto mode = parse_rule_mode(text)) return *mode;
  return reading.wrong(text);
}

}  // namespace

std::optional<RuleMode> parse_rule_mode(std::string_view text) {
  if (const auto mode = from_word<policies::Mode>(text)) return RuleMode{*mode, whole};
  if (!text.ends_with('%')) return {};
  const auto percent = text::to_number(text.substr(0, text.size() - 1), whole);
  if (!percent) return {};
  if (*percent == 0) return RuleMode{policies::Mode::shadow, whole};
  return RuleMode{policies::Mode::enforce, static_cast<int>(*percent)};
}

std::string to_text(const RuleMode& mode) {
  if (mode.mode == policies::Mode::enforce && mode.percent < static_cast<int>(whole)) {
    return std::to_string(mode.percent) + "%";
  }
  return std::string(word(mode.mode));
}

RuleMode within(const RuleMode& rule, const RuleMode& all) {
  using policies::Mode;
  if (rule.mode == Mode::off || all.mode == Mode::off) return Mode::off;
  if (rule.mode == Mode::shadow || all.mode == Mode::shadow) return Mode::shadow;
  return {Mode::enforce, std::min(rule.percent, all.percent)};
}

bool is_shadow_for(const RuleMode& mode, std::string_view mail_id) {
  if (mode.mode != policies::Mode::enforce) return mode.mode == policies::Mode::shadow;
  return mode.percent < static_cast<int>(whole) && hundredth_of(mail_id) >= static_cast<std::uint64_t>(mode.percent);
}

constinit const settings::TypeOf<RuleMode> rule_mode_type = settings::text_type<RuleMode, read_mode, to_text>(
    "mode of rules", R"("enforce", "shadow", "off" or a percentage of mails like "10%")",
    R"({"type": "string", "pattern": "^(enforce|shadow|off|(100|[0-9]{1,2})%)$"})");

}  // namespace sallyport::lua
