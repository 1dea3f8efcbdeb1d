// tx.msg: the message, from stage headers on.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/header_fields.h"
#include "lua/engine/mail_content.h"
#include "lua/engine/objects.h"
#include "lua/engine/run_changes.h"

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
  const auto found =
      field ? Context::of(L).notes->first_mailbox(mail.message->header(), *field) : std::optional<mail::Mailbox>();
  found ? push_mailbox(L, *found) : lua_pushnil(L);
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

int text(lua_State* L) {
  push_visible_text(L);
  return 1;
}

int html(lua_State* L) {
  push_html(L);
  return 1;
}

int parts(lua_State* L) {
  push_parts(L);
  return 1;
}

// The integer field of the options, the table at index 2 or nil.
std::uint64_t option(lua_State* L, const char* name, std::uint64_t otherwise) {
  if (lua_isnil(L, 2)) return otherwise;
  const bool is_given = push_option(L, 2, name) != LUA_TNIL;
  const lua_Integer value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return is_given ? static_cast<std::uint64_t>(value) : otherwise;
}

int files(lua_State* L) {
  push_files(L, option(L, "depth", UINT64_MAX));
  return 1;
}

template <void (*push_them)(lua_State* L, const UrlChoice& choice)>
int urls(lua_State* L) {
  UrlChoice choice;
  choice.most = option(L, "max", UINT64_MAX);
  if (!lua_isnil(L, 2)) {
    push_option(L, 2, "addresses");
    choice.with_addresses = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
  }
  push_them(L, choice);
  return 1;
}

constexpr Argument file_options[] = {{.name = "depth",
                                      .kind = Kind::integer,
                                      .about = "How many attached messages, envelopes and archives deep to look; 0: "
                                               "only files of the message itself. All, where it is left out.",
                                      .required = false,
                                      .least = 0,
                                      .most = 1000}};
constexpr Argument url_options[] = {
    {.name = "max", .kind = Kind::integer, .about = "At most so many.", .required = false, .least = 0, .most = 1000},
    {.name = "addresses",
     .kind = Kind::boolean,
     .about = "True: those of mail addresses, too; their scheme is `mailto`.",
     .required = false}};

// The changes of the current run, which has room for one more. The object is a handle, so that there is a run.
RunChanges& changes_of_run(lua_State* L) {
  Context& context = Context::of(L);
  context.meter.spend(L, most_field_octets);
  if (context.changes == nullptr) luaL_error(L, "the mail has gone: at stage done its header cannot be changed");
  if (context.changes->count() >= RunChanges::most) luaL_error(L, "more than 50 changes of the header in one run");
  return *context.changes;
}

int add_header(lua_State* L) {
  auto field = checked_field(L, "add_header", to_text(L, 2), to_text(L, 3));
  changes_of_run(L).add_headers.push_back(std::move(field));
  return 0;
}

// `n` is argument 3, or 4 behind the value.
int edit_header(lua_State* L, int n, std::optional<std::string> value) {
  policies::HeaderEdit edit{std::string(to_text(L, 2)), 0, std::move(value)};
  if (!lua_isnil(L, n)) edit.which = static_cast<std::uint64_t>(lua_tointeger(L, n));
  changes_of_run(L).header_edits.push_back(std::move(edit));
  return 0;
}

int remove_header(lua_State* L) {
  check_field_name(L, "remove_header", to_text(L, 2));
  return edit_header(L, 3, std::nullopt);
}

int replace_header(lua_State* L) {
  if (!is_subject(to_text(L, 2))) check_field_name(L, "replace_header", to_text(L, 2));
  check_field_value(L, "replace_header", to_text(L, 2), to_text(L, 3));
  return edit_header(L, 4, std::string(to_text(L, 3)));
}

constexpr Argument field_value{.name = "value",
                               .kind = Kind::line,
                               .about = "In UTF-8; what is not ASCII is sent as encoded words.",
                               .most = most_field_octets};
constexpr Argument which_field{.name = "n",
                               .kind = Kind::integer,
                               .about = "Which of them as they came, 1 being the topmost; all, where it is left out.",
                               .required = false,
                               .least = 1,
                               .most = 1000};

constexpr Field fields[] = {
    {"subject", "string?", "The subject, decoded; nil where there is none.",
     [](lua_State* L) { push_decoded(L, "Subject"); }},
    {"subject_problem", "string?", "What could not be decoded of it, in words.",
     [](lua_State* L) { push_problem(L, "Subject"); }},
    {"from", "address?", "The first address of the From field.", [](lua_State* L) { push_first_mailbox(L, "From"); }},
    {"to", "address?", "The first address of the To field.", [](lua_State* L) { push_first_mailbox(L, "To"); }},
    {"size", "integer", "The length of the message in octets.",
     [](lua_State* L) { lua_pushinteger(L, static_cast<lua_Integer>(mail_of(L).message->octets())); }},
    {"unscannable", "string?",
     "Why not all parts could be found: `depth`, `parts`, `header`, `memory`, `work`, `tnef`, `smime`, `storage`; nil: "
     "all were. From stage `message` on.",
     [](lua_State* L) {
       const mime::Unscannable why = content_of(L).tree.unscannable;
       push_or_nil(L, why == mime::Unscannable::no ? std::string_view() : word(why));
     }},
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
    {.name = "text",
     .about = "The text that a reader sees, as UTF-8: of all parts that are text and no attachments, of HTML what is "
              "shown, of alternatives each; at most 128 KiB. From stage `message` on.",
     .call = text,
     .returns = {{{"string", "text"}}}},
    {.name = "html",
     .about = "The source of the HTML that a reader sees, as UTF-8, as `text`.",
     .call = html,
     .returns = {{{"string?", "html", "nil: there is none"}}}},
    {.name = "urls",
     .about = "The URLs in texts, links, forms and pictures, in the attachments that are text, and in the fields "
              "Subject, From, Reply-To, Sender and List-Unsubscribe; each once, at most 1000, redirectors beside what "
              "they lead to. From stage `message` on.",
     .call = urls<push_urls>,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = url_options}}},
     .returns = {{{"url[]", "urls", "as they were found"}}}},
    {.name = "url_domains",
     .about = "The registrable domains of the URLs, each once, the most suspicious first: links that show another "
              "domain than they lead to, hosts written to deceive, forms, links, texts, header fields, pictures.",
     .call = urls<push_url_domains>,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = url_options}}},
     .returns = {{{"string[]", "domains"}}}},
    {.name = "files",
     .about = "What people call attachments, under every plausible reading of the mail: parts that have a name, or say "
              "that they are attachments, or are no text. Also files within text (uuencode) and within attached "
              "messages and envelopes (winmail.dat). From stage `message` on.",
     .call = files,
     .arguments = {{{.name = "options", .kind = Kind::table, .required = false, .fields = file_options}}},
     .returns = {{{"part[]", "files"}}}},
    {.name = "parts",
     .about = "All parts, the message itself first, containers and other readings of the same octets included. From "
              "stage `message` on.",
     .call = parts,
     .returns = {{{"part[]", "parts"}}}},
    {.name = "add_header",
     .about =
         "Adds a field on top, if this run ends well and its rule is enforced; not one that readers or servers act "
         "upon.",
     .call = add_header,
     .arguments = {{{"name", Kind::field_name, "As it is to be written."}, field_value}}},
    {.name = "replace_header",
     .about = "Gives fields another value, as `add_header` does: the first in its place, without the others of that "
              "name; or the n-th. Where there is none, it is added. The subject, too, may have another value.",
     .call = replace_header,
     .arguments = {{{"name", Kind::field_name, "Any case."}, field_value, which_field}}},
    {.name = "remove_header",
     .about = "Removes fields, as `add_header` adds them.",
     .call = remove_header,
     .arguments = {{{"name", Kind::field_name, "Any case."}, which_field}}},
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
