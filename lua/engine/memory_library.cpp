// sp.rate, sp.seen and sp.memo: what rules remember from one mail to the next, through io::MailMemory. Each tenant has
// its own; the mail's tells which one.
//
// They are functions that may wait, because the memory may be on another host. What is embedded answers at once.
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/io/mail_memory.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/json_reader.h"
#include "lua/engine/json_writer.h"
#include "lua/engine/waiting.h"

namespace sallyport::lua {

namespace {

constexpr double most_name_octets = 64;
constexpr double most_key_octets = 1000;
constexpr std::size_t most_value_octets = 16u << 10;
constexpr double most_seconds = 366.0 * 24 * 60 * 60;

// Whom the mail comes from, as far as he cannot change it at will: the network that one customer of a provider has.
std::string origin_of(const policies::Transaction& mail) {
  return IpNetwork::of(mail.client.ip, mail.client.ip.is_v4() ? 24 : 48).to_string();
}

// Arguments 1 and 2, for the tenant of the mail.
io::MemoryPlace place_at(lua_State* L) {
  const policies::Transaction* mail = Context::of(L).mail;
  io::MemoryPlace place{{}, std::string(to_text(L, 1)), std::string(to_text(L, 2))};
  if (!mail) return place;
  place.tenant = mail->tenant.name;
  place.origin = origin_of(*mail);
  return place;
}

// Null: nothing is remembered.
io::MailMemory* memory_of(lua_State* L) {
  const RuleServices* services = Context::of(L).services;
  return services ? services->memory : nullptr;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// A time to keep something: seconds, or a text such as "30d".
Duration duration_at(lua_State* L, int index) {
  if (lua_type(L, index) == LUA_TNUMBER) {
    const double seconds = lua_tonumber(L, index);
    if (seconds >= 1 && seconds <= most_seconds) {
      return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    }
  } else if (is_text(L, index)) {
    const auto duration = parse_duration(to_text(L, index));
    if (duration && *duration >= std::chrono::seconds(1) && seconds_of(*duration) <= most_seconds) return *duration;
  }
  luaL_argerror(L, index, "expected a time from 1 second to 366 days, such as \"30d\" or 3600");
  return {};
}

class RateRequest final : public Request {
 public:
  RateRequest(io::MailMemory* memory, io::MemoryPlace place, const Rate& rate)
      : memory_(memory), place_(std::move(place)), rate_(rate) {}

  Task<void> ask(const policies::GatherContext&) override {
    if (memory_) answer_ = co_await memory_->take(place_, rate_);
  }
  int push(lua_State* L) override {
    lua_pushboolean(L, answer_.allowed);
    if (answer_.allowed) return 1;
    lua_pushinteger(L, static_cast<lua_Integer>(std::ceil(seconds_of(answer_.retry_after))));
    return 2;
  }

 private:
  io::MailMemory* const memory_;
  const io::MemoryPlace place_;
  const Rate rate_;
  io::RateAnswer answer_;
};

class SightRequest final : public Request {
 public:
  SightRequest(io::MailMemory* memory, io::MemoryPlace place, Duration keep)
      : memory_(memory), place_(std::move(place)), keep_(keep) {}

  Task<void> ask(const policies::GatherContext&) override {
    if (memory_) sight_ = co_await memory_->see(place_, keep_);
  }
  int push(lua_State* L) override {
    lua_pushboolean(L, sight_.is_known);
    if (!sight_.is_known) return 1;
    lua_pushinteger(L, static_cast<lua_Integer>(seconds_of(sight_.since)));
    return 2;
  }

 private:
  io::MailMemory* const memory_;
  const io::MemoryPlace place_;
  const Duration keep_;
  io::Sight sight_;
};

// The function has returned its value and an error, which are on top of the stack.
int keep_value(lua_State* L, int, lua_KContext) {
  if (lua_isnil(L, -2)) return 2;
  lua_pop(L, 1);
  std::string json = to_json(L);
  if (json.size() > most_value_octets) luaL_error(L, "a value to be kept is longer than 16384 octets as JSON");
  // What the next mail is given, so that no rule works for the first one only.
  if (!push_json(L, json)) lua_remove(L, -2);
  if (io::MailMemory* memory = memory_of(L)) memory->put(place_at(L), std::move(json), duration_at(L, 3));
  return 1;
}

class RecallRequest final : public Request {
 public:
  RecallRequest(io::MailMemory* memory, io::MemoryPlace place) : memory_(memory), place_(std::move(place)) {}

  Task<void> ask(const policies::GatherContext&) override {
    if (memory_) value_ = co_await memory_->recall(place_);
  }
  // Where there is no value, the function (argument 4) makes one; it may wait itself.
  int push(lua_State* L) override {
    if (value_ && !push_json(L, *value_)) return 1;
    lua_settop(L, 4);
    lua_pushvalue(L, 4);
    lua_callk(L, 0, 2, 0, guarded_continuation<keep_value>);
    return keep_value(L, LUA_OK, 0);
  }

 private:
  io::MailMemory* const memory_;
  const io::MemoryPlace place_;
  std::optional<std::string> value_;
};

int rate(lua_State* L) {
  const auto rate = parse_rate(to_text(L, 3));
  luaL_argcheck(L, rate && rate->count > 0 && seconds_of(rate->per) <= most_seconds, 3,
                "expected a rate such as \"10/1h\" or \"300/1h burst 50\"");
  return wait_for(L, std::make_unique<RateRequest>(memory_of(L), place_at(L), *rate));
}

int seen(lua_State* L) {
  const Duration keep = duration_at(L, 3);
  return wait_for(L, std::make_unique<SightRequest>(memory_of(L), place_at(L), keep));
}

int memo(lua_State* L) {
  duration_at(L, 3);
  return wait_for(L, std::make_unique<RecallRequest>(memory_of(L), place_at(L)));
}

constexpr Argument name{"name", Kind::line, "Of what is remembered, such as `\"senders\"`; all rules share it.",
                        true,   1,          most_name_octets};
constexpr Argument key{"key", Kind::text, "Whom or what it is about, such as `tx.from.addr`.",
                       true,  0,          most_key_octets};
constexpr Argument keep{.name = "keep",
                        .kind = Kind::any,
                        .about = "How long: seconds, or a text such as `\"30d\"`; 366 days at most.",
                        .type = "string|number"};

constexpr Function functions[] = {
    {.name = "rate",
     .about =
         "Counts one, and says whether that is within the rate. `\"10/1h\"`: ten at once, and one more for each six "
         "minutes; `\"10/1h burst 3\"`: three at once. What is not within it is not counted.",
     .call = rate,
     .arguments = {{name, key, {"rate", Kind::line, "Such as `\"10/1h\"`.", true, 0, 64}}},
     .returns = {{{"boolean", "within", "false: it is too much"},
                  {"integer?", "seconds", "when it is too much: until the next is within it"}}},
     .waits = true},
    {.name = "seen",
     .about = "Whether this was seen before, within `keep` of the last time; from now on it is.",
     .call = seen,
     .arguments = {{name, key, keep}},
     .returns = {{{"boolean", "known"}, {"integer?", "seconds", "when known: since it was seen first"}}},
     .waits = true},
    {.name = "memo",
     .about =
         "The value that the function gave for this key, within `keep`; else what it gives now, which is kept unless "
         "it is nil. It is kept as JSON of at most 16384 octets, and is what that comes to the first time, too.",
     .call = memo,
     .arguments = {{name,
                    key,
                    keep,
                    {.name = "fn",
                     .kind = Kind::function,
                     .about = "Finds it out; gives a value, or nil and an error.",
                     .type = "fun(): any, any"}}},
     .returns = {{{"any", "value"}, {"any", "err", "of the function"}}},
     .waits = true},
};

}  // namespace

const Library memory_library{.path = "sp", .about = "Memory across mails.", .functions = functions};

}  // namespace sallyport::lua
