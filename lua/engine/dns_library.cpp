// sp.dns: questions to the DNS, asked through the gateway's resolver and counted against the mail's budget of
// questions.
//
// Each function gives a value, or nil: nil alone means that there is nothing of that kind, nil and an error that it
// could not be found out. Questions and answers go into the facts, so that a verdict can be explained and replayed.
#include <algorithm>
#include <string>
#include <utility>

#include "gateway/base/a_labels.h"
#include "gateway/base/address.h"
#include "gateway/base/text.h"
#include "gateway/dns/reverse_name.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/waiting.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_name_octets = 253;

// Pushes what the answer comes to as the first value: the answer has records.
using PushRecords = void (*)(lua_State* L, const dns::Answer& answer);

class DnsRequest : public Request {
 public:
  DnsRequest(dns::Question question, PushRecords push_records)
      : question_(std::move(question)), push_records_(push_records) {}

  Task<void> ask(const policies::GatherContext& context) override {
    answer_ = co_await context.resolver.lookup(question_, context.deadline);
  }
  int push(lua_State* L) override {
    Context::of(L).meter.spend(L, 1 + answer_.records.size());
    if (answer_.found()) {
      push_records_(L, answer_);
    } else {
      lua_pushnil(L);
    }
    answer_.failed() ? lua::push(L, dns::name(answer_.status)) : lua_pushnil(L);
    lua::push(L, dns::name(answer_.status));
    return 3;
  }
  void record(std::vector<dns::Evidence>& evidence) const override { evidence.push_back({question_, answer_}); }

 protected:
  const dns::Answer& answer() const { return answer_; }

 private:
  dns::Question question_;
  PushRecords push_records_;
  dns::Answer answer_;
};

void push_texts(lua_State* L, const dns::Answer& answer) {
  lua_createtable(L, static_cast<int>(answer.records.size()), 0);
  lua_Integer count = 0;
  for (const dns::RecordData& record : answer.records) {
    const auto* text = std::get_if<std::string>(&record);
    text ? push(L, *text) : push(L, dns::to_string(record));
    lua_rawseti(L, -2, ++count);
  }
}

void push_exchanges(lua_State* L, const dns::Answer& answer) {
  std::vector<dns::Mx> exchanges;
  for (const dns::RecordData& record : answer.records) {
    if (const auto* mx = std::get_if<dns::Mx>(&record)) exchanges.push_back(*mx);
  }
  std::stable_sort(exchanges.begin(), exchanges.end(),
                   [](const dns::Mx& a, const dns::Mx& b) { return a.preference < b.preference; });
  lua_createtable(L, static_cast<int>(exchanges.size()), 0);
  lua_Integer count = 0;
  for (const dns::Mx& mx : exchanges) {
    lua_createtable(L, 0, 2);
    push(L, mx.exchange);
    lua_setfield(L, -2, "host");
    lua_pushinteger(L, mx.preference);
    lua_setfield(L, -2, "preference");
    lua_rawseti(L, -2, ++count);
  }
}

// Gives the name at `index`, which has been checked, as it is asked for.
std::string query_name(lua_State* L, int index) {
  std::string_view name = to_text(L, index);
  if (name.ends_with('.')) name.remove_suffix(1);
  if (text::is_ascii(name)) return text::to_lower(name);
  auto labels = to_a_labels(name);
  if (!labels) luaL_argerror(L, index, "not a domain name");
  return std::move(*labels);
}

int ask_about(lua_State* L, dns::Type type, PushRecords push_records) {
  return wait_for(L, std::make_unique<DnsRequest>(dns::Question{query_name(L, 1), type}, push_records));
}

int a(lua_State* L) { return ask_about(L, dns::Type::A, push_texts); }
int aaaa(lua_State* L) { return ask_about(L, dns::Type::AAAA, push_texts); }
int mx(lua_State* L) { return ask_about(L, dns::Type::MX, push_exchanges); }
int txt(lua_State* L) { return ask_about(L, dns::Type::TXT, push_texts); }

int ptr(lua_State* L) {
  const auto address = IpAddress::parse(to_text(L, 1));
  luaL_argcheck(L, address.has_value(), 1, "not an IP address");
  return wait_for(L,
                  std::make_unique<DnsRequest>(dns::Question{dns::reverse_name(*address), dns::Type::PTR}, push_texts));
}

// -- lists

// A code that means a listing: 127.0.0.0/8, but neither 127.0.0.1 nor 127.255.255.x, with which lists report errors
// (threats.md D8).
bool is_listing_code(const IpAddress& code) {
  const std::string_view octets = code.octets();
  if (octets.size() != 4 || octets[0] != 127) return false;
  return code.to_string() != "127.0.0.1" && !(octets[1] == '\xff' && octets[2] == '\xff');
}

bool is_listing(const dns::RecordData& record) {
  const auto* code = std::get_if<IpAddress>(&record);
  return code && is_listing_code(*code);
}

class ListRequest final : public DnsRequest {
 public:
  // `shown` is the name of the question without whatever may be a key in the zone.
  ListRequest(dns::Question question, std::string shown)
      : DnsRequest({question.name, question.type}, nullptr), shown_{std::move(shown), question.type} {}

  int push(lua_State* L) override {
    const bool is_error =
        answer().failed() || !std::all_of(answer().records.begin(), answer().records.end(), is_listing);
    if (is_error || answer().records.empty()) {
      lua_pushnil(L);
      if (!is_error) {
        lua_pushnil(L);
      } else {
        lua::push(L, answer().failed() ? dns::name(answer().status) : "list_error");
      }
      return 2;
    }
    lua_createtable(L, static_cast<int>(answer().records.size()), 0);
    lua_Integer count = 0;
    for (const dns::RecordData& record : answer().records) {
      lua::push(L, std::get<IpAddress>(record).to_string());
      lua_rawseti(L, -2, ++count);
    }
    lua_rawgeti(L, -1, 1);
    lua_pushnil(L);
    lua_pushvalue(L, -3);
    return 3;
  }
  void record(std::vector<dns::Evidence>& evidence) const override { evidence.push_back({shown_, answer()}); }

 private:
  dns::Question shown_;
};

int listed(lua_State* L) {
  const std::string zone = query_name(L, 2);
  std::string prefix;
  if (const auto address = IpAddress::parse(to_text(L, 1))) {
    prefix = dns::reverse_labels(address->octets());
  } else {
    luaL_argcheck(L, is_domain(to_text(L, 1)), 1, "not an IP address or a domain name");
    prefix = query_name(L, 1) + ".";
  }
  if (prefix.size() + zone.size() > most_name_octets) {
    lua_pushnil(L);
    lua_pushliteral(L, "name_too_long");
    return 2;
  }
  check_can_wait(L);
  dns::Question question{prefix + zone, dns::Type::A};
  std::string shown = prefix + Context::of(L).notes->public_zone_name(zone);
  return wait_for(L, std::make_unique<ListRequest>(std::move(question), std::move(shown)));
}

constexpr Argument asked_name{"name", Kind::domain, "What is asked for."};
constexpr Returned failure{"string?", "err", "why it could not be found out: `timeout`, `servfail`, `budget`"};
constexpr Returned status{"string", "status",
                          "`ok`, `no_data` (no such record), `nxdomain` (no such name), or what `err` says"};

constexpr Function functions[] = {
    {.name = "a",
     .about = "The IPv4 addresses of a name.",
     .call = a,
     .arguments = {{asked_name}},
     .returns = {{{"string[]?", "addresses", "nil: none"}, failure, status}},
     .waits = true},
    {.name = "aaaa",
     .about = "The IPv6 addresses of a name.",
     .call = aaaa,
     .arguments = {{asked_name}},
     .returns = {{{"string[]?", "addresses", "nil: none"}, failure, status}},
     .waits = true},
    {.name = "mx",
     .about = "The mail exchangers of a domain, the preferred one first. The host of a null MX (RFC 7505) is `\"\"`.",
     .call = mx,
     .arguments = {{asked_name}},
     .returns = {{{"{ host: string, preference: integer }[]?", "exchangers", "nil: none"}, failure, status}},
     .waits = true},
    {.name = "txt",
     .about = "The texts of a name, the strings of a record joined.",
     .call = txt,
     .arguments = {{asked_name}},
     .returns = {{{"string[]?", "texts", "nil: none"}, failure, status}},
     .waits = true},
    {.name = "ptr",
     .about = "The names of an address, which nobody has confirmed.",
     .call = ptr,
     .arguments = {{{"ip", Kind::ip, "The address."}}},
     .returns = {{{"string[]?", "names", "nil: none"}, failure, status}},
     .waits = true},
    {.name = "listed",
     .about = "Whether a DNS list has an address or a domain. A key in the name of the zone is not recorded.",
     .call = listed,
     .arguments = {{{"what", Kind::line, "An IP address or a domain.", true, 0, most_name_octets},
                    {"zone", Kind::domain, "The list, such as `\"dbl.example\"`."}}},
     .returns = {{{"string?", "code", "the first code of the list, such as `\"127.0.0.2\"`; nil: not listed"},
                  {"string?", "err",
                   "why it could not be found out: `timeout`, `servfail`, `budget`, `name_too_long`, `list_error` (an "
                   "answer that is no listing, as lists give to those whom they refuse)"},
                  {"string[]?", "codes", "all its codes"}}},
     .waits = true},
};

}  // namespace

const Library dns_library{
    .path = "sp.dns",
    .about = "Questions to the DNS, within the mail's deadline and its number of questions (`limits.dns_per_message`).",
    .functions = functions};

}  // namespace sallyport::lua
