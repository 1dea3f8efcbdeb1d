#include "lua/trial/mail.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gateway/base/field_name.h"
#include "gateway/base/text.h"
#include "lua/engine/argument_check.h"

namespace sallyport::lua {

namespace {

constexpr std::uintmax_t most_octets = 10u << 20;

// Raises a Lua error with the line of the test.
[[noreturn]] void fail(lua_State* L, const std::string& message) {
  luaL_where(L, 1);
  push(L, message);
  lua_concat(L, 2);
  lua_error(L);
  std::abort();  // lua_error() does not come back
}

MailAddress read_address(lua_State* L, std::string_view text) {
  if (text.starts_with('<') && text.ends_with('>')) text = text.substr(1, text.size() - 2);
  const std::size_t at = text.rfind('@');
  if (text.empty()) return {};
  if (at == text.npos || at == 0 || at + 1 == text.size()) fail(L, "not an address: " + text::printable(text, 100));
  return {std::string(text.substr(0, at)), text::to_lower(text.substr(at + 1))};
}

std::string string_field(lua_State* L, int table, const char* name) {
  push_option(L, table, name);
  std::string value(is_text(L, -1) ? to_text(L, -1) : std::string_view());
  lua_pop(L, 1);
  return value;
}

bool boolean_field(lua_State* L, int table, const char* name) {
  push_option(L, table, name);
  const bool value = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

lua_Integer integer_field(lua_State* L, int table, const char* name, lua_Integer otherwise) {
  push_option(L, table, name);
  const lua_Integer value = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : otherwise;
  lua_pop(L, 1);
  return value;
}

void read_tls(lua_State* L, int client, policies::Client& to) {
  const int type = push_option(L, client, "tls");
  if (type == LUA_TTABLE || lua_toboolean(L, -1)) {
    policies::TlsFacts tls = policies::presumed_tls();
    if (type == LUA_TTABLE) {
      const int table = lua_gettop(L);
      if (auto version = string_field(L, table, "version"); !version.empty()) tls.version = std::move(version);
      if (auto cipher = string_field(L, table, "cipher"); !cipher.empty()) tls.cipher = std::move(cipher);
      tls.bits = static_cast<int>(integer_field(L, table, "bits", tls.bits));
      tls.client_is_verified = boolean_field(L, table, "verified");
      tls.client_subject = string_field(L, table, "subject");
    }
    to.tls = std::move(tls);
  }
  lua_pop(L, 1);
}

void read_client(lua_State* L, policies::Client& to) {
  if (push_option(L, 1, "client") == LUA_TTABLE) {
    const int client = lua_gettop(L);
    if (const std::string ip = string_field(L, client, "ip"); !ip.empty()) to.ip = *IpAddress::parse(ip);
    to.port = static_cast<std::uint16_t>(integer_field(L, client, "port", to.port));
    if (auto helo = string_field(L, client, "helo"); !helo.empty()) to.helo = std::move(helo);
    // A client's name counts only where it is confirmed, so that a test that gives one means that.
    to.rdns = string_field(L, client, "rdns");
    push_option(L, client, "fcrdns");
    to.fcrdns = lua_isnil(L, -1) ? !to.rdns.empty() : lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    read_tls(L, client, to);
  }
  lua_pop(L, 1);
}

void read_recipients(lua_State* L, std::vector<MailAddress>& to) {
  const int type = push_option(L, 1, "rcpt");
  if (type != LUA_TNIL) to.clear();
  if (type == LUA_TSTRING) {
    to.push_back(read_address(L, to_text(L, -1)));
  } else if (type == LUA_TTABLE) {
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; ++i) {
      to.push_back(read_address(L, to_text(L, -1)));
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  } else if (type != LUA_TNIL) {
    fail(L, "rcpt: expected an address or a list of them");
  }
  lua_pop(L, 1);
}

void add_field(lua_State* L, std::string_view name, std::string_view value, std::string& to) {
  if (!is_field_name(name)) fail(L, "headers: not the name of a field: " + text::printable(name, 100));
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) {
    fail(L, "headers: line ends in the value of " + std::string(name) + "; use `eml` for such mail");
  }
  to += std::string(name) + ": " + std::string(value) + "\r\n";
}

// { Subject = "Hi", Received = { "from a", "from b" } }, sorted by name, or { "Subject: Hi", ... } in that order.
std::string read_headers(lua_State* L) {
  std::string header;
  if (push_option(L, 1, "headers") != LUA_TTABLE) {
    lua_pop(L, 1);
    return header;
  }
  const int table = lua_gettop(L);
  for (lua_Integer i = 1; lua_rawgeti(L, table, i) == LUA_TSTRING; ++i) {
    const std::string line(to_text(L, -1));
    const std::size_t colon = line.find(':');
    if (colon == line.npos) fail(L, "headers: expected \"Name: value\"");
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    add_field(L, line.substr(0, colon), value == line.npos ? std::string() : line.substr(value), header);
    lua_pop(L, 1);
  }
  lua_settop(L, table);
  std::vector<std::pair<std::string, std::string>> named;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (is_text(L, -2)) {
      const std::string name(to_text(L, -2));
      if (is_text(L, -1)) {
        named.emplace_back(name, to_text(L, -1));
      } else if (lua_istable(L, -1)) {
        for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; ++i) {
          named.emplace_back(name, to_text(L, -1));
          lua_pop(L, 1);
        }
        lua_pop(L, 1);
      } else {
        fail(L, "headers: the value of " + text::printable(name, 100) + " is neither a text nor a list of texts");
      }
    }
    lua_pop(L, 1);
  }
  std::stable_sort(named.begin(), named.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [name, value] : named) add_field(L, name, value, header);
  lua_settop(L, table - 1);
  return header;
}

// With CRLF line ends, unless the octets have some already.
std::string as_sent(std::string octets) {
  if (octets.find("\r\n") != octets.npos) return octets;
  std::string sent;
  for (const char c : octets) {
    if (c == '\n') sent += '\r';
    sent += c;
  }
  return sent;
}

std::string read_file(lua_State* L, const std::string& folder, const std::string& name) {
  const bool is_inside = !name.starts_with('/') && name.find("..") == name.npos;
  if (!is_inside) fail(L, "eml: expected the name of a file in the directory of the test");
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  const std::uintmax_t size = is_file ? std::filesystem::file_size(path, error) : 0;
  std::ifstream stream(path, std::ios::binary);
  if (!is_file || error || !stream) fail(L, "eml: " + text::printable(name, 200) + " cannot be read");
  if (size > most_octets) fail(L, "eml: " + text::printable(name, 200) + " is larger than 10 MiB");
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void read_auth(lua_State* L, TrialMail& to) {
  if (push_option(L, 1, "auth") == LUA_TTABLE) {
    const int table = lua_gettop(L);
    for (const char* method : {"spf", "dkim", "dmarc", "arc"}) {
      if (std::string result = string_field(L, table, method); !result.empty()) to.auth.emplace_back(method, result);
    }
  }
  lua_pop(L, 1);
}

void read_outcome(lua_State* L, std::string& to) {
  const std::string said = string_field(L, 1, "outcome");
  if (said.empty()) return;
  constexpr std::string_view outcomes[] = {"relay", "tag", "reject", "tempfail", "quarantine", "discard", "drop"};
  if (std::find(std::begin(outcomes), std::end(outcomes), said) == std::end(outcomes))
    fail(L, "outcome: expected one of relay, tag, reject, tempfail, quarantine, discard, drop");
  to = said;
}

}  // namespace

TrialMail ordinary_mail() {
  TrialMail made;
  policies::Transaction& mail = made.mail;
  mail.id = "01TESTTESTTEST01";
  mail.client.ip = IpAddress::v4({192, 0, 2, 1});
  mail.client.port = 40000;
  mail.client.helo = "client.example";
  mail.client.extended = true;
  mail.from = MailAddress{"ann", "example.org"};
  made.rcpts.push_back({"bob", "example.com"});
  made.content = "\r\n";
  return made;
}

TrialMail read_trial_mail(lua_State* L, const std::string& folder) {
  TrialMail made = ordinary_mail();
  policies::Transaction& mail = made.mail;
  if (auto id = string_field(L, 1, "id"); !id.empty()) mail.id = std::move(id);
  mail.tenant.name = string_field(L, 1, "tenant");
  read_client(L, mail.client);
  push_option(L, 1, "from");
  if (is_text(L, -1)) mail.from = read_address(L, to_text(L, -1));
  lua_pop(L, 1);
  read_recipients(L, made.rcpts);
  read_auth(L, made);
  push_option(L, 1, "score");
  made.score = lua_tonumber(L, -1);
  lua_pop(L, 1);
  read_outcome(L, made.outcome);
  const std::string eml = string_field(L, 1, "eml");
  const std::string body = string_field(L, 1, "body");
  std::string header = read_headers(L);
  if (eml.empty()) {
    made.content = std::move(header) + "\r\n" + as_sent(body);
    return made;
  }
  if (!header.empty() || !body.empty()) fail(L, "eml: a mail from a file has no headers and no body beside it");
  made.content = as_sent(read_file(L, folder, eml));
  return made;
}

}  // namespace sallyport::lua
