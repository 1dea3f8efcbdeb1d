// Url: a URL of a mail in one form, whatever form it was written in (RFC 3986, 6; WHATWG URL).
//
// Two ways of writing that lead to the same place have the same text: scheme and host in lower case, the host as the
// DNS knows it (host.h), no default port, no user information, no dot segments, backslashes as slashes, no more
// encoding than needed. The text is printable ASCII without white space. A mail address is a URL too:
// "mailto:ann@example.org".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/url/domain_memo.h"
#include "gateway/url/suffixes.h"
#include "gateway/url/trick.h"

namespace sallyport::url {

inline constexpr std::size_t max_url_octets = std::size_t{8} * 1024;  // of one URL, as written and as text

struct Url {
  std::string text;
  std::string scheme;      // "http", "https", "ftp", "ftps", "mailto"
  std::string host;        // lower case, A-labels; an IPv6 address without brackets
  std::string domain;      // the registrable domain of the host; empty for an address, and for a name that has none
  std::string user;        // what stands before the host and "@"; of a mail address its local part
  std::uint16_t port = 0;  // 0: the scheme's own
  bool is_ip = false;
  std::uint32_t path_at = 0;  // where path, query and fragment begin in the text
  Tricks tricks;

  bool is_address() const { return scheme == "mailto"; }
  std::string_view path() const { return std::string_view(text).substr(path_at); }
  // Who is behind it: the registrable domain, else the host.
  const std::string& owner() const { return domain.empty() ? host : domain; }

  template <class V>
  void fields(V& visit) {
    visit("url", text);
    visit("scheme", scheme);
    visit("host", host);
    visit("domain", domain);
    visit("user", user);
    visit("port", port);
    visit("ip", is_ip);
    visit("path_at", path_at);
    visit("tricks", tricks);
  }
};

// What a backslash before the host's end is: browsers take it for a slash, other programs for a part of what stands
// before "@". "http://a.example\@b.example" leads to the one or to the other.
enum class Backslash : std::uint8_t { slash, plain };

// Reads one URL. Without a scheme it must begin with a name under a top-level domain that exists, or be a mail address.
// Nothing when no URL of the schemes above is meant. `memo`: of the URLs of one mail, which are read with it; null:
// none.
std::optional<Url> read_url(std::string_view written, const Suffixes& suffixes, Backslash backslash = Backslash::slash,
                            DomainMemo* memo = nullptr);

}  // namespace sallyport::url
