// sp.net: sets of networks. The ranges lie in the memory of the userdata, so that Lua's allocator counts them.
#include <algorithm>
#include <new>

#include "gateway/base/network_set.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

constexpr double most_networks = 10000;
constexpr std::uint64_t steps_per_network = 20;
constexpr std::uint64_t steps_per_question = 10;

// What the userdata begins with; the ranges of IPv4, then those of IPv6 follow.
struct Ranges {
  std::size_t v4_count;
  std::size_t v6_count;

  NetworkSet::V4Range* v4() { return reinterpret_cast<NetworkSet::V4Range*>(this + 1); }
  NetworkSet::V6Range* v6() { return reinterpret_cast<NetworkSet::V6Range*>(v4() + v4_count); }
};
static_assert(alignof(Ranges) >= alignof(NetworkSet::V4Range) &&
              alignof(NetworkSet::V4Range) >= alignof(NetworkSet::V6Range));

int net(lua_State* L) {
  const auto count = static_cast<lua_Integer>(lua_rawlen(L, 1));
  NetworkSet set;
  for (lua_Integer i = 1; i <= count; ++i) {
    Context::of(L).meter.spend(L, steps_per_network);
    lua_rawgeti(L, 1, i);
    const auto network = IpNetwork::parse(to_text(L, -1));
    if (!network) luaL_error(L, "entry %d is not a network such as 192.0.2.0/24 or 2001:db8::/32", static_cast<int>(i));
    set.add(*network);
    lua_pop(L, 1);
  }
  set.sort();
  const std::size_t octets =
      sizeof(Ranges) + set.v4().size() * sizeof(NetworkSet::V4Range) + set.v6().size() * sizeof(NetworkSet::V6Range);
  auto* ranges = new (lua_newuserdatauv(L, octets, 0)) Ranges{set.v4().size(), set.v6().size()};
  std::uninitialized_copy(set.v4().begin(), set.v4().end(), ranges->v4());
  std::uninitialized_copy(set.v6().begin(), set.v6().end(), ranges->v6());
  set_object_type(L, net_type);
  return 1;
}

int contains(lua_State* L) {
  auto* ranges = static_cast<Ranges*>(lua_touserdata(L, 1));
  Context::of(L).meter.spend(L, steps_per_question);
  const auto address = IpAddress::parse(to_text(L, 2));
  lua_pushboolean(
      L, address && NetworkSet::contains({ranges->v4(), ranges->v4_count}, {ranges->v6(), ranges->v6_count}, *address));
  return 1;
}

constexpr Function methods[] = {
    {.name = "contains",
     .about = "Whether the address is in one of the networks.",
     .call = contains,
     .arguments = {{{"ip", Kind::ip, "Such as `tx.client.ip`."}}},
     .returns = {{{"boolean", "found"}}}},
};

constexpr Function functions[] = {
    {.name = "net",
     .about = "A set of networks; make it at the top of the file.",
     .call = net,
     .arguments = {{{.name = "networks",
                     .kind = Kind::list,
                     .about = "Such as `\"192.0.2.0/24\"` and `\"2001:db8::/32\"`; an address is a network of its own.",
                     .most = most_networks,
                     .items = Kind::text}}},
     .returns = {{{"net", "net"}}}},
};

}  // namespace

const Library net_library{.path = "sp", .about = "Networks.", .functions = functions};

const ObjectType net_type{
    .name = "net",
    .about = "A set of networks.",
    .methods = methods,
    .is_constant = true,
};

}  // namespace sallyport::lua
