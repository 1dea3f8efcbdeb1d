#include "gateway/url/wrapped_url.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "gateway/base/base64.h"
#include "gateway/base/octet_search.h"
#include "gateway/base/text.h"
#include "gateway/url/percent.h"

namespace sallyport::url {

namespace {

// Of a value that was encoded several times.
constexpr int max_decodings = 3;

bool is_or_is_below(std::string_view host, std::string_view parent) {
  if (!host.ends_with(parent)) return false;
  return host.size() == parent.size() || host[host.size() - parent.size() - 1] == '.';
}

// True for what begins with "http:/", "https:\" or the like.
bool begins_like_a_url(std::string_view text) {
  const std::size_t colon = text.substr(0, 6).find(':');
  if (colon == std::string_view::npos || colon + 1 >= text.size()) return false;
  const std::string_view scheme = text.substr(0, colon);
  const bool is_known = text::equals_ignoring_case(scheme, "http") || text::equals_ignoring_case(scheme, "https") ||
                        text::equals_ignoring_case(scheme, "ftp");
  return is_known && (text[colon + 1] == '/' || text[colon + 1] == '\\');
}

// Base64 of either alphabet, with or without padding.
std::string decoded_base64(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  return from_base64_leniently(plain);
}

// True for "//example.com/a", which has the scheme of what it stands in.
bool begins_like_a_host(std::string_view text) {
  if (!text.starts_with("//")) return false;
  const std::string_view host = text.substr(2, std::min(text.find('/', 2), text.size()) - 2);
  return host.find('.') != std::string_view::npos && text::is_alnum(host.front());
}

// The URL that a text is, perhaps encoded several times or in base64.
std::optional<std::string> url_in(std::string text) {
  for (int i = 0; i < max_decodings; ++i) {
    if (begins_like_a_url(text) || begins_like_a_host(text)) return text;
    if (text.find('%') == std::string::npos) break;
    std::string decoded = percent_decoded(text);
    if (decoded == text) break;
    text = std::move(decoded);
  }
  if (begins_like_a_url(text) || begins_like_a_host(text)) return text;
  // "http" in base64; Bing writes "a1" before it.
  const std::string_view digits = std::string_view(text).substr(text.starts_with("a1") ? 2 : 0);
  if (!digits.starts_with("aHR0c") && !digits.starts_with("SFRUU")) return std::nullopt;
  std::string decoded = decoded_base64(digits);
  if (!begins_like_a_url(decoded)) return std::nullopt;
  return decoded;
}

struct Parameter {
  std::string_view name;
  std::string_view value;
};

std::vector<Parameter> parameters_of(std::string_view query) {
  constexpr std::size_t most = 100;
  std::vector<Parameter> found;
  while (!query.empty() && found.size() < most) {
    const std::size_t end = std::min(query.find_first_of("&;"), query.size());
    const std::string_view one = query.substr(0, end);
    const std::size_t equals = std::min(one.find('='), one.size());
    found.push_back({one.substr(0, equals), one.substr(std::min(equals + 1, one.size()))});
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return found;
}

std::optional<std::string_view> value_of(const std::vector<Parameter>& parameters, std::string_view name) {
  for (const Parameter& one : parameters) {
    if (one.name == name) return one.value;
  }
  return std::nullopt;
}

// Proofpoint, v2: "-" stands for "%", "_" for "/".
std::string proofpoint_v2(std::string_view value) {
  std::string text(value);
  std::replace(text.begin(), text.end(), '-', '%');
  std::replace(text.begin(), text.end(), '_', '/');
  return percent_decoded(text);
}

// The first characters of `text`, so many as are asked for; they are taken from it.
std::string take_characters(std::string_view& text, std::size_t count) {
  std::string taken;
  for (; count > 0 && !text.empty(); --count) {
    const auto character = text::decode_utf8(text);
    const std::size_t octets = character ? character->octets : 1;
    taken.append(text.substr(0, octets));
    text.remove_prefix(octets);
  }
  return taken;
}

// Proofpoint, v3: "/v3/__URL__;BASE64!...". Each "*" in the URL stands for one character of what the base64 says, "**X"
// for as many as X, a digit of base64, says, and two.
std::optional<std::string> proofpoint_v3(std::string_view path) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t begin = path.find("/v3/__");
  const std::size_t end = path.rfind("__;");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + 6) return std::nullopt;
  const std::string_view url = path.substr(begin + 6, end - begin - 6);
  const std::string_view rest = path.substr(end + 3);
  const std::string octets = decoded_base64(rest.substr(0, rest.find('!')));
  std::string_view left = octets;
  std::string out;
  for (std::size_t i = 0; i < url.size(); ++i) {
    if (url[i] != '*') {
      out += url[i];
      continue;
    }
    const bool is_run = url.size() - i > 2 && url[i + 1] == '*' && digits.find(url[i + 2]) != std::string_view::npos;
    out += take_characters(left, is_run ? digits.find(url[i + 2]) + 2 : 1);
    if (is_run) i += 2;
  }
  return out;
}

// Parameters that hold a name or a URL without a scheme, by who writes them.
struct Writer {
  std::string_view host;
  std::string_view parameter;
};
constexpr std::array<Writer, 7> writers{{
    {"mimecast.com", "domain"},
    {"mimecastprotect.com", "domain"},
    {"protection.sophos.com", "d"},
    {"safelinks.protection.outlook.com", "url"},
    {"safelinks.protection.office365.us", "url"},
    {"linkprotect.cudasvc.com", "a"},
    {"urldefense.proofpoint.com", "u"},
}};

class Targets {
 public:
  void add(std::optional<std::string> target) {
    if (!target || target->empty() || found_.size() >= max_targets) return;
    if (std::find(found_.begin(), found_.end(), *target) == found_.end()) found_.push_back(std::move(*target));
  }
  std::vector<std::string> take() { return std::move(found_); }

 private:
  std::vector<std::string> found_;
};

bool is_of_proofpoint(const Url& url) {
  return url.owner() == "urldefense.com" || url.owner() == "urldefense.us" || url.owner() == "proofpoint.com";
}
bool is_of_google(const Url& url) { return url.domain.starts_with("google."); }

// False for a URL that has no target, as most have none: a URL in it would show its colon, an escape, or the beginning
// that "http" has in base64.
bool may_have_targets(const Url& url) {
  const std::string_view path = url.path();
  const bool has_mark = find_octet<':', '%'>(path, 0) < path.size();
  if (has_mark || path.find("aHR0c") != std::string_view::npos || path.find("SFRUU") != std::string_view::npos)
    return true;
  // "url=//example.com"
  if (path.find("=//") != std::string_view::npos) return true;
  return is_of_google(url) || is_of_proofpoint(url) || url.owner() == "ampproject.org" ||
         url.owner() == "translate.goog" || url.host.ends_with(".translate.goog") ||
         std::any_of(writers.begin(), writers.end(),
                     [&url](const Writer& writer) { return is_or_is_below(url.host, writer.host); });
}

void add_of_known_writers(const Url& url, const std::vector<Parameter>& parameters, Targets& targets) {
  const std::string_view path = url.path();
  const bool is_proofpoint = is_of_proofpoint(url);
  if (is_proofpoint) targets.add(proofpoint_v3(path));
  if (is_proofpoint && path.starts_with("/v2/")) {
    if (const auto value = value_of(parameters, "u")) targets.add(proofpoint_v2(*value));
    return;
  }
  for (const Writer& writer : writers) {
    if (!is_or_is_below(url.host, writer.host)) continue;
    if (const auto value = value_of(parameters, writer.parameter)) targets.add(query_decoded(*value));
  }
  // "/amp/s/example.com/page" of Google is https://example.com/page, without the "s" http://. Of the AMP cache the same
  // stands behind "/c/" and other letters.
  const std::size_t at = is_of_google(url) && path.starts_with("/amp/")                                        ? 5
                         : is_or_is_below(url.host, "cdn.ampproject.org") && path.size() > 3 && path[2] == '/' ? 3
                                                                                                               : 0;
  if (at > 0) {
    const bool is_secure = path.substr(at).starts_with("s/");
    targets.add((is_secure ? "https://" : "http://") + std::string(path.substr(at + (is_secure ? 2 : 0))));
  }
  // "www-example-com.translate.goog": a hyphen is a dot, two are one hyphen.
  constexpr std::string_view translator = ".translate.goog";
  if (url.host.ends_with(translator)) {
    const std::string_view name = std::string_view(url.host).substr(0, url.host.size() - translator.size());
    std::string host;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const bool is_double = name[i] == '-' && i + 1 < name.size() && name[i + 1] == '-';
      host += name[i] == '-' && !is_double ? '.' : name[i];
      i += is_double ? 1 : 0;
    }
    targets.add("https://" + host + std::string(path));
  }
}

// A URL that stands in the path as it is, or encoded: "/r/https://example.com", "/id/https%3A%2F%2Fexample.com%2F".
std::optional<std::string> url_in_path(std::string_view whole) {
  const std::string_view path = whole.substr(0, whole.find_first_of("?#"));
  for (std::size_t at = path.find("http"); at != std::string_view::npos; at = path.find("http", at + 4)) {
    if (at == 0) continue;
    if (begins_like_a_url(path.substr(at))) return std::string(whole.substr(at));
    const std::string_view behind = path.substr(at + 4, 10);
    if (!behind.starts_with('%') && !behind.starts_with("s%")) continue;
    // A whole segment was encoded.
    const std::string_view segment = path.substr(at, std::min(path.find('/', at), path.size()) - at);
    if (auto found = url_in(std::string(segment))) return found;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> wrapped_urls(const Url& url) {
  if (url.is_address() || !may_have_targets(url)) return {};
  const std::string_view path = url.path();
  const std::size_t question = std::min(path.find('?'), path.size());
  const std::string_view query = path.substr(std::min(question + 1, path.size()));
  const std::vector<Parameter> parameters = parameters_of(query);
  Targets targets;
  add_of_known_writers(url, parameters, targets);
  for (const Parameter& one : parameters) {
    targets.add(url_in(query_decoded(one.value)));
    // A target that was not encoded may go on to the end: its own parameters follow.
    const std::string_view bare = begins_like_a_url(one.value) ? one.value : one.name;
    if (begins_like_a_url(bare)) {
      targets.add(std::string(query.substr(static_cast<std::size_t>(bare.data() - query.data()))));
    } else if (one.value.empty()) {
      targets.add(url_in(query_decoded(one.name)));
    }
  }
  const std::size_t fragment = std::min(path.find('#'), path.size());
  targets.add(url_in(std::string(path.substr(std::min(fragment + 1, path.size())))));
  // Proofpoint's v3 has been read above; with its marks the URL in the path is another.
  if (path.find("/v3/__") == std::string_view::npos) targets.add(url_in_path(path));
  return targets.take();
}

}  // namespace sallyport::url
