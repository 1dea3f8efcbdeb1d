// sp.http: questions to web servers, over io::HttpClient, only to the hosts of policy.rules.http.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/field_name.h"
#include "gateway/base/text.h"
#include "gateway/io/http_client.h"
#include "lua/engine/argument_check.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/frozen.h"
#include "lua/engine/waiting.h"

namespace sallyport::lua {

namespace {

// Within the mail's own deadline.
constexpr Duration patience = std::chrono::seconds(5);
constexpr double most_url_octets = 4000;
constexpr std::size_t most_headers = 32;
constexpr std::size_t most_value_octets = 4000;

// What the connection itself says, and only the client may.
constexpr std::array<std::string_view, 9> own_fields{"host",       "content-length", "transfer-encoding",
                                                     "connection", "upgrade",        "te",
                                                     "trailer",    "expect",         "accept-encoding"};

class HttpRequest final : public Request {
 public:
  HttpRequest(io::HttpClient* client, io::HttpQuestion question) : client_(client), question_(std::move(question)) {}

  Task<void> ask(const policies::GatherContext& context) override {
    if (!client_) {
      problem_ = "unavailable";
      co_return;
    }
    const Time deadline = std::min(context.deadline, context.scheduler.now() + patience);
    auto answer = co_await client_->ask(std::move(question_), context.resolver, deadline);
    if (answer) {
      answer_ = std::move(*answer);
    } else {
      problem_ = answer.error().message;
    }
  }

  int push(lua_State* L) override {
    Context::of(L).meter.spend(L, 20 + answer_.body.size() / 64 + answer_.headers.size() * 10);
    if (!problem_.empty()) {
      lua_pushnil(L);
      lua::push(L, problem_);
      return 2;
    }
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, answer_.status);
    lua_setfield(L, -2, "status");
    lua::push(L, answer_.body);
    lua_setfield(L, -2, "body");
    push_headers(L);
    lua_setfield(L, -2, "headers");
    return 1;
  }

 private:
  // Of several fields of one name the values are joined, as RFC 9110, 5.3 has it.
  void push_headers(lua_State* L) const {
    lua_newtable(L);
    for (const auto& [name, value] : answer_.headers) {
      lua::push(L, name);
      lua::push(L, name);
      if (lua_rawget(L, -3) == LUA_TNIL) {
        lua_pop(L, 1);
        lua::push(L, value);
      } else {
        lua_pushliteral(L, ", ");
        lua::push(L, value);
        lua_concat(L, 3);
      }
      lua_rawset(L, -3);
    }
  }

  io::HttpClient* const client_;
  io::HttpQuestion question_;
  io::HttpAnswer answer_;
  std::string problem_;
};

bool is_own_field(std::string_view name) {
  return std::find(own_fields.begin(), own_fields.end(), text::to_lower(name)) != own_fields.end();
}

// The field `headers` of the options at `index`, which may be nil.
void read_headers(lua_State* L, int index, io::HttpQuestion& question) {
  if (lua_isnil(L, index) || push_option(L, index, "headers") == LUA_TNIL) return;
  const int headers = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, headers)) {
    const bool is_good = is_text(L, -2) && is_text(L, -1) && is_field_name(to_text(L, -2)) &&
                         !is_own_field(to_text(L, -2)) && to_text(L, -1).size() <= most_value_octets;
    const std::string_view value = is_good ? to_text(L, -1) : std::string_view();
    if (!is_good || std::any_of(value.begin(), value.end(), text::is_control)) {
      luaL_argerror(L, index, "headers: expected names and values of header fields that are not the connection's own");
    }
    if (question.headers.size() == most_headers) luaL_argerror(L, index, "headers: more than 32");
    question.headers.emplace_back(to_text(L, -2), value);
    lua_pop(L, 1);
  }
  std::sort(question.headers.begin(), question.headers.end());
  lua_settop(L, headers - 1);
}

int ask(lua_State* L, io::HttpQuestion question) {
  const RuleSettings& settings = *Context::of(L).settings;
  question.url = to_text(L, 1);
  question.hosts = settings.http;
  question.ca_file = settings.http_ca;
  if (MailAllowance* allowance = Context::of(L).allowance) {
    if (allowance->http_questions == 0) {
      lua_pushnil(L);
      lua_pushliteral(L, "too_many");
      return 2;
    }
    --allowance->http_questions;
  }
  const RuleServices* services = Context::of(L).services;
  io::HttpClient* client = services ? services->http : nullptr;
  return wait_for(L, std::make_unique<HttpRequest>(client, std::move(question)));
}

int get(lua_State* L) {
  io::HttpQuestion question;
  read_headers(L, 2, question);
  return ask(L, std::move(question));
}

int post(lua_State* L) {
  io::HttpQuestion question;
  question.is_post = true;
  question.body = to_text(L, 2);
  read_headers(L, 3, question);
  return ask(L, std::move(question));
}

constexpr Argument option_fields[] = {
    {.name = "headers",
     .kind = Kind::dictionary,
     .about = "Fields of the request, by name; 32 at most, and none that frames the message.",
     .required = false,
     .most = most_headers,
     .type = "table<string, string>"},
};
constexpr Argument url{"url", Kind::line, "`https://` or `http://`, a host of `policy.rules.http`, a path.",
                       true,  0,          most_url_octets};
constexpr Argument options{.name = "options", .kind = Kind::table, .required = false, .fields = option_fields};
constexpr Returned answer{"{ status: integer, headers: table<string, string>, body: string }?", "answer",
                          "names of headers are in lower case"};
constexpr Returned failure{"string?", "err",
                           "why there is none: `not_allowed`, `bad_url`, `timeout`, `too_large`, `too_many`, or `dns: "
                           "...`, `connect: ...`, `tls: ...`, "
                           "`connection: ...`, `bad_response: ...` with what is wrong"};

constexpr Function functions[] = {
    {.name = "get",
     .about =
         "Asks a web server. A redirect is followed to hosts of `policy.rules.http` only; any other is the answer.",
     .call = get,
     .arguments = {{url, options}},
     .returns = {{answer, failure}},
     .waits = true},
    {.name = "post",
     .about = "Sends something to a web server.",
     .call = post,
     .arguments = {{url, {"body", Kind::text, "What is sent, as it is."}, options}},
     .returns = {{answer, failure}},
     .waits = true},
};

}  // namespace

const Library http_library{.path = "sp.http",
                           .about =
                               "Questions to web servers: to the hosts of `policy.rules.http` only, 20 for one mail, "
                               "within the mail's deadline and 5 seconds, for answers of 1 MiB at most. Certificates "
                               "are always verified, by `policy.rules.http_ca`.",
                           .functions = functions};

}  // namespace sallyport::lua
