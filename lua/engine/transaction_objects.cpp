// tx, the mail in progress, with tx.client, tx.client.tls and tx.auth.
#include <chrono>

#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/objects.h"
#include "lua/engine/rule.h"

namespace sallyport::lua {

namespace {

using policies::Transaction;

// Pushes the result of an authentication method in RFC 8601's words, or nil when the method was not used.
void push_result(lua_State* L, std::string_view method) {
  for (const auto& [name, result] : findings_of(L).words) {
    if (name == method) return push_or_nil(L, result);
  }
  lua_pushnil(L);
}

// The client's confirmed name: as the session knows it, else as the rdns policy has confirmed it, else empty.
std::string_view client_name(lua_State* L, const Transaction& mail) {
  return mail.client.rdns.empty() ? findings_of(L).client_name : mail.client.rdns;
}

void push_optional(lua_State* L, const std::optional<MailAddress>& address) {
  address ? push_address(L, *address) : lua_pushnil(L);
}

// The transaction's own is the last one that was asked for at later stages, too, even where that was refused.
void push_recipient(lua_State* L) {
  const Transaction& mail = mail_of(L);
  const Rule* rule = Context::of(L).rule;
  if (rule && rule->stage == policies::Stage::rcpt) return push_optional(L, mail.rcpt);
  const bool has_all = !rule || rule->stage > policies::Stage::rcpt;
  has_all && !mail.rcpts.empty() ? push_address(L, mail.rcpts.front()) : lua_pushnil(L);
}

void push_recipients(lua_State* L) {
  const Transaction& mail = mail_of(L);
  lua_createtable(L, static_cast<int>(mail.rcpts.size()), 0);
  lua_Integer count = 0;
  for (const MailAddress& rcpt : mail.rcpts) {
    Context::of(L).meter.spend(L, 1);
    push_address(L, rcpt);
    lua_seti(L, -2, ++count);
  }
}

constexpr Field transaction_fields[] = {
    {"id", "string", "The id of the transaction, as in the log and in replies.",
     [](lua_State* L) { push(L, mail_of(L).id); }},
    {"tenant", "string?", "The tenant's name; nil before a recipient has told it, where there are several tenants.",
     [](lua_State* L) { push_or_nil(L, mail_of(L).tenant.name); }},
    {"now", "integer", "When the mail began, in seconds since 1970: `os.date(\"!%H\", tx.now)`.",
     [](lua_State* L) { lua_pushinteger(L, std::chrono::system_clock::to_time_t(mail_of(L).now)); }},
    {"score", "number", "The sum of the scores that earlier stages have given.",
     [](lua_State* L) { lua_pushnumber(L, Context::of(L).gathering ? Context::of(L).gathering->score : 0); }},
    {"outcome", "string?",
     "At stage `done`: what became of the mail: `\"relay\"`, `\"tag\"`, `\"reject\"`, `\"tempfail\"`, "
     "`\"quarantine\"`, `\"discard\"`, "
     "`\"drop\"`; "
     "before that nil.",
     [](lua_State* L) {
       const policies::GatherContext* gathering = Context::of(L).gathering;
       push_or_nil(L, gathering ? gathering->outcome : std::string_view());
     }},
    {"client", "tx.client", "Who connected.", [](lua_State* L) { push_handle(L, client_type, mail_of(L)); }},
    {"auth", "tx.auth", "What the checks of the sender came to.",
     [](lua_State* L) { push_handle(L, auth_type, mail_of(L)); }},
    {"from", "address?", "The envelope sender; nil before MAIL. The null sender has `addr == \"\"`.",
     [](lua_State* L) { push_optional(L, mail_of(L).from); }},
    {"rcpt", "address?",
     "At stage `rcpt`: the recipient that is asked for; after it: the first of `rcpts`; before it nil.",
     push_recipient},
    {"rcpts", "address[]", "The recipients that have been accepted.", push_recipients},
    {"msg", "tx.msg?", "From stage `headers` on: the message; before that nil.",
     [](lua_State* L) { mail_of(L).message ? push_handle(L, message_type, mail_of(L)) : lua_pushnil(L); }},
};

constexpr Field client_fields[] = {
    {"ip", "string", "The address.", [](lua_State* L) { push(L, mail_of(L).client.ip.to_string()); }},
    {"port", "integer", "The port.", [](lua_State* L) { lua_pushinteger(L, mail_of(L).client.port); }},
    {"helo", "string?", "What it called itself; nil before EHLO or HELO.",
     [](lua_State* L) { push_or_nil(L, mail_of(L).client.helo); }},
    {"rdns", "string?", "Its name by reverse DNS; nil while it is not known or not confirmed.",
     [](lua_State* L) { push_or_nil(L, client_name(L, mail_of(L))); }},
    {"fcrdns", "boolean", "True when the reverse name was confirmed.",
     [](lua_State* L) { lua_pushboolean(L, mail_of(L).client.fcrdns || !findings_of(L).client_name.empty()); }},
    {"tls", "tx.client.tls?", "How the connection is encrypted; nil: it is not.",
     [](lua_State* L) { mail_of(L).client.tls ? push_handle(L, tls_type, mail_of(L)) : lua_pushnil(L); }},
};

constexpr Field tls_fields[] = {
    {"version", "string", "`\"TLSv1.3\"`.", [](lua_State* L) { push(L, mail_of(L).client.tls->version); }},
    {"cipher", "string", "The cipher suite.", [](lua_State* L) { push(L, mail_of(L).client.tls->cipher); }},
    {"bits", "integer", "The length of its key.",
     [](lua_State* L) { lua_pushinteger(L, mail_of(L).client.tls->bits); }},
    {"verified", "boolean",
     "True when the client has shown a certificate that verifies, where `client_cert` asks for one.",
     [](lua_State* L) { lua_pushboolean(L, mail_of(L).client.tls->client_is_verified); }},
    {"subject", "string?", "The subject of the client's certificate; a mere claim unless `verified`.",
     [](lua_State* L) { push_or_nil(L, mail_of(L).client.tls->client_subject); }},
};

constexpr Field auth_fields[] = {
    {"spf", "string?", "Of SPF; from stage `rcpt` on.", [](lua_State* L) { push_result(L, "spf"); }},
    {"dkim", "string?", "Of the DKIM signatures.", [](lua_State* L) { push_result(L, "dkim"); }},
    {"dmarc", "string?", "Of DMARC.", [](lua_State* L) { push_result(L, "dmarc"); }},
    {"arc", "string?", "Of the ARC chain.", [](lua_State* L) { push_result(L, "arc"); }},
};

}  // namespace

const ObjectType transaction_type{
    .name = "tx",
    .about =
        "The mail in progress, the argument of a rule's `run`. It can be read, not changed; a field that does not "
        "exist is an error, so that a misspelt one is found.",
    .fields = transaction_fields,
    .is_handle = true,
};
const ObjectType client_type{.name = "tx.client", .about = "The client.", .fields = client_fields, .is_handle = true};
const ObjectType tls_type{.name = "tx.client.tls",
                          .about = "The encryption of the client's connection.",
                          .fields = tls_fields,
                          .is_handle = true};
const ObjectType auth_type{
    .name = "tx.auth",
    .about =
        "`\"pass\"`, `\"fail\"`, `\"softfail\"`, `\"none\"`, `\"temperror\"` ...; nil where the check was not made. "
        "Complete at stage `message`.",
    .fields = auth_fields,
    .is_handle = true};

const policies::Findings& findings_of(lua_State* L) {
  Context& context = Context::of(L);
  bool is_first = false;
  const policies::Findings& findings = context.notes->findings(*context.facts, is_first);
  if (is_first) context.meter.spend(L, 1 + findings.evidence.size());
  return findings;
}

void push_transaction(lua_State* L, const policies::Transaction& mail) { push_handle(L, transaction_type, mail); }

}  // namespace sallyport::lua
