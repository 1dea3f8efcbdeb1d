// sp.text: texts compared as people read them. The Unicode tables are behind gateway/base/letters.h.
#include "gateway/base/charset.h"
#include "gateway/base/letters.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"

namespace sallyport::lua {

namespace {

// Bounds the time of one call, which nothing can interrupt (threats.md L2): a millisecond or two.
constexpr std::size_t most_text_octets = 64u << 10;
constexpr std::size_t most_compared_octets = 500;
constexpr std::uint64_t steps_per_octet = 8;
constexpr std::uint64_t octets_per_octet = 4;  // what ICU may make of one, and its copies

// Pushes what `change` makes of argument 1.
template <std::string (*change)(std::string_view)>
int changed(lua_State* L) {
  const std::string_view text = to_text(L, 1);
  Meter& meter = Context::of(L).meter;
  meter.claim(L, text.size() * octets_per_octet);
  const std::string result = change(text);
  meter.spend(L, 1 + text.size() * steps_per_octet);
  push(L, result);
  return 1;
}

std::string normal_form(std::string_view text) { return to_normal_form(to_valid_utf8(text)); }

int distance(lua_State* L) {
  const std::string_view a = to_text(L, 1);
  const std::string_view b = to_text(L, 2);
  const lua_Integer most = lua_isnil(L, 3) ? static_cast<lua_Integer>(a.size() + b.size()) : lua_tointeger(L, 3);
  Meter& meter = Context::of(L).meter;
  meter.claim(L, (a.size() + 2) * (b.size() + 2) * sizeof(std::uint32_t));
  const auto edits = static_cast<lua_Integer>(letter_distance(a, b));
  meter.spend(L, 1 + a.size() * b.size() / 2);
  edits > most ? lua_pushnil(L) : lua_pushinteger(L, edits);
  return 1;
}

constexpr Argument changed_text{"text", Kind::text, "UTF-8; octets that are not become U+FFFD.",
                                true,   0,          most_text_octets};

constexpr Function functions[] = {
    {.name = "skeleton",
     .about =
         "What the text looks like: texts that look alike have equal skeletons, such as \"paypal\" in Latin and in "
         "Cyrillic letters (Unicode UTS 39). Compare it with other skeletons only. The case of letters counts: fold "
         "first.",
     .call = changed<skeleton_of>,
     .arguments = {{changed_text}},
     .returns = {{{"string", "skeleton"}}}},
    {.name = "fold",
     .about =
         "The text without the difference of upper and lower case, of width and of ligatures, and without characters "
         "that are not seen (Unicode NFKC_Casefold).",
     .call = changed<fold_letters>,
     .arguments = {{changed_text}},
     .returns = {{{"string", "folded"}}}},
    {.name = "nfc",
     .about = "The text in Unicode's normal form C, so that equal letters are equal octets.",
     .call = changed<normal_form>,
     .arguments = {{changed_text}},
     .returns = {{{"string", "normal"}}}},
    {.name = "distance",
     .about =
         "How many characters must be added, removed, replaced or exchanged with a neighbour to make one text of the "
         "other (Damerau-Levenshtein).",
     .call = distance,
     .arguments = {{{"a", Kind::text, "UTF-8.", true, 0, most_compared_octets},
                    {"b", Kind::text, "UTF-8.", true, 0, most_compared_octets},
                    {"most", Kind::integer, "What is more does not matter.", false, 0}}},
     .returns = {{{"integer?", "edits", "nil: more than `most`"}}}},
};

}  // namespace

const Library text_library{.path = "sp.text", .about = "Texts compared as people read them.", .functions = functions};

}  // namespace sallyport::lua
