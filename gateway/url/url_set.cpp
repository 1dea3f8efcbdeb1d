#include "gateway/url/url_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/base64.h"
#include "gateway/base/id.h"
#include "gateway/base/sip_hash.h"
#include "gateway/base/text.h"
#include "gateway/url/percent.h"
#include "gateway/url/scanner.h"
#include "gateway/url/wrapped_url.h"

namespace sallyport::url {

namespace {

constexpr std::size_t max_shown_octets = 256;

// Where the readings of a host part: at the first character that hosts do not have.
std::string_view up_to_odd_character(std::string_view written) {
  const std::size_t scheme = written.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t odd = written.find_first_of("!$&'()*+,;=~{}|\"^`[]%\\", begin);
  return odd == std::string_view::npos ? std::string_view() : written.substr(0, odd);
}

std::string_view up_to_wide_letter(std::string_view written) {
  const auto wide = std::find_if_not(written.begin(), written.end(), [](char c) { return text::is_ascii(c); });
  return written.substr(0, static_cast<std::size_t>(wide - written.begin()));
}

// Leaves out the path; false when there is none, or it is needed.
bool cut_to_host(Url& url) {
  if (url.is_address() || url.text.size() <= url.path_at + 1) return false;
  url.text.resize(url.path_at);
  url.text += '/';
  add(url.tricks, Trick::cut);
  return true;
}

std::uint64_t hash_of(std::string_view text) {
  static const HashKey key{random_seed(), random_seed()};
  SipHash<2, 4> hash(key);
  hash.add(text);
  return hash.finish();
}

// All that the text may mean (threats.md M5): what browsers take it for comes first.
std::vector<Url> readings_of(std::string_view written, const Suffixes& suffixes, DomainMemo& domains) {
  std::vector<Url> all;
  const auto read = [&](std::string_view text, Backslash backslash) {
    auto url = text.empty() ? std::nullopt : read_url(text, suffixes, backslash, &domains);
    if (!url) return;
    const bool is_new =
        std::none_of(all.begin(), all.end(), [&url](const Url& known) { return known.text == url->text; });
    if (is_new) all.push_back(std::move(*url));
  };
  read(written, Backslash::slash);
  if (written.find('\\') != std::string_view::npos && written.find('@') != std::string_view::npos) {
    read(written, Backslash::plain);
  }
  // Where no reader would take the whole for a host, some take its beginning.
  if (all.empty() || has(all.front().tricks, Trick::odd_host)) read(up_to_odd_character(written), Backslash::slash);
  if (!all.empty() && has(all.front().tricks, Trick::idn) && !all.front().is_address()) {
    const std::string& host = all.front().host;
    // "http://example.com" and letters of a script without spaces behind it.
    if (!suffixes.top.has(std::string_view(host).substr(host.rfind('.') + 1))) {
      read(up_to_wide_letter(written), Backslash::slash);
    }
  }
  return all;
}

}  // namespace

void UrlSet::add_text(std::string_view text, Place place) {
  scan_for_urls(text, suffixes_.top, [this, place](std::string_view written) {
    add(written, place);
    return urls_.size() < limits_.urls || is_whole_;
  });
}

void UrlSet::add_code(std::string_view source) {
  constexpr unsigned most = 200;
  // Names of namespaces, which nobody opens.
  constexpr std::array<std::string_view, 3> of_namespaces{"schemas.microsoft.com", "schema.org",
                                                          "schemas.openxmlformats.org"};
  unsigned count = 0;
  scan_for_urls(source, suffixes_.top, [&](std::string_view written) {
    const auto url = read_url(written, suffixes_, Backslash::slash, &domains_);
    if (!url || has(url->tricks, Trick::no_scheme) || url->is_address()) return true;
    const bool is_known =
        url->domain == "w3.org" ||
        std::find(of_namespaces.begin(), of_namespaces.end(), url->host) != of_namespaces.end() ||
        std::any_of(urls_.begin(), urls_.end(), [&url](const Found& one) { return one.url.host == url->host; });
    if (!is_known) add(written, Place::resource);
    return ++count < most;
  });
}

// "data:text/html;base64,PGEgaHJlZj0i..." (RFC 2397), and the same percent-encoded.
void UrlSet::add_data(std::string_view uri) {
  const std::size_t comma = uri.find(',');
  if (comma == std::string_view::npos) return;
  const std::string_view head = uri.substr(0, comma);
  if (text::starts_with_ignoring_case(head, "data:image/") && head.find("svg") == std::string_view::npos) return;
  const std::string content = percent_decoded(uri.substr(comma + 1));
  add_text(text::ends_with_ignoring_case(head, "base64") ? from_base64_leniently(content) : content, Place::resource);
}

void UrlSet::add_link(std::string_view target, std::string_view shown, Place place) {
  target = target.substr(0, max_url_octets);
  // They name parts of the mail (RFC 2392).
  if (text::starts_with_ignoring_case(target, "cid:") || text::starts_with_ignoring_case(target, "mid:")) return;
  if (text::starts_with_ignoring_case(target, "data:")) return add_data(target);
  const auto index = add(target, place);
  // "javascript:location='https://example.com'", "view-source:https://example.com", "mailto:ann@example.org,bob@..."
  const std::size_t begin = urls_.size();
  if (!index || urls_[*index].url.is_address()) add_text(target, place);
  auto link = index;
  if (!link && begin < urls_.size()) link = static_cast<std::uint32_t>(begin);
  if (!link || (place != Place::link && place != Place::form)) return;
  Found& found = urls_[*link];
  if (found.shown.empty()) found.shown = shown.substr(0, max_shown_octets);
  const std::string owner = first_owner_in(shown);
  if (!owner.empty() && !leads_to(*link, owner)) found.shows_other = true;
}

std::optional<std::uint32_t> UrlSet::add(std::string_view written, Place place) {
  // What stands in a text stands in a link of the HTML beside it, too.
  const std::uint64_t hash = hash_of(written);
  const auto same = known_.find(hash);
  if (same && urls_[*same].url.text == written) {
    Found& found = urls_[*same];
    found.place = std::min(found.place, place);
    return same;
  }
  auto url = read_url(written, suffixes_, Backslash::slash, &domains_);
  // Written in its one form, as most are: it can mean nothing else.
  if (url && url->tricks.empty() && url->text == written) return add_with_targets(std::move(*url), place, &hash);
  std::optional<std::uint32_t> first;
  for (Url& one : readings_of(written, suffixes_, domains_)) {
    const auto index = add_with_targets(std::move(one), place, nullptr);
    if (!first) first = index;
  }
  return first;
}

// The index of the URL itself; nothing when there is no room for it. `hash`: that of its text; null: not known.
std::optional<std::uint32_t> UrlSet::add_with_targets(Url&& url, Place place, const std::uint64_t* hash) {
  std::vector<std::string> targets;
  const auto first = add_one(std::move(url), place, std::nullopt, hash, limits_.depth > 0 ? &targets : nullptr);
  if (!first || targets.empty()) return first;
  struct Waiting {
    std::string written;
    std::uint32_t within;
    unsigned depth;
  };
  // The last first, so that the first is taken out first.
  std::vector<Waiting> waiting;
  const auto wait = [&waiting, &targets](std::uint32_t within, unsigned depth) {
    for (auto target = targets.rbegin(); target != targets.rend(); ++target)
      waiting.push_back({std::move(*target), within, depth});
    targets.clear();
  };
  wait(*first, 1);
  while (!waiting.empty()) {
    const Waiting next = std::move(waiting.back());
    waiting.pop_back();
    auto inner = read_url(next.written, suffixes_, Backslash::slash, &domains_);
    if (!inner) continue;
    const auto index =
        add_one(std::move(*inner), place, next.within, nullptr, next.depth < limits_.depth ? &targets : nullptr);
    if (!index) break;
    wait(*index, next.depth + 1);
  }
  return first;
}

// `targets`: gets those of a new URL; null: they are not wanted. Nothing when there is no room.
std::optional<std::uint32_t> UrlSet::add_one(Url&& url, Place place, std::optional<std::uint32_t> within,
                                             const std::uint64_t* hash, std::vector<std::string>* targets) {
  if (octets_ + url.text.size() > limits_.octets && cut_to_host(url)) {
    is_whole_ = false;
    hash = nullptr;
  }
  const std::uint64_t of_text = hash != nullptr ? *hash : hash_of(url.text);
  const auto known = known_.find(of_text);
  if (known) {
    Found& found = urls_[*known];
    found.place = std::min(found.place, place);
    if (!found.within && within && *within < *known) found.within = within;
    return known;
  }
  if (urls_.size() >= limits_.urls) {
    is_whole_ = false;
    return std::nullopt;
  }
  if (targets != nullptr) *targets = wrapped_urls(url);
  return keep(std::move(url), place, of_text, within);
}

std::uint32_t UrlSet::keep(Url&& url, Place place, std::uint64_t hash, std::optional<std::uint32_t> within) {
  const auto index = static_cast<std::uint32_t>(urls_.size());
  known_.add(hash, index);
  octets_ += url.text.size();
  constexpr std::size_t usual = 32;
  if (urls_.empty()) urls_.reserve(usual);
  Found& found = urls_.emplace_back();
  found.url = std::move(url);
  found.place = place;
  found.within = within;
  return index;
}

// Whether the link, or what is wrapped in it, leads to the owner. Each URL stands behind the one it was found in.
bool UrlSet::leads_to(std::uint32_t from, std::string_view owner) const {
  for (std::uint32_t i = from; i < urls_.size(); ++i) {
    std::optional<std::uint32_t> outer = i;
    while (outer && *outer > from) outer = urls_[*outer].within;
    if (outer == from && urls_[i].url.owner() == owner) return true;
  }
  return false;
}

std::string UrlSet::first_owner_in(std::string_view shown) const {
  std::string owner;
  scan_for_urls(shown, suffixes_.top, [&](std::string_view written) {
    const auto url = read_url(written, suffixes_, Backslash::slash, &domains_);
    if (url && !url->is_address()) owner = url->owner();
    return owner.empty();
  });
  return owner;
}

}  // namespace sallyport::url
