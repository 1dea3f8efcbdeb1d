// Addresses: of the envelope (tx.from, tx.rcpt, tx.rcpts) and of the header (tx.msg.from, tx.msg.to).
#include "lua/engine/binding_list.h"
#include "lua/engine/objects.h"
#include "lua/engine/registration.h"

namespace sallyport::lua {

namespace {

// The parts are user values of the object, by these numbers.
enum AddressPart : int { addr_part = 1, user_part, domain_part };

template <AddressPart part>
void push_part(lua_State* L) {
  lua_getiuservalue(L, 1, part);
}

int address_to_text(lua_State* L) {
  push_part<addr_part>(L);
  return 1;
}

constexpr Field fields[] = {
    {"addr", "string", "The whole address, without a display name; `\"\"` for the null sender.", push_part<addr_part>},
    {"user", "string", "What stands before the last `@`, as written.", push_part<user_part>},
    {"domain", "string", "What stands after it, in lower case; `\"\"` where there is none.", push_part<domain_part>},
};

}  // namespace

const ObjectType address_type{
    .name = "address",
    .about = "An address. `tostring` gives `addr`. It is not a string: compare `tx.from.addr == \"ann@example.org\"`.",
    .fields = fields,
    .to_text = address_to_text,
};

void push_address(lua_State* L, std::string_view addr, std::string_view user, std::string_view domain) {
  lua_newuserdatauv(L, 0, 3);
  push(L, addr);
  lua_setiuservalue(L, -2, addr_part);
  push(L, user);
  lua_setiuservalue(L, -2, user_part);
  push(L, domain);
  lua_setiuservalue(L, -2, domain_part);
  set_object_type(L, address_type);
}

void push_address(lua_State* L, const MailAddress& address) {
  push_address(L, address.to_string(), address.local, address.domain);
}

}  // namespace sallyport::lua
