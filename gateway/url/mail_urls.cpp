#include "gateway/url/mail_urls.h"

#include <string>

#include "gateway/mail/encoded_words.h"
#include "gateway/url/suspicion.h"

namespace sallyport::url {

namespace {

Place place_of(mime::LinkKind kind) {
  switch (kind) {
    case mime::LinkKind::anchor:
    case mime::LinkKind::refresh:
      return Place::link;
    case mime::LinkKind::form:
      return Place::form;
    case mime::LinkKind::image:
    case mime::LinkKind::frame:
    case mime::LinkKind::base:
    case mime::LinkKind::style:
    case mime::LinkKind::script:
      break;
  }
  return Place::resource;
}

// Charsets whose escapes turn octets of ASCII into letters of another script (threats.md M9).
bool shifts(std::string_view charset) { return charset.starts_with("iso-2022") || charset.starts_with("hz"); }
constexpr std::size_t most_unshifted = std::size_t{64} * 1024;

}  // namespace

void add_header_urls(const mail::HeaderSection& header, UrlSet& set) {
  for (const char* name : {"Subject", "List-Unsubscribe", "Reply-To", "From", "Sender"}) {
    for (const mail::HeaderField* field : header.find_all(name)) {
      set.add_text(mail::decode_words(mail::unfold(field->value)), Place::header);
    }
  }
}

void add_part_urls(const mail::Message& message, const mime::Tree& tree, mime::PartIndex part, mime::Contents& contents,
                   UrlSet& set) {
  const mime::Part& about = tree.parts[part];
  if (about.is_container) return;
  const mime::Html& html = contents.html(message, tree, part);
  for (const mime::Link& link : html.links) set.add_link(link.target, link.shown, place_of(link.kind));
  const bool is_text = about.declared_type.empty() || about.declared_type.starts_with("text/") || !html.text.empty();
  if (is_text) set.add_text(contents.text(message, tree, part));
  if (!is_text || !shifts(about.charset)) return;
  const auto octets = contents.bytes(message, tree, part, most_unshifted);
  if (octets) set.add_text(*octets);
}

bool MailUrls::read(const mail::Message& message, const mime::Tree& tree, mime::Contents& contents,
                    std::uint64_t most) {
  if (has_header_ && next_ >= tree.parts.size()) return false;
  is_sorted_ = false;
  if (!has_header_) add_header_urls(message.header(), *set_);
  has_header_ = true;
  std::uint64_t octets = 0;
  while (next_ < tree.parts.size() && octets < most) {
    octets += tree.parts[next_].is_container ? 0 : tree.parts[next_].size;
    add_part_urls(message, tree, next_++, contents, *set_);
  }
  return next_ < tree.parts.size();
}

const std::vector<const Found*>& MailUrls::by_suspicion() {
  if (!is_sorted_) sorted_ = url::by_suspicion(set_->urls());
  is_sorted_ = true;
  return sorted_;
}

void MailUrls::forget() {
  sorted_ = {};
  is_sorted_ = false;
  set_.emplace(suffixes_);
  has_header_ = false;
  next_ = 0;
}

}  // namespace sallyport::url
