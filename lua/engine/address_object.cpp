// Addresses: of the envelope (tx.from, tx.rcpt, tx.rcpts), of the header (tx.msg.from, tx.msg.to, tx.msg:addresses) and
// of any text (sp.address.parse).
#include "gateway/base/a_labels.h"
#include "gateway/base/address.h"
#include "gateway/base/text.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/objects.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

// An address of the envelope points to that of the mail, which saves three strings for each; the parts of another
// address are user values of the object, by their numbers.
struct AddressValue {
  const MailAddress* of_mail;  // null: it has user values
  std::uint64_t run;           // of the former: the run in which the mail is there
};

enum AddressPart : int { addr_part = 1, user_part, domain_part, name_part };

constexpr std::size_t most_list_octets = 64u << 10;
constexpr std::size_t most_mailboxes = 1000;

template <AddressPart part>
void push_part(lua_State* L) {
  const auto& value = *static_cast<const AddressValue*>(lua_touserdata(L, 1));
  if (!value.of_mail) {
    lua_getiuservalue(L, 1, part);
    return;
  }
  if (value.run != Context::of(L).run) luaL_error(L, "this value belongs to a mail that is over");
  switch (part) {
    case addr_part:
      return push(L, value.of_mail->to_string());
    case user_part:
      return push(L, value.of_mail->local);
    case domain_part:
      return push(L, value.of_mail->domain);
    case name_part:
      return lua_pushnil(L);  // the envelope has none
  }
}

int address_to_text(lua_State* L) {
  push_part<addr_part>(L);
  return 1;
}

// Where nobody has given the rules a list, as in tests of rules and while files load.
const PublicSuffixList& suffixes_of_machine() {
  static const PublicSuffixList suffixes;
  return suffixes;
}

// Addresses, as of a HELO name or in brackets as of a domain literal: what stands behind a dot of them is nobody's.
bool is_address(std::string_view domain) { return domain.starts_with('[') || IpAddress::parse(domain).has_value(); }

// Pushes the registrable domain of a domain, which is on top of the stack, in its place.
void replace_by_org_domain(lua_State* L) {
  const Context& context = Context::of(L);
  const PublicSuffixList& suffixes = context.suffixes ? *context.suffixes : suffixes_of_machine();
  const std::string_view domain = to_text(L, -1);
  if (is_address(domain)) return;  // it stays in its place
  MailNotes own_notes;             // while files load
  MailNotes& notes = context.notes ? *context.notes : own_notes;
  const std::string_view found = domain.empty() ? std::string_view() : notes.registrable_domain(suffixes, domain);
  if (found.empty()) return;  // the domain stays in its place
  push(L, found);
  lua_remove(L, -2);
}

void push_org_domain(lua_State* L) {
  push_part<domain_part>(L);
  Context::of(L).meter.spend(L, 10);
  replace_by_org_domain(L);
}

int org_domain(lua_State* L) {
  Context::of(L).meter.spend(L, 10);
  push(L, text::to_lower(to_text(L, 1)));
  replace_by_org_domain(L);
  return 1;
}

int readable(lua_State* L) {
  const std::string_view domain = to_text(L, 1);
  Context::of(L).meter.spend(L, 10 + domain.size());
  push(L, to_u_labels(domain));
  return 1;
}

constexpr Field fields[] = {
    {"addr", "string", "The whole address, without a display name; `\"\"` for the null sender.", push_part<addr_part>},
    {"user", "string", "What stands before the last `@`, as written.", push_part<user_part>},
    {"domain", "string", "What stands after it, in lower case; `\"\"` where there is none.", push_part<domain_part>},
    {"org_domain", "string",
     "The domain that somebody has registered, by the public suffix list: of `mail.example.co.uk` it is "
     "`example.co.uk`; the whole domain where it is none that can be registered.",
     push_org_domain},
    {"name", "string?", "The display name, decoded; nil where there is none, as in the envelope.",
     push_part<name_part>},
};

int parse(lua_State* L) {
  const std::string_view text = to_text(L, 1);
  Context::of(L).meter.claim(L, text.size() * 4);
  Context::of(L).meter.spend(L, 1 + text.size());
  const std::vector<mail::Mailbox> found = mail::mailboxes(text, most_mailboxes);
  lua_createtable(L, static_cast<int>(found.size()), 0);
  add_mailboxes(L, found);
  return 1;
}

constexpr Function functions[] = {
    {.name = "parse",
     .about = "The addresses of a list as it stands in a header field, with their display names; the first 1000. For a "
              "field "
              "of the message use `tx.msg:addresses`: in decoded text a comma may have come from a name.",
     .call = parse,
     .arguments = {{{"list", Kind::text, "Such as `\"Ann <ann@example.org>, bob@example.com\"`.", true, 0,
                     most_list_octets}}},
     .returns = {{{"address[]", "addresses", "empty: there is none in it"}}}},
    {.name = "org_domain",
     .about = "The registrable domain of any name, as `org_domain` of an address.",
     .call = org_domain,
     .arguments = {{{"domain", Kind::line, "Such as `tx.client.rdns`.", true, 0, 253}}},
     .returns = {{{"string", "domain", "in lower case"}}}},
    {.name = "readable",
     .about = "A domain in the letters that people read: of `xn--bcher-kva.example` it is `bücher.example`. What "
              "compares domains by their looks compares these.",
     .call = readable,
     .arguments = {{{"domain", Kind::line, "Such as `tx.msg.from.domain`.", true, 0, 253}}},
     .returns = {{{"string", "domain", "as it is, where nothing stands for other letters"}}}},
};

}  // namespace

const Library address_library{.path = "sp.address", .about = "Addresses in texts.", .functions = functions};

const ObjectType address_type{
    .name = "address",
    .about = "An address. `tostring` gives `addr`. It is not a string: compare `tx.from.addr == \"ann@example.org\"`.",
    .fields = fields,
    .to_text = address_to_text,
};

void push_address(lua_State* L, std::string_view addr, std::string_view user, std::string_view domain,
                  std::string_view name) {
  *static_cast<AddressValue*>(lua_newuserdatauv(L, sizeof(AddressValue), 4)) = {nullptr, 0};
  push(L, addr);
  lua_setiuservalue(L, -2, addr_part);
  push(L, user);
  lua_setiuservalue(L, -2, user_part);
  push(L, domain);
  lua_setiuservalue(L, -2, domain_part);
  push_or_nil(L, name);
  lua_setiuservalue(L, -2, name_part);
  set_object_type(L, address_type);
}

void push_address(lua_State* L, const MailAddress& address) {
  *static_cast<AddressValue*>(lua_newuserdatauv(L, sizeof(AddressValue), 0)) = {&address, Context::of(L).run};
  set_object_type(L, address_type);
}

void push_mailbox(lua_State* L, const mail::Mailbox& mailbox) {
  const std::string_view addr = mailbox.address;
  const std::size_t at = addr.rfind('@');
  const std::string domain = at == addr.npos ? std::string() : text::to_lower(addr.substr(at + 1));
  push_address(L, addr, addr.substr(0, at), domain, mailbox.name);
}

void add_mailboxes(lua_State* L, const std::vector<mail::Mailbox>& mailboxes) {
  auto count = static_cast<lua_Integer>(lua_rawlen(L, -1));
  for (const mail::Mailbox& mailbox : mailboxes) {
    push_mailbox(L, mailbox);
    lua_rawseti(L, -2, ++count);
  }
}

}  // namespace sallyport::lua
