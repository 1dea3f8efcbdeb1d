#include "lua/engine/objects.h"

#include <array>
#include <new>
#include <span>
#include <string>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "lua/engine/context.h"

namespace sallyport::lua {

namespace {

constexpr const char* transaction_type = "sallyport.tx";
constexpr const char* client_type = "sallyport.client";
constexpr const char* tls_type = "sallyport.tls";
constexpr const char* message_type = "sallyport.msg";
constexpr const char* auth_type = "sallyport.auth";
constexpr const char* address_type = "sallyport.address";
constexpr const char* verdict_type = "sallyport.verdict";

// tx, tx.client, tx.client.tls, tx.auth and tx.msg are all Handles to the same mail; only their metatables differ.
struct Handle {
  const policies::Transaction* mail;
  std::uint64_t run;
};

void push_handle(lua_State* L, const policies::Transaction& mail, const char* type) {
  auto* handle = static_cast<Handle*>(lua_newuserdatauv(L, sizeof(Handle), 0));
  *handle = {&mail, Context::of(L).run};
  luaL_setmetatable(L, type);
}

const policies::Transaction& mail_of(lua_State* L, const Handle& handle) {
  if (handle.run != Context::of(L).run) luaL_error(L, "this value belongs to a mail that is over");
  return *handle.mail;
}

// Gives the first header field with this name, or null. Charges the run for the search and for decoding the value
// later.
const mail::HeaderField* find_field(lua_State* L, const policies::Transaction& mail, std::string_view name) {
  const mail::HeaderSection& section = mail.message->header();
  const mail::HeaderField* field = section.find(name);
  Context::of(L).meter.spend(L, 1 + section.fields().size() + (field ? field->value.size() : 0));
  return field;
}

void push_or_nil(lua_State* L, std::string_view text) {
  if (text.empty()) {
    lua_pushnil(L);
  } else {
    push(L, text);
  }
}

// -- addresses

enum AddressPart : int { addr_part = 1, user_part, domain_part };

void push_address(lua_State* L, std::string_view addr, std::string_view user, std::string_view domain) {
  lua_newuserdatauv(L, 0, 3);
  push(L, addr);
  lua_setiuservalue(L, -2, addr_part);
  push(L, user);
  lua_setiuservalue(L, -2, user_part);
  push(L, domain);
  lua_setiuservalue(L, -2, domain_part);
  luaL_setmetatable(L, address_type);
}

void push_address(lua_State* L, const MailAddress& address) {
  push_address(L, address.to_string(), address.local, address.domain);
}

// Pushes the first mailbox of a field of the message, or nil.
void push_mailbox(lua_State* L, const policies::Transaction& mail, std::string_view field_name) {
  const mail::HeaderField* field = find_field(L, mail, field_name);
  const std::string addr = field ? mail::first_address(field->value) : std::string();
  if (addr.empty()) {
    lua_pushnil(L);
    return;
  }
  const std::size_t at = addr.rfind('@');
  const bool has_domain = at != std::string::npos;
  const std::string domain = has_domain ? text::to_lower(std::string_view(addr).substr(at + 1)) : std::string();
  push_address(L, addr, std::string_view(addr).substr(0, at), domain);
}

int index_address(lua_State* L) {
  const std::string_view name = is_text(L, 2) ? to_text(L, 2) : std::string_view();
  const int part = name == "addr" ? addr_part : name == "user" ? user_part : name == "domain" ? domain_part : 0;
  if (part == 0) raise_unknown(L, "address", name, name == "org_domain", {"addr", "user", "domain"});
  lua_getiuservalue(L, 1, part);
  return 1;
}

int address_to_string(lua_State* L) {
  luaL_checkudata(L, 1, address_type);
  lua_getiuservalue(L, 1, addr_part);
  return 1;
}

// -- fields

using Transaction = policies::Transaction;

struct Field {
  std::string_view name;
  void (*push)(lua_State* L, const Transaction& mail);  // null: planned
};

constexpr std::string_view header_name_excluded = ": \t";

// Checks argument 2 of tx.msg:header() and tx.msg:headers().
std::string_view check_header_name(lua_State* L) {
  luaL_argexpected(L, is_text(L, 2), 2, "the name of a header field");
  const std::string_view name = to_text(L, 2);
  bool valid = !name.empty() && name.size() <= 255 && name.find_first_of(header_name_excluded) == name.npos;
  for (char c : name) valid = valid && text::is_printable(c);
  luaL_argcheck(L, valid, 2, "not the name of a header field");
  return name;
}

const Transaction& check_message(lua_State* L) {
  return mail_of(L, *static_cast<const Handle*>(luaL_checkudata(L, 1, message_type)));
}

mail::DecodedText decode(const Transaction& mail, const mail::HeaderField& field) {
  return mail::decode_text(field.value, mail::declared_charset(mail.message->header()));
}

int header(lua_State* L) {
  const Transaction& mail = check_message(L);
  if (const mail::HeaderField* field = find_field(L, mail, check_header_name(L))) {
    push(L, decode(mail, *field).text);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

// What could not be decoded of the first such field, in words, or nil.
int header_problem(lua_State* L) {
  const Transaction& mail = check_message(L);
  const mail::HeaderField* field = find_field(L, mail, check_header_name(L));
  push_or_nil(L, field ? decode(mail, *field).problem : std::string());
  return 1;
}

int headers(lua_State* L) {
  const Transaction& mail = check_message(L);
  lua_Integer count = 0;
  const std::string_view name = check_header_name(L);
  lua_newtable(L);
  for (const mail::HeaderField* field : mail.message->header().find_all(name)) {
    Context::of(L).meter.spend(L, 1 + field->value.size());
    push(L, decode(mail, *field).text);
    lua_seti(L, -2, ++count);
  }
  return 1;
}

constexpr Field transaction_fields[] = {
    {"client", [](lua_State* L, const Transaction& mail) { push_handle(L, mail, client_type); }},
    {"from", [](lua_State* L, const Transaction& mail) { mail.from ? push_address(L, *mail.from) : lua_pushnil(L); }},
    {"rcpt", [](lua_State* L, const Transaction& mail) { mail.rcpt ? push_address(L, *mail.rcpt) : lua_pushnil(L); }},
    {"msg",
     [](lua_State* L, const Transaction& mail) { mail.message ? push_handle(L, mail, message_type) : lua_pushnil(L); }},
    {"rcpts",
     [](lua_State* L, const Transaction& mail) {
       lua_createtable(L, static_cast<int>(mail.rcpts.size()), 0);
       lua_Integer count = 0;
       for (const MailAddress& rcpt : mail.rcpts) {
         Context::of(L).meter.spend(L, 1);
         push_address(L, rcpt);
         lua_seti(L, -2, ++count);
       }
     }},
    {"id", [](lua_State* L, const Transaction& mail) { push(L, mail.id); }},
    {"tenant", [](lua_State* L, const Transaction& mail) { push_or_nil(L, mail.tenant.name); }},
    {"now",
     [](lua_State* L, const Transaction& mail) { lua_pushinteger(L, std::chrono::system_clock::to_time_t(mail.now)); }},
    {"score", nullptr},
    {"auth", [](lua_State* L, const Transaction& mail) { push_handle(L, mail, auth_type); }},
};

// What the policies before the rules have found out; computed at most once in each run.
const policies::Findings& findings(lua_State* L) {
  Context& context = Context::of(L);
  if (!context.findings) {
    context.findings = context.facts->tell();
    context.meter.spend(L, 1 + context.findings->evidence.size());
  }
  return *context.findings;
}

// Pushes the result of an authentication method in RFC 8601's words, or nil when the method was not used.
void push_result(lua_State* L, std::string_view method) {
  for (const auto& [name, result] : findings(L).words) {
    if (name == method) return push_or_nil(L, result);
  }
  lua_pushnil(L);
}

// The client's confirmed name: as the session knows it, else as the rdns policy has confirmed it, else empty.
std::string_view client_name(lua_State* L, const Transaction& mail) {
  return mail.client.rdns.empty() ? findings(L).client_name : mail.client.rdns;
}

constexpr Field auth_fields[] = {
    {"spf", [](lua_State* L, const Transaction&) { push_result(L, "spf"); }},
    {"dkim", [](lua_State* L, const Transaction&) { push_result(L, "dkim"); }},
    {"dmarc", [](lua_State* L, const Transaction&) { push_result(L, "dmarc"); }},
    {"arc", [](lua_State* L, const Transaction&) { push_result(L, "arc"); }},
};

constexpr Field client_fields[] = {
    {"ip", [](lua_State* L, const Transaction& mail) { push(L, mail.client.ip.to_string()); }},
    {"port", [](lua_State* L, const Transaction& mail) { lua_pushinteger(L, mail.client.port); }},
    {"helo", [](lua_State* L, const Transaction& mail) { push_or_nil(L, mail.client.helo); }},
    {"rdns", [](lua_State* L, const Transaction& mail) { push_or_nil(L, client_name(L, mail)); }},
    {"fcrdns",
     [](lua_State* L, const Transaction& mail) {
       lua_pushboolean(L, mail.client.fcrdns || !findings(L).client_name.empty());
     }},
    {"tls",
     [](lua_State* L, const Transaction& mail) { mail.client.tls ? push_handle(L, mail, tls_type) : lua_pushnil(L); }},
};

constexpr Field tls_fields[] = {
    {"version", [](lua_State* L, const Transaction& mail) { push(L, mail.client.tls->version); }},
    {"cipher", [](lua_State* L, const Transaction& mail) { push(L, mail.client.tls->cipher); }},
    {"bits", [](lua_State* L, const Transaction& mail) { lua_pushinteger(L, mail.client.tls->bits); }},
    {"verified",
     [](lua_State* L, const Transaction& mail) { lua_pushboolean(L, mail.client.tls->client_is_verified); }},
    {"subject", [](lua_State* L, const Transaction& mail) { push_or_nil(L, mail.client.tls->client_subject); }},
};

constexpr Field message_fields[] = {
    {"subject",
     [](lua_State* L, const Transaction& mail) {
       const mail::HeaderField* field = find_field(L, mail, "Subject");
       field ? push(L, decode(mail, *field).text) : lua_pushnil(L);
     }},
    {"subject_problem",
     [](lua_State* L, const Transaction& mail) {
       const mail::HeaderField* field = find_field(L, mail, "Subject");
       push_or_nil(L, field ? decode(mail, *field).problem : std::string());
     }},
    {"header", [](lua_State* L, const Transaction&) { lua_pushcfunction(L, guarded<header>); }},
    {"header_problem", [](lua_State* L, const Transaction&) { lua_pushcfunction(L, guarded<header_problem>); }},
    {"headers", [](lua_State* L, const Transaction&) { lua_pushcfunction(L, guarded<headers>); }},
    {"from", [](lua_State* L, const Transaction& mail) { push_mailbox(L, mail, "From"); }},
    {"to", [](lua_State* L, const Transaction& mail) { push_mailbox(L, mail, "To"); }},
    {"size", [](lua_State* L,
                const Transaction& mail) { lua_pushinteger(L, static_cast<lua_Integer>(mail.message->octets())); }},
    {"text", nullptr},
    {"html", nullptr},
    {"urls", nullptr},
    {"url_domains", nullptr},
    {"files", nullptr},
    {"add_header", nullptr},
    {"remove_header", nullptr},
};

int index_field(lua_State* L, std::string_view owner, std::span<const Field> fields) {
  const std::string_view name = is_text(L, 2) ? to_text(L, 2) : std::string_view();
  const Field* found = nullptr;
  for (const Field& field : fields) {
    if (field.name == name) found = &field;
  }
  if (!found || !found->push) {
    std::vector<std::string> known;
    for (const Field& field : fields) {
      if (field.push) known.emplace_back(field.name);
    }
    raise_unknown(L, owner, name, found != nullptr, known);
  }
  // Rules cannot reach the metatable, so only Lua itself calls this, and argument 1 is always the right userdata.
  found->push(L, mail_of(L, *static_cast<const Handle*>(lua_touserdata(L, 1))));
  return 1;
}

int index_transaction(lua_State* L) { return index_field(L, "tx", transaction_fields); }
int index_client(lua_State* L) { return index_field(L, "tx.client", client_fields); }
int index_tls(lua_State* L) { return index_field(L, "tx.client.tls", tls_fields); }
int index_auth(lua_State* L) { return index_field(L, "tx.auth", auth_fields); }
int index_message(lua_State* L) { return index_field(L, "tx.msg", message_fields); }

int refuse_assignment(lua_State* L) { return luaL_error(L, "a mail can be read by rules, but not changed"); }

int destroy_verdict(lua_State* L) {
  static_cast<RuleVerdict*>(lua_touserdata(L, 1))->~RuleVerdict();
  return 0;
}

void register_type(lua_State* L, const char* name, lua_CFunction index) {
  push_new_metatable(L, name);
  lua_pushcfunction(L, index);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, guarded<refuse_assignment>);
  lua_setfield(L, -2, "__newindex");
  lua_pop(L, 1);
}

}  // namespace

void push_new_metatable(lua_State* L, const char* name) {
  luaL_newmetatable(L, name);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

void raise_unknown(lua_State* L, std::string_view owner, std::string_view name, bool planned,
                   const std::vector<std::string>& known) {
  // Copies the text to Lua's stack, because the error unwinds this frame and destroys its strings.
  push(L, std::string(owner) + "." + std::string(name));
  if (planned) luaL_error(L, "%s is not available in this version", lua_tostring(L, -1));
  push(L, text::did_you_mean(name, known));
  const char* hint = lua_tostring(L, -1);
  if (*hint) luaL_error(L, "%s does not exist; did you mean %s?", lua_tostring(L, -2), hint);
  luaL_error(L, "%s does not exist", lua_tostring(L, -2));
  broken("luaL_error came back");
}

void register_objects(lua_State* L) {
  register_type(L, transaction_type, guarded<index_transaction>);
  register_type(L, client_type, guarded<index_client>);
  register_type(L, tls_type, guarded<index_tls>);
  register_type(L, auth_type, guarded<index_auth>);
  register_type(L, message_type, guarded<index_message>);
  register_type(L, address_type, guarded<index_address>);
  luaL_getmetatable(L, address_type);
  lua_pushcfunction(L, guarded<address_to_string>);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);

  push_new_metatable(L, verdict_type);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "__immutable");
  lua_pushcfunction(L, destroy_verdict);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

void push_transaction(lua_State* L, const policies::Transaction& mail) { push_handle(L, mail, transaction_type); }

void push_verdict(lua_State* L, RuleVerdict verdict) {
  new (lua_newuserdatauv(L, sizeof(RuleVerdict), 0)) RuleVerdict(std::move(verdict));
  luaL_setmetatable(L, verdict_type);
}

const RuleVerdict* to_verdict(lua_State* L, int index) {
  return static_cast<const RuleVerdict*>(luaL_testudata(L, index, verdict_type));
}

}  // namespace sallyport::lua
