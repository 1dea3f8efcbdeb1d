// tx.msg: the message, from stage headers on.
#include <string>

#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/objects.h"

namespace sallyport::lua {

namespace {

using policies::Transaction;

// Gives the first header field with this name, or null. Charges the run for the search and for decoding the value
// later.
const mail::HeaderField* find_field(lua_State* L, const Transaction& mail, std::string_view name) {
  const mail::HeaderSection& section = mail.message->header();
  const mail::HeaderField* field = section.find(name);
  Context::of(L).meter.spend(L, 1 + section.fields().size() + (field ? field->value.size() : 0));
  return field;
}

mail::DecodedText decode(const Transaction& mail, const mail::HeaderField& field) {
  return mail::decode_text(field.value, mail::declared_charset(mail.message->header()));
}

int push_decoded(lua_State* L, std::string_view name) {
  const Transaction& mail = mail_of(L);
  const mail::HeaderField* field = find_field(L, mail, name);
  field ? push(L, decode(mail, *field).text) : lua_pushnil(L);
  return 1;
}

int push_problem(lua_State* L, std::string_view name) {
  const Transaction& mail = mail_of(L);
  const mail::HeaderField* field = find_field(L, mail, name);
  push_or_nil(L, field ? decode(mail, *field).problem : std::string());
  return 1;
}

// Pushes the first mailbox of a field of the message, or nil.
void push_first_mailbox(lua_State* L, std::string_view field_name) {
  const Transaction& mail = mail_of(L);
  const mail::HeaderField* field = find_field(L, mail, field_name);
  if (field) {
    const auto found = mail::mailboxes(field->value, 1, mail::declared_charset(mail.message->header()));
    if (!found.empty()) return push_mailbox(L, found.front());
  }
  lua_pushnil(L);
}

int addresses(lua_State* L) {
  constexpr std::size_t most = 1000;
  const mail::HeaderSection& section = mail_of(L).message->header();
  lua_newtable(L);
  for (const mail::HeaderField* field : section.find_all(to_text(L, 2))) {
    Context::of(L).meter.spend(L, 1 + field->value.size());
    const std::size_t room = most - lua_rawlen(L, -1);
    add_mailboxes(L, mail::mailboxes(field->value, room, mail::declared_charset(section)));
  }
  return 1;
}

int headers(lua_State* L) {
  const Transaction& mail = mail_of(L);
  lua_Integer count = 0;
  lua_newtable(L);
  for (const mail::HeaderField* field : mail.message->header().find_all(to_text(L, 2))) {
    Context::of(L).meter.spend(L, 1 + field->value.size());
    push(L, decode(mail, *field).text);
    lua_seti(L, -2, ++count);
  }
  return 1;
}

constexpr Field fields[] = {
    {"subject", "string?", "The subject, decoded; nil where there is none.",
     [](lua_State* L) { push_decoded(L, "Subject"); }},
    {"subject_problem", "string?", "What could not be decoded of it, in words.",
     [](lua_State* L) { push_problem(L, "Subject"); }},
    {"from", "address?", "The first address of the From field.", [](lua_State* L) { push_first_mailbox(L, "From"); }},
    {"to", "address?", "The first address of the To field.", [](lua_State* L) { push_first_mailbox(L, "To"); }},
    {"size", "integer", "The length of the message in octets.",
     [](lua_State* L) { lua_pushinteger(L, static_cast<lua_Integer>(mail_of(L).message->octets())); }},
};

constexpr Function methods[] = {
    {.name = "header",
     .about = "The first field of that name, unfolded and decoded.",
     .call = [](lua_State* L) { return push_decoded(L, to_text(L, 2)); },
     .arguments = {{{"name", Kind::field_name, "Any case."}}},
     .returns = {{{"string?", "value", "nil: there is no such field"}}}},
    {.name = "headers",
     .about = "All fields of that name, unfolded and decoded.",
     .call = headers,
     .arguments = {{{"name", Kind::field_name, "Any case."}}},
     .returns = {{{"string[]", "values"}}}},
    {.name = "addresses",
     .about = "The addresses in all fields of that name, with their display names; the first 1000.",
     .call = addresses,
     .arguments = {{{"name", Kind::field_name, "Such as `\"To\"`; any case."}}},
     .returns = {{{"address[]", "addresses"}}}},
    {.name = "header_problem",
     .about = "What could not be decoded of the first field of that name.",
     .call = [](lua_State* L) { return push_problem(L, to_text(L, 2)); },
     .arguments = {{{"name", Kind::field_name, "Any case."}}},
     .returns = {{{"string?", "problem", "in words; nil: nothing, or no such field"}}}},
};

}  // namespace

const ObjectType message_type{
    .name = "tx.msg",
    .about = "The message.",
    .fields = fields,
    .methods = methods,
    .is_handle = true,
};

}  // namespace sallyport::lua
