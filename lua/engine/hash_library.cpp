// sp.hash: digests as hexadecimal text.
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"

namespace sallyport::lua {

namespace {

using crypto::DigestAlgorithm;

constexpr std::size_t octets_per_step = 2;

template <DigestAlgorithm algorithm>
int hex_digest(lua_State* L) {
  const std::string_view octets = to_text(L, 1);
  push(L, text::to_hex(crypto::digest(algorithm, octets)));
  Context::of(L).meter.spend(L, 50 + octets.size() / octets_per_step);
  return 1;
}

constexpr Argument octets{"octets", Kind::text, "Any octets."};
constexpr Returned digest{"string", "digest", "in lower case"};

constexpr Function functions[] = {
    {.name = "sha256",
     .about = "The SHA-256 of the octets, as 64 hexadecimal digits.",
     .call = hex_digest<DigestAlgorithm::sha256>,
     .arguments = {{octets}},
     .returns = {{digest}}},
    {.name = "sha1",
     .about = "The SHA-1 of the octets, as 40 hexadecimal digits; only to look up what others publish by it.",
     .call = hex_digest<DigestAlgorithm::sha1>,
     .arguments = {{octets}},
     .returns = {{digest}}},
    {.name = "md5",
     .about = "The MD5 of the octets, as 32 hexadecimal digits; only to look up what others publish by it.",
     .call = hex_digest<DigestAlgorithm::md5>,
     .arguments = {{octets}},
     .returns = {{digest}}},
};

}  // namespace

const Library hash_library{.path = "sp.hash", .about = "Digests.", .functions = functions};

}  // namespace sallyport::lua
