// The verdict constructors: sp.reject, tempfail, discard, drop, tag, accept, hit. Arguments that would make a malformed
// reply or header field raise an error here, where the rule's line is known (threats.md L8).
#include <algorithm>
#include <cmath>
#include <string>

#include "gateway/base/text.h"
#include "lua/engine/arguments.h"
#include "lua/engine/objects.h"
#include "lua/engine/sp_library.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_text_octets = 400;
constexpr std::size_t most_field_octets = 900;  // a line may have 998 (RFC 5322, 2.1.1)
constexpr std::size_t most_prefix_octets = 100;

// Fields that mail programs, or servers on the way, act on. Adding another of these above the message would change what
// the checks have seen.
constexpr std::string_view reserved_fields[] = {"from",
                                                "sender",
                                                "reply-to",
                                                "to",
                                                "cc",
                                                "bcc",
                                                "subject",
                                                "date",
                                                "message-id",
                                                "mime-version",
                                                "return-path",
                                                "received",
                                                "received-spf",
                                                "dkim-signature",
                                                "authentication-results"};
constexpr std::string_view reserved_prefixes[] = {"content-", "arc-", "resent-", "x-sallyport-"};

bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), text::is_control); }

// RFC 3463: class.subject.detail, the class being that of the reply code.
bool is_status_code(std::string_view dsn, lua_Integer reply_class) {
  const auto parts = text::split(dsn, '.');
  if (parts.size() != 3 || parts[0] != std::to_string(reply_class)) return false;
  const auto is_number = [](std::string_view part) { return part.size() <= 3 && text::to_number(part).has_value(); };
  return is_number(parts[1]) && is_number(parts[2]);
}

// sp.reject(code, dsn, text) and sp.tempfail(code, dsn, text); each may be left out from the right.
int make_refusal(lua_State* L, RuleAnswer answer, lua_Integer reply_class, const char* default_text) {
  const lua_Integer code = luaL_optinteger(L, 1, reply_class == 5 ? 550 : 451);
  luaL_argcheck(L, code / 100 == reply_class, 1,
                reply_class == 5 ? "not a code from 500 to 599" : "not a code from 400 to 499");
  const std::string default_dsn = std::to_string(reply_class) + ".7.1";
  const std::string dsn(lua_isnoneornil(L, 2) ? std::string_view(default_dsn) : check_string(L, 2));
  luaL_argcheck(L, is_status_code(dsn, reply_class), 2, "not a status code of the reply code's class, like 5.7.1");
  const std::string_view text = lua_isnoneornil(L, 3) ? std::string_view(default_text) : check_string(L, 3);
  luaL_argcheck(L, text.size() <= most_text_octets, 3, "longer than 400 octets");
  luaL_argcheck(L, !has_control(text), 3, "has control characters");
  luaL_argcheck(L, lua_gettop(L) <= 3, 4, "too many arguments");

  RuleVerdict verdict;
  verdict.fact.answer = answer;
  verdict.fact.code = static_cast<int>(code);
  verdict.fact.dsn = dsn;
  verdict.fact.text = text::printable(text, most_text_octets);
  push_verdict(L, std::move(verdict));
  return 1;
}

int reject(lua_State* L) { return make_refusal(L, RuleAnswer::reject, 5, "Refused by local policy"); }
int tempfail(lua_State* L) { return make_refusal(L, RuleAnswer::tempfail, 4, "Refused for now by local policy"); }

int drop(lua_State* L) {
  luaL_argcheck(L, lua_gettop(L) == 0, 1, "sp.drop takes no arguments");
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::drop;
  push_verdict(L, std::move(verdict));
  return 1;
}

int discard(lua_State* L) {
  check_options(L, 1, {"reason"});
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::discard;
  verdict.fact.text = text::printable(optional_string(L, 1, "reason"), most_text_octets);
  push_verdict(L, std::move(verdict));
  return 1;
}

bool is_reserved(std::string_view name) {
  const std::string lower = text::to_lower(name);
  if (std::find(std::begin(reserved_fields), std::end(reserved_fields), lower) != std::end(reserved_fields))
    return true;
  return std::any_of(std::begin(reserved_prefixes), std::end(reserved_prefixes),
                     [&](std::string_view prefix) { return lower.starts_with(prefix); });
}

std::pair<std::string, std::string> check_field(lua_State* L, std::string_view name, std::string_view value) {
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return text::is_printable(c) && c != ' '; });
  if (name.empty() || !printable || name.find(':') != name.npos)
    luaL_error(L, "header: not the name of a header field");
  if (is_reserved(name)) luaL_error(L, "header: a rule cannot add this field");
  if (has_control(value)) luaL_error(L, "header: the value has control characters");
  if (!text::is_utf8(value)) luaL_error(L, "header: the value is not UTF-8");
  if (name.size() + value.size() > most_field_octets) luaL_error(L, "header: longer than 900 octets");
  return {std::string(name), std::string(value)};
}

// header = { name = "X-Spam", value = "yes" }, or "X-Spam: yes".
std::pair<std::string, std::string> check_header_option(lua_State* L, int table) {
  lua_getfield(L, table, "header");
  if (lua_istable(L, -1)) {
    const int field = lua_gettop(L);
    check_options(L, field, {"name", "value"});
    return check_field(L, optional_string(L, field, "name"), optional_string(L, field, "value"));
  }
  if (!is_text(L, -1)) luaL_error(L, "header: expected { name =, value = } or \"Name: value\"");
  const std::string_view field = to_text(L, -1);
  const std::size_t colon = field.find(':');
  if (colon == field.npos) luaL_error(L, "header: expected { name =, value = } or \"Name: value\"");
  return check_field(L, field.substr(0, colon), text::trim(field.substr(colon + 1)));
}

int tag(lua_State* L) {
  check_options(L, 1, {"header", "subject_prefix"});
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::tag;
  const std::string prefix = optional_string(L, 1, "subject_prefix");
  const bool printable = std::all_of(prefix.begin(), prefix.end(), [](char c) { return text::is_printable(c); });
  if (!printable || prefix.size() > most_prefix_octets) {
    luaL_error(L, "subject_prefix: expected at most 100 printable ASCII characters");
  }
  verdict.fact.subject_prefix = prefix;
  if (has_option(L, 1, "header")) verdict.fact.add_headers.push_back(check_header_option(L, 1));
  push_verdict(L, std::move(verdict));
  return 1;
}

int accept(lua_State* L) {
  check_options(L, 1, {"skip"});
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::accept;
  if (has_option(L, 1, "skip")) {
    lua_getfield(L, 1, "skip");
    if (!lua_istable(L, -1)) luaL_error(L, "skip: expected a list of checks, like { \"dnsbl\" }");
    const lua_Integer count = luaL_len(L, -1);
    if (count < 1 || count > 100) luaL_error(L, "skip: expected 1 to 100 names; leave it out to skip all checks");
    for (lua_Integer i = 1; i <= count; ++i) {
      lua_geti(L, -1, i);
      if (!is_text(L, -1) || !is_name(to_text(L, -1))) luaL_error(L, "skip: expected names of checks");
      verdict.fact.skip.emplace_back(to_text(L, -1));
      lua_pop(L, 1);
    }
  }
  push_verdict(L, std::move(verdict));
  return 1;
}

int hit(lua_State* L) {
  check_options(L, 1, {"score", "detail"});
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::hit;
  verdict.has_score = has_option(L, 1, "score");
  if (verdict.has_score) verdict.fact.score = check_number_option(L, 1, "score");
  verdict.fact.detail = text::printable(optional_string(L, 1, "detail"), most_text_octets);
  push_verdict(L, std::move(verdict));
  return 1;
}

}  // namespace

void add_verdicts(lua_State* L) {
  static const luaL_Reg functions[] = {
      {"accept", guarded<accept>},     {"discard", guarded<discard>},
      {"drop", guarded<drop>},         {"hit", guarded<hit>},
      {"reject", guarded<reject>},     {"tag", guarded<tag>},
      {"tempfail", guarded<tempfail>}, {nullptr, nullptr},
  };
  luaL_setfuncs(L, functions, 0);
}

}  // namespace sallyport::lua
