// Parts of a mail: tx.msg:parts(), :files(), :text(), :html(), and the objects of type part that these give.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/mime/name.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/mail_content.h"
#include "lua/engine/objects.h"

namespace sallyport::lua {

namespace {

using mime::Part;
using mime::PartIndex;
using mime::Tree;

constexpr double most_octets_at_once = 512u << 10;

const Part& part_of(lua_State* L) {
  const Tree& tree = content_of(L).tree;
  return tree.parts[item_of(L, tree.parts.size())];
}

template <class Words>
void push_words(lua_State* L, const Words& set) {
  lua_newtable(L);
  lua_Integer count = 0;
  set.for_each([&](auto one) {
    push(L, word(one));
    lua_rawseti(L, -2, ++count);
  });
}

void push_texts(lua_State* L, const std::vector<std::string>& texts) {
  lua_createtable(L, static_cast<int>(texts.size()), 0);
  lua_Integer count = 0;
  for (const std::string& text : texts) {
    push(L, text);
    lua_rawseti(L, -2, ++count);
  }
}

// The extensions under which some reader may open it, those of programs first.
std::vector<std::string> extensions_of(lua_State* L) {
  const Part& part = part_of(L);
  std::uint64_t octets = 1;
  for (const mime::Name& name : part.names) octets += name.text.size();
  Context::of(L).meter.spend(L, octets);
  std::vector<std::string> extensions = mime::extensions_of(part.names);
  std::stable_partition(extensions.begin(), extensions.end(),
                        [](const std::string& one) { return mime::is_executable_extension(one); });
  return extensions;
}

void push_extension(lua_State* L) {
  const std::vector<std::string> extensions = extensions_of(L);
  push_or_nil(L, extensions.empty() ? std::string() : extensions.front());
}

void push_names(lua_State* L) {
  const Part& part = part_of(L);
  lua_createtable(L, static_cast<int>(part.names.size()), 0);
  lua_Integer count = 0;
  for (const mime::Name& name : part.names) {
    push(L, name.text);
    lua_rawseti(L, -2, ++count);
  }
}

void push_first_type(lua_State* L) {
  std::string_view first;
  part_of(L).real_types.for_each([&first](mime::FileType one) {
    if (first.empty()) first = word(one);
  });
  push_or_nil(L, first);
}

constexpr Field fields[] = {
    {"name", "string?",
     "The name that its sender gave it, decoded, whatever is in it; the first where there are several; nil: none.",
     [](lua_State* L) {
       const Part& part = part_of(L);
       push_or_nil(L, part.names.empty() ? std::string() : part.names.front().text);
     }},
    {"names", "string[]", "All names under which some reader of the mail would show it.", push_names},
    {"ext", "string?",
     "The extension under which it is opened, in lower case without the dot; where readers disagree about the name, "
     "that of a program if there is one.",
     push_extension},
    {"exts", "string[]", "All such extensions.", [](lua_State* L) { push_texts(L, extensions_of(L)); }},
    {"declared_type", "string?", "What it is said to be: `\"application/pdf\"`.",
     [](lua_State* L) { push_or_nil(L, part_of(L).declared_type); }},
    {"charset", "string?",
     "The charset that is declared; of an alternate part, the one in which other readers take it.",
     [](lua_State* L) { push_or_nil(L, part_of(L).charset); }},
    {"real_type", "string?",
     "What it is by its content: `pe`, `zip`, `pdf`, `html`, `text` ...; the first where it is several; nil: none that "
     "is known.",
     push_first_type},
    {"real_types", "string[]", "All that it is by its content.",
     [](lua_State* L) { push_words(L, part_of(L).real_types); }},
    {"size", "integer", "Octets of its content, decoded.",
     [](lua_State* L) { lua_pushinteger(L, static_cast<lua_Integer>(part_of(L).size)); }},
    {"sha256", "string", "The digest of its content, decoded, in hexadecimal.",
     [](lua_State* L) { push(L, to_field_text(part_of(L).sha256)); }},
    {"encrypted", "boolean", "True when it is encrypted.",
     [](lua_State* L) { lua_pushboolean(L, part_of(L).is_encrypted); }},
    {"is_archive", "boolean", "True for archives, compressed files and images of disks, by its content.",
     [](lua_State* L) { lua_pushboolean(L, mime::is_archive(part_of(L).real_types)); }},
    {"is_program", "boolean", "True for programs, scripts, and what starts them, by its content.",
     [](lua_State* L) { lua_pushboolean(L, mime::is_program(part_of(L).real_types)); }},
    {"is_attachment", "boolean", "True when it says so itself (`Content-Disposition: attachment`).",
     [](lua_State* L) { lua_pushboolean(L, part_of(L).is_attachment); }},
    {"is_container", "boolean", "True when its content is other parts.",
     [](lua_State* L) { lua_pushboolean(L, part_of(L).is_container); }},
    {"is_alternate", "boolean", "True for octets that another part holds, too, which some readers take differently.",
     [](lua_State* L) { lua_pushboolean(L, part_of(L).is_alternate); }},
    {"depth", "integer", "How deep in the mail it stands; 0: the mail itself.",
     [](lua_State* L) { lua_pushinteger(L, part_of(L).depth); }},
    {"oddities", "string[]",
     "What is unusual about it: `bad_base64`, `type_mismatch`, `conflicting_name`, `deceptive_name` ...",
     [](lua_State* L) { push_words(L, part_of(L).oddities); }},
};

bool has_text(const Part& part) { return mime::is_text(part) || mime::is_html(part); }

int bytes(lua_State* L) {
  const MailContent content = content_of(L);
  const std::uint32_t index = item_of(L, content.tree.parts.size());
  const auto most = static_cast<std::size_t>(lua_tointeger(L, 2));
  Context::of(L).meter.claim(L, most);
  const auto octets = content.contents.bytes(content.message, content.tree, index, most);
  if (!octets) {
    lua_pushnil(L);
    push(L, "storage");
    return 2;
  }
  Context::of(L).meter.spend(L, 1 + octets->size());
  push(L, *octets);
  return 1;
}

int text(lua_State* L) {
  const MailContent content = content_of(L);
  const std::uint32_t index = item_of(L, content.tree.parts.size());
  const Part& part = content.tree.parts[index];
  if (!has_text(part)) {
    lua_pushnil(L);
    return 1;
  }
  const std::string& visible = content.contents.text(content.message, content.tree, index);
  Context::of(L).meter.spend(L, 1 + visible.size());
  push(L, visible);
  return 1;
}

constexpr Function methods[] = {
    {.name = "bytes",
     .about = "The first octets of its content, decoded; fewer where there are not so many, and where so much has been "
              "read of this mail's parts that the work for it is used up.",
     .call = bytes,
     .arguments =
         {{{.name = "n", .kind = Kind::integer, .about = "How many.", .least = 0, .most = most_octets_at_once}}},
     .returns = {{{"string?", "octets"}, {"string?", "err", "`storage`: the mail cannot be read back"}}}},
    {.name = "text",
     .about = "The text that a reader sees of it, as UTF-8: of HTML what is shown.",
     .call = text,
     .returns = {{{"string?", "text", "nil: it is no text"}}}},
};

// Whether an earlier part is the same file: the same names and content.
bool is_known_file(const Tree& tree, const std::vector<PartIndex>& files, const Part& part) {
  return std::any_of(files.begin(), files.end(), [&](PartIndex one) {
    const Part& known = tree.parts[one];
    return known.sha256 == part.sha256 && known.size == part.size &&
           std::equal(known.names.begin(), known.names.end(), part.names.begin(), part.names.end(),
                      [](const mime::Name& a, const mime::Name& b) { return a.text == b.text; });
  });
}

// How many attached messages, envelopes and archives it stands in.
std::uint64_t nesting_of(const Tree& tree, PartIndex index) {
  std::uint64_t nesting = 0;
  while (index != mime::the_message) {
    const Part& part = tree.parts[index];
    const bool enters = part.origin == mime::Origin::attached || part.origin == mime::Origin::tnef ||
                        part.origin == mime::Origin::archived;
    if (enters) ++nesting;
    index = part.parent;
  }
  return nesting;
}

// Shown to a reader without being opened as a file.
bool is_read_inline(const Part& part) { return !part.is_container && !part.is_attachment && has_text(part); }

// The pieces of text, each on lines of its own; the same text of two readings once.
template <class TextOf>
std::string join(lua_State* L, const MailContent& content, TextOf text_of) {
  std::string joined;
  std::vector<PartIndex> taken;
  const std::vector<Part>& parts = content.tree.parts;
  for (PartIndex i = 0; i < parts.size(); ++i) {
    if (!is_read_inline(parts[i])) continue;
    const bool is_known = parts[i].is_alternate && std::any_of(taken.begin(), taken.end(), [&](PartIndex one) {
                            return parts[one].sha256 == parts[i].sha256 && parts[one].charset == parts[i].charset;
                          });
    if (is_known) continue;
    taken.push_back(i);
    const std::string_view text = text_of(i);
    Context::of(L).meter.spend(L, 1 + text.size());
    if (!joined.empty() && !text.empty() && !joined.ends_with('\n')) joined += '\n';
    joined += text;
  }
  return joined;
}

}  // namespace

const ObjectType part_type{
    .name = "part",
    .about = "A part of the message, from stage `message` on: what it is said to be, and what it is.",
    .fields = fields,
    .methods = methods,
    .is_handle = true,
};

MailContent content_of(lua_State* L) {
  const policies::Findings& found = findings_of(L);
  const policies::Transaction& mail = mail_of(L);
  if (mail.message == nullptr || found.parts == nullptr || found.contents == nullptr || found.urls == nullptr) {
    luaL_error(L, "the content of a mail is known from stage \"message\" on, unless policy.content is off");
  }
  return {*mail.message, *found.parts, *found.contents, *found.urls};
}

std::uint32_t item_of(lua_State* L, std::size_t count) {
  const std::uint32_t item = handle_at(L, 1).item;
  if (item >= count) luaL_error(L, "this value belongs to a mail that is over");
  return item;
}

void push_parts(lua_State* L) {
  const Tree& tree = content_of(L).tree;
  lua_createtable(L, static_cast<int>(tree.parts.size()), 0);
  for (PartIndex i = 0; i < tree.parts.size(); ++i) {
    Context::of(L).meter.spend(L, 1);
    push_handle(L, part_type, mail_of(L), i);
    lua_rawseti(L, -2, lua_Integer{i} + 1);
  }
}

void push_files(lua_State* L, std::uint64_t depth) {
  const Tree& tree = content_of(L).tree;
  std::vector<PartIndex> files;
  for (PartIndex i = 0; i < tree.parts.size(); ++i) {
    const Part& part = tree.parts[i];
    Context::of(L).meter.spend(L, 1 + (part.is_alternate ? files.size() : 0));
    if (!mime::is_file(part) || nesting_of(tree, i) > depth) continue;
    if (part.is_alternate && is_known_file(tree, files, part)) continue;
    files.push_back(i);
  }
  lua_createtable(L, static_cast<int>(files.size()), 0);
  lua_Integer count = 0;
  for (const PartIndex file : files) {
    push_handle(L, part_type, mail_of(L), file);
    lua_rawseti(L, -2, ++count);
  }
}

void push_visible_text(lua_State* L) {
  const MailContent content = content_of(L);
  push(L, join(L, content, [&content](PartIndex part) -> std::string_view {
         return content.contents.text(content.message, content.tree, part);
       }));
}

void push_html(lua_State* L) {
  const MailContent content = content_of(L);
  push_or_nil(L, join(L, content, [&content](PartIndex part) -> std::string_view {
                if (!mime::is_html(content.tree.parts[part])) return {};
                return content.contents.source(content.message, content.tree, part).utf8;
              }));
}

}  // namespace sallyport::lua
