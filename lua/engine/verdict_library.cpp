// The verdict constructors: sp.reject, tempfail, discard, drop, quarantine, redirect, override, tag, accept, hit.
// Arguments that would make a malformed reply or header field raise an error here, where the rule's line is known
// (threats.md L8).
#include <algorithm>
#include <new>
#include <string>

#include "gateway/base/text.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/header_fields.h"
#include "lua/engine/objects.h"
#include "lua/engine/registration.h"
#include "lua/engine/rule.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_text_octets = 400;

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
  const std::string default_dsn = std::to_string(reply_class) + ".7.1";
  const std::string dsn(lua_isnil(L, 2) ? std::string_view(default_dsn) : to_text(L, 2));
  luaL_argcheck(L, is_status_code(dsn, reply_class), 2, "not a status code of the reply code's class, like 5.7.1");

  RuleVerdict verdict;
  verdict.fact.answer = answer;
  verdict.fact.code = static_cast<int>(code);
  verdict.fact.dsn = dsn;
  verdict.fact.text = text::printable(lua_isnil(L, 3) ? default_text : to_text(L, 3), most_text_octets);
  push_verdict(L, std::move(verdict));
  return 1;
}

int reject(lua_State* L) { return make_refusal(L, RuleAnswer::reject, 5, "Refused by local policy"); }
int tempfail(lua_State* L) { return make_refusal(L, RuleAnswer::tempfail, 4, "Refused for now by local policy"); }

int drop(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::drop;
  push_verdict(L, std::move(verdict));
  return 1;
}

int discard(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::discard;
  if (!lua_isnil(L, 1)) verdict.fact.text = text::printable(optional_string(L, 1, "reason"), most_text_octets);
  push_verdict(L, std::move(verdict));
  return 1;
}

constexpr Argument header_fields[] = {
    {"name", Kind::field_name, "Its name."},
    {"value", Kind::text, "Its value, in UTF-8.", true, 0, most_field_octets},
};
constexpr Argument header_table{.name = "header", .kind = Kind::table, .fields = header_fields};

// header = { name = "X-Spam", value = "yes" }, or "X-Spam: yes".
std::pair<std::string, std::string> check_header_option(lua_State* L, int table) {
  push_option(L, table, "header");
  if (lua_istable(L, -1)) {
    const int field = lua_gettop(L);
    if (const std::string objection = objection_to(L, field, header_table); !objection.empty())
      luaL_error(L, "header: %s", objection.c_str());
    return checked_field(L, "header", optional_string(L, field, "name"), optional_string(L, field, "value"));
  }
  if (!is_text(L, -1)) luaL_error(L, "header: expected { name =, value = } or \"Name: value\"");
  const std::string_view field = to_text(L, -1);
  const std::size_t colon = field.find(':');
  if (colon == field.npos) luaL_error(L, "header: expected { name =, value = } or \"Name: value\"");
  return checked_field(L, "header", field.substr(0, colon), text::trim(field.substr(colon + 1)));
}

int tag(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::tag;
  if (!lua_isnil(L, 1)) {
    const std::string prefix = optional_string(L, 1, "subject_prefix");
    if (!text::is_utf8(prefix)) luaL_error(L, "subject_prefix: not UTF-8");
    verdict.fact.subject_prefix = prefix;
    if (has_option(L, 1, "header")) verdict.fact.add_headers.push_back(check_header_option(L, 1));
  }
  push_verdict(L, std::move(verdict));
  return 1;
}

// A check or upstream that does not exist is a mistake: the verdict would change nothing.
void check_is_known(lua_State* L, const char* option, const KnownNames& names, std::string_view name) {
  if (!is_name(name)) luaL_error(L, "%s: expected a name", option);
  if (!names.has(name)) {
    push(L, names.complaint_about(name));
    luaL_error(L, "%s: %s", option, lua_tostring(L, -1));
  }
}

int quarantine(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::quarantine;
  if (!lua_isnil(L, 1)) verdict.fact.text = text::printable(optional_string(L, 1, "reason"), most_text_octets);
  push_verdict(L, std::move(verdict));
  return 1;
}

int redirect(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::redirect;
  verdict.fact.redirect = optional_string(L, 1, "upstream");
  check_is_known(L, "upstream", Context::of(L).upstreams, verdict.fact.redirect);
  push_verdict(L, std::move(verdict));
  return 1;
}

// What an override may make of a verdict, by the words of the log.
struct Milder {
  std::string_view word;
  policies::Action action;
};
constexpr Milder milder[] = {{"relay", policies::Action::none},
                             {"tag", policies::Action::tag},
                             {"quarantine", policies::Action::quarantine},
                             {"tempfail", policies::Action::tempfail}};

int override_check(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::override_check;
  verdict.fact.override_check = optional_string(L, 1, "check");
  check_is_known(L, "check", Context::of(L).checks, verdict.fact.override_check);
  if (verdict.fact.override_check == "rules") luaL_error(L, "check: a rule cannot override rules");
  const std::string to = optional_string(L, 1, "to");
  const auto found =
      std::find_if(std::begin(milder), std::end(milder), [&](const Milder& one) { return one.word == to; });
  if (found == std::end(milder)) luaL_error(L, "to: expected one of relay, tag, quarantine, tempfail");
  verdict.fact.override_to = found->action;
  verdict.fact.text = text::printable(optional_string(L, 1, "reason"), most_text_octets);
  push_verdict(L, std::move(verdict));
  return 1;
}

int accept(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::accept;
  if (!lua_isnil(L, 1) && has_option(L, 1, "skip")) {
    const lua_Integer count = push_list_option(L, 1, "skip");
    for (lua_Integer i = 1; i <= count; ++i) {
      lua_rawgeti(L, -1, i);
      check_is_known(L, "skip", Context::of(L).checks, to_text(L, -1));
      verdict.fact.skip.emplace_back(to_text(L, -1));
      lua_pop(L, 1);
    }
  }
  push_verdict(L, std::move(verdict));
  return 1;
}

int hit(lua_State* L) {
  RuleVerdict verdict;
  verdict.fact.answer = RuleAnswer::hit;
  if (!lua_isnil(L, 1)) {
    verdict.has_score = push_option(L, 1, "score") != LUA_TNIL;
    if (verdict.has_score) verdict.fact.score = lua_tonumber(L, -1);
    verdict.fact.detail = text::printable(optional_string(L, 1, "detail"), most_text_octets);
  }
  push_verdict(L, std::move(verdict));
  return 1;
}

int destroy_verdict(lua_State* L) {
  static_cast<RuleVerdict*>(lua_touserdata(L, 1))->~RuleVerdict();
  return 0;
}

constexpr Argument discard_options[] = {{"reason", Kind::text, "For the log.", false}};
constexpr Argument quarantine_options[] = {{"reason", Kind::text, "For the log and X-Sallyport-Quarantine.", false}};
constexpr Argument redirect_options[] = {{"upstream", Kind::line, "The name of an upstream of the configuration."}};
constexpr Argument override_options[] = {
    {"check", Kind::line, "The check; not `rules`."},
    {"to", Kind::line, "`\"relay\"`, `\"tag\"`, `\"quarantine\"` or `\"tempfail\"`."},
    {"reason", Kind::text, "For the log.", false},
};
constexpr Argument tag_options[] = {
    {.name = "header",
     .kind = Kind::any,
     .about = "A field to add: `\"X-Name: value\"` or `{ name =, value = }`.",
     .required = false,
     .type = "string|{ name: string, value: string }"},
    {.name = "subject_prefix",
     .kind = Kind::line,
     .about = "UTF-8 that is put before the subject, where readers do not see it there already.",
     .required = false,
     .most = 100},
};
constexpr Argument accept_options[] = {
    {.name = "skip",
     .kind = Kind::list,
     .about = "The checks that no longer count. Without it: none of them does.",
     .required = false,
     .least = 1,
     .most = 100,
     .items = Kind::line},
};
constexpr Argument hit_options[] = {
    {"score", Kind::number, "Stands for the rule's own score.", false, -most_score, most_score},
    {"detail", Kind::text, "For the log and `explain`.", false},
};
constexpr Argument reply_text{.name = "text",
                              .kind = Kind::line,
                              .about = "Of the reply; characters that are not ASCII become `?`.",
                              .required = false,
                              .most = most_text_octets};
constexpr Returned a_verdict{"verdict", "verdict"};

constexpr Function functions[] = {
    {.name = "hit",
     .about = "Adds to the mail's score.",
     .call = hit,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = hit_options}}},
     .returns = {{a_verdict}}},
    {.name = "reject",
     .about = "Refuses the mail for good.",
     .call = reject,
     .arguments = {{{"code", Kind::integer, "The reply code; 550 where it is left out.", false, 500, 599},
                    {"dsn", Kind::line, "The enhanced status code, of class 5; `\"5.7.1\"`.", false, 0, 20},
                    reply_text}},
     .returns = {{a_verdict}}},
    {.name = "tempfail",
     .about = "Refuses the mail for now. The code 421 ends the connection.",
     .call = tempfail,
     .arguments = {{{"code", Kind::integer, "The reply code; 451 where it is left out.", false, 400, 499},
                    {"dsn", Kind::line, "The enhanced status code, of class 4; `\"4.7.1\"`.", false, 0, 20},
                    reply_text}},
     .returns = {{a_verdict}}},
    {.name = "drop", .about = "Ends the connection.", .call = drop, .returns = {{a_verdict}}},
    {.name = "discard",
     .about = "Takes the mail and throws it away.",
     .call = discard,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = discard_options}}},
     .returns = {{a_verdict}}},
    {.name = "quarantine",
     .about = "Sets the mail aside: as long as there is no quarantine, it is relayed with X-Sallyport-Quarantine.",
     .call = quarantine,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = quarantine_options}}},
     .returns = {{a_verdict}}},
    {.name = "redirect",
     .about = "Sends the mail to another upstream than its tenant's, if it is no other tenant's.",
     .call = redirect,
     .arguments = {{{.name = "options", .kind = Kind::table, .fields = redirect_options}}},
     .returns = {{a_verdict}}},
    {.name = "override",
     .about = "What a check says of this mail does no more than `to`. Scores stay, and nothing becomes stricter.",
     .call = override_check,
     .arguments = {{{.name = "options", .kind = Kind::table, .fields = override_options}}},
     .returns = {{a_verdict}}},
    {.name = "tag",
     .about =
         "Lets the mail pass, marked. A field is at most 900 octets, and not one that readers or servers act upon.",
     .call = tag,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = tag_options}}},
     .returns = {{a_verdict}}},
    {.name = "accept",
     .about = "Takes other checks out of the count for this mail.",
     .call = accept,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = accept_options}}},
     .returns = {{a_verdict}}},
};

}  // namespace

const Library verdict_library{
    .path = "sp", .about = "Verdicts, to be returned by a rule's `run`.", .functions = functions};

const ObjectType verdict_type{
    .name = "verdict",
    .about = "What `sp.hit`, `sp.reject` and the like give; it has no fields.",
    .is_constant = true,
    .destroy = destroy_verdict,
};

void push_verdict(lua_State* L, RuleVerdict verdict) {
  new (lua_newuserdatauv(L, sizeof(RuleVerdict), 0)) RuleVerdict(std::move(verdict));
  set_object_type(L, verdict_type);
}

const RuleVerdict* to_verdict(lua_State* L, int index) {
  return is_object(L, index, verdict_type) ? static_cast<const RuleVerdict*>(lua_touserdata(L, index)) : nullptr;
}

}  // namespace sallyport::lua
