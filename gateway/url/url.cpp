#include "gateway/url/url.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/url/defanged.h"
#include "gateway/url/host.h"
#include "gateway/url/percent.h"

namespace sallyport::url {

namespace {

constexpr std::size_t max_user_octets = 255;

bool is_slash(char c) { return c == '/' || c == '\\'; }

// Without white space and controls at both ends, and tabs and line ends inside (WHATWG URL, 4.4).
std::string tidied(std::string_view written, Tricks& tricks) {
  const auto is_blank = [](char c) { return c == ' ' || text::is_control(c); };
  while (!written.empty() && is_blank(written.front())) written.remove_prefix(1);
  while (!written.empty() && is_blank(written.back())) written.remove_suffix(1);
  if (written.size() > max_url_octets) {
    written = written.substr(0, max_url_octets);
    add(tricks, Trick::cut);
  }
  std::string out(written);
  const std::size_t before = out.size();
  std::erase_if(out, [](char c) { return c == '\t' || c == '\r' || c == '\n'; });
  if (out.size() != before) add(tricks, Trick::spaces);
  if (auto plain = refanged(out)) {
    out = std::move(*plain);
    add(tricks, Trick::defanged);
  }
  return out;
}

std::uint16_t default_port(std::string_view scheme) {
  if (scheme == "https") return 443;
  if (scheme == "ftp") return 21;
  return scheme == "ftps" ? 990 : 80;
}

// RFC 3986, 5.2.4, of a path that begins with "/". Linear: `out` grows and shrinks by whole segments.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(1, end - 1);
    const bool is_last = end == path.size();
    if (segment == "..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
      if (is_last) out += '/';
    } else if (segment == ".") {
      if (is_last) out += '/';
    } else {
      out.append(path.substr(0, end));
    }
    path.remove_prefix(end);
  }
  return out.empty() ? "/" : out;
}

std::string normal_path(std::string_view rest) {
  const std::size_t end = std::min(rest.find_first_of("?#"), rest.size());
  std::string path(rest.substr(0, end));
  std::replace(path.begin(), path.end(), '\\', '/');
  if (!path.starts_with('/')) path.insert(0, "/");
  return without_dot_segments(percent_normalized(path)) + percent_normalized(rest.substr(end));
}

// Whom names belong to.
struct Owners {
  const Suffixes& suffixes;
  DomainMemo* memo;

  std::string of(std::string_view host) const {
    return memo != nullptr ? memo->of(host, suffixes) : registrable_domain(host, suffixes);
  }
  // The same of a host that is known to be written as its text will be; null: it is not known.
  const std::string* of_known_plain(std::string_view host) const {
    const DomainMemo::Host* known = memo != nullptr ? memo->find(host) : nullptr;
    return known != nullptr && known->is_plain ? &known->domain : nullptr;
  }
  std::string of_new_plain(std::string_view host) const {
    return memo != nullptr ? memo->of(host, suffixes, true) : registrable_domain(host, suffixes);
  }
};

struct Authority {
  std::string_view user;
  std::string_view host;
  std::string_view port;
};

Authority split_authority(std::string_view text) {
  Authority parts;
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    parts.user = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  const std::size_t colon = bracket == std::string_view::npos ? bracket : text.find(':', bracket);
  parts.host = text.substr(0, colon);
  if (colon != std::string_view::npos) parts.port = text.substr(colon + 1);
  return parts;
}

std::optional<Url> address_of(std::string_view text, const Owners& owners, Url url) {
  const std::string decoded = percent_decoded(text.substr(0, text.find_first_of("?,;")));
  const std::size_t at = decoded.rfind('@');
  if (at == std::string::npos || at == 0 || at > max_user_octets) return std::nullopt;
  const auto host = read_host(std::string_view(decoded).substr(at + 1), url.tricks);
  if (!host || host->is_ip || host->name.find('.') == std::string::npos) return std::nullopt;
  url.scheme = "mailto";
  url.user = decoded.substr(0, at);
  if (std::any_of(url.user.begin(), url.user.end(), [](char c) { return c == ' ' || text::is_control(c); })) {
    return std::nullopt;
  }
  url.host = host->name;
  url.domain = owners.of(url.host);
  url.text = "mailto:" + percent_normalized(url.user) + "@" + url.host;
  url.path_at = static_cast<std::uint32_t>(url.text.size());
  return url;
}

bool is_under_known_top(const Url& url, const Suffixes& suffixes) {
  const std::size_t dot = url.host.rfind('.');
  return dot != std::string::npos && suffixes.top.has(std::string_view(url.host).substr(dot + 1));
}

void make_text(Url& url, std::string_view rest) {
  const bool is_ipv6 = url.is_ip && url.host.find(':') != std::string::npos;
  url.text = url.scheme + "://" + (is_ipv6 ? "[" + url.host + "]" : url.host);
  if (url.port != 0) url.text += ":" + std::to_string(url.port);
  url.path_at = static_cast<std::uint32_t>(url.text.size());
  url.text += normal_path(rest);
  if (url.text.size() <= max_url_octets) return;
  url.text.resize(max_url_octets);
  add(url.tricks, Trick::cut);
}

// Takes "http:" and the slashes behind it from the text. A text that begins with two slashes has the scheme of what it
// stands in, which is not known here.
void take_scheme(std::string_view& text, Url& url) {
  const std::size_t colon = text.find(':');
  bool is_defanged = false;
  if (colon != std::string_view::npos) url.scheme = known_scheme(text.substr(0, colon), is_defanged);
  if (is_defanged) add(url.tricks, Trick::defanged);
  const bool has_scheme = !url.scheme.empty();
  if (has_scheme) text.remove_prefix(colon + 1);
  const std::size_t slashes =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_slash) - text.begin());
  if (!has_scheme && slashes < 2) {
    add(url.tricks, Trick::no_scheme);
  } else if (!text.starts_with("//") || slashes != 2) {
    add(url.tricks, Trick::slashes);
  }
  if (has_scheme || slashes >= 2) text.remove_prefix(slashes);
  if (!has_scheme) url.scheme = "http";
}

// Characters of a path, query or fragment that stay as they are, whoever reads them. Brackets and parentheses are not
// among them: they may stand for dots (defanged.h).
constexpr auto is_settled = [] {
  std::array<bool, 256> settled{};
  for (const char c :
       std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'*+,;=:@/?#")) {
    settled[static_cast<unsigned char>(c)] = true;
  }
  return settled;
}();

bool is_host_character(char c) { return (c >= 'a' && c <= 'z') || text::is_digit(c) || c == '-' || c == '.'; }

// A name that neither is an address nor has labels that are read in another way than they are written.
bool is_plain_name(std::string_view host) {
  const std::string_view top = host.substr(host.rfind('.') + 1);
  return is_domain_name(host) && top.size() < host.size() && !top.empty() && text::is_alpha(top.front()) &&
         host.find("xn--") == std::string_view::npos;
}

// A URL that is written as its text will be, as most are: "https://www.example.com/path?query". Nothing for any other.
std::optional<Url> settled_url(std::string_view written, const Owners& owners) {
  const bool is_secure = written.starts_with("https://");
  if (!is_secure && !written.starts_with("http://")) return std::nullopt;
  const std::size_t host_at = is_secure ? 8 : 7;
  std::size_t at = host_at;
  while (at < written.size() && is_host_character(written[at])) ++at;
  if (at == written.size() || written[at] != '/' || written.size() > max_url_octets) return std::nullopt;
  const std::string_view host = written.substr(host_at, at - host_at);
  const std::string* const known_domain = owners.of_known_plain(host);
  if (known_domain == nullptr && !is_plain_name(host)) return std::nullopt;
  for (std::size_t i = at; i < written.size(); ++i) {
    const bool may_be_dot_segment = written[i] == '/' && i + 1 < written.size() && written[i + 1] == '.';
    if (!is_settled[static_cast<unsigned char>(written[i])] || may_be_dot_segment) return std::nullopt;
  }
  std::optional<Url> settled(std::in_place);
  settled->text = written;
  settled->scheme = is_secure ? "https" : "http";
  settled->host = host;
  settled->domain = known_domain != nullptr ? *known_domain : owners.of_new_plain(host);
  settled->path_at = static_cast<std::uint32_t>(at);
  return settled;
}

// A URL in whatever form.
std::optional<Url> read_any_url(std::string_view written, const Owners& owners, Backslash backslash) {
  const Suffixes& suffixes = owners.suffixes;
  Url url;
  const std::string tidy = tidied(written, url.tricks);
  std::string_view text = tidy;
  if (text::starts_with_ignoring_case(text, "mailto:")) return address_of(text.substr(7), owners, std::move(url));
  take_scheme(text, url);
  const std::string_view ends = backslash == Backslash::slash ? "/\\?#" : "/?#";
  const std::size_t end = std::min(text.find_first_of(ends), text.size());
  const Authority authority = split_authority(text.substr(0, end));
  const bool has_scheme = !has(url.tricks, Trick::no_scheme);
  if (!has_scheme && !authority.user.empty()) {
    auto address = address_of(text, owners, std::move(url));
    const bool is_one =
        address && address->user.find(':') == std::string::npos && is_under_known_top(*address, suffixes);
    return is_one ? std::move(address) : std::nullopt;
  }
  auto host = read_host(authority.host, url.tricks);
  if (!host) return std::nullopt;
  url.host = std::move(host->name);
  url.is_ip = host->is_ip;
  if (!has_scheme && !url.is_ip && !is_under_known_top(url, suffixes)) return std::nullopt;
  if (!has_scheme && url.is_ip && has(url.tricks, Trick::ip)) return std::nullopt;  // any number would be one
  if (!url.is_ip) url.domain = owners.of(url.host);
  url.user = percent_normalized(authority.user.substr(0, max_user_octets));
  if (!authority.user.empty()) add(url.tricks, Trick::userinfo);
  const auto port = text::to_number(authority.port, UINT16_MAX);
  if (port && *port != default_port(url.scheme)) url.port = static_cast<std::uint16_t>(*port);
  make_text(url, text.substr(end));
  return url;
}

}  // namespace

std::string registrable_domain(std::string_view host, const Suffixes& suffixes) {
  while (true) {
    std::string found = suffixes.registrable.registrable_domain(host);
    const std::size_t dot = host.find('.');
    if (!found.empty() || dot == std::string_view::npos) return found;
    host.remove_prefix(dot + 1);
  }
}

std::optional<Url> read_url(std::string_view written, const Suffixes& suffixes, Backslash backslash, DomainMemo* memo) {
  const Owners owners{suffixes, memo};
  std::optional<Url> url = settled_url(written, owners);
  if (!url) url = read_any_url(written, owners, backslash);
  return url;
}

}  // namespace sallyport::url
