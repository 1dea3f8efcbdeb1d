// UrlSet: the URLs of one mail, each once, with where it was found and where it leads.
//
// Bounded: 1,000 URLs of 8 KiB, and of 256 KiB in all; what is beyond is left out, and is_whole() is false. Beyond the
// 256 KiB a URL is kept without its path, so that the names of a mail full of long URLs are still known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/url/hash_index.h"
#include "gateway/url/url.h"

namespace sallyport {

namespace url {

// From what a reader rather follows to what he does not see.
enum class Place : std::uint8_t {
  form,      // where a form is sent to
  link,      // a link in HTML
  text,      // text that is shown, and attachments of text
  resource,  // pictures, styles, frames and the like in HTML
  header,    // a header field
};

struct Found {
  Url url;
  Place place = Place::text;  // the first in the order above, where it was found several times
  std::string shown;          // the text that a link shows; 256 octets at most
  bool shows_other = false;   // that text names another domain than the link leads to
  // It was found within this one, which leads to it (wrapped_url.h).
  std::optional<std::uint32_t> within;

  template <class V>
  void fields(V& visit) {
    url.fields(visit);
    visit("place", place);
    visit("shown", shown);
    visit("shows_other", shows_other);
    visit("within", within);
  }
};

struct UrlLimits {
  std::size_t urls = 1000;
  std::size_t octets = std::size_t{256} * 1024;
  unsigned depth = 5;  // of wrapped URLs
};

class UrlSet {
 public:
  // `suffixes` must outlive the set.
  explicit UrlSet(const Suffixes& suffixes, const UrlLimits& limits = {}) : suffixes_(suffixes), limits_(limits) {}

  // All URLs and mail addresses in a text.
  void add_text(std::string_view text, Place place = Place::text);
  // The target of a link or the like, with the text that is shown for it. A target that is relative to another is left
  // out: that other one is a target, too.
  void add_link(std::string_view target, std::string_view shown, Place place = Place::link);

  // URLs with a scheme in the source of a document with code, of hosts that are in none found so far: where code leads
  // to.
  void add_code(std::string_view source);

  // In the order in which they were found; a wrapped URL stands behind what leads to it.
  const std::vector<Found>& urls() const { return urls_; }
  std::vector<Found> take() { return std::move(urls_); }
  bool is_whole() const { return is_whole_; }

 private:
  std::optional<std::uint32_t> add(std::string_view written, Place place);
  std::optional<std::uint32_t> add_with_targets(Url&& url, Place place, const std::uint64_t* hash);
  std::optional<std::uint32_t> add_one(Url&& url, Place place, std::optional<std::uint32_t> within,
                                       const std::uint64_t* hash, std::vector<std::string>* targets);
  std::uint32_t keep(Url&& url, Place place, std::uint64_t hash, std::optional<std::uint32_t> within);
  void add_data(std::string_view uri);
  bool leads_to(std::uint32_t from, std::string_view owner) const;
  std::string first_owner_in(std::string_view shown) const;

  Suffixes suffixes_;
  mutable DomainMemo domains_;
  UrlLimits limits_;
  std::vector<Found> urls_;
  HashIndex known_;  // by a keyed hash of the text
  std::size_t octets_ = 0;
  bool is_whole_ = true;
};

}  // namespace url

template <>
inline constexpr auto words_of<url::Place> =
    std::to_array<std::string_view>({"form", "link", "text", "resource", "header"});

}  // namespace sallyport
