#include "gateway/url/mail_urls.h"

#include <algorithm>
#include <string>

#include "gateway/base/mail_address.h"
#include "gateway/mail/address_list.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mime/raw_reader.h"
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

bool is_folded(const mime::Part& part) {
  return part.real_types.has_any(mime::FileTypes(mime::FileType::calendar) | mime::FileType::vcard);
}

// Without the line ends that a calendar or a card has within its lines (RFC 5545, 3.1).
std::string without_folds(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    joined += text.substr(0, end);
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (!text.starts_with(' ') && !text.starts_with('\t')) {
      joined += '\n';
      continue;
    }
    text.remove_prefix(1);
    if (joined.ends_with('\r')) joined.pop_back();
  }
  return joined;
}

// As it is shown where lines that end with a space are joined without it (RFC 3676, 4.2).
std::string without_soft_breaks(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool is_soft = line.ends_with(' ') && line != "-- ";
    joined += is_soft ? line.substr(0, line.size() - 1) : line;
    if (!is_soft) joined += '\n';
  }
  return joined;
}

// White space within the brackets of List-Unsubscribe means nothing (RFC 2369, 2).
std::string without_white(std::string_view value) {
  std::string plain(value);
  std::erase_if(plain, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return plain;
}

bool has_addresses(std::string_view name) { return name != "Subject" && name != "List-Unsubscribe"; }

// The domains of addresses whose local part is quoted, which are none in a text.
void add_quoted_addresses(std::string_view value, UrlSet& set) {
  constexpr std::size_t most = 20;
  if (value.find('"') == std::string_view::npos) return;
  for (const mail::Mailbox& mailbox : mail::mailboxes(value, most)) {
    const std::size_t at = mailbox.address.rfind('@');
    if (at == std::string::npos) continue;
    const std::string_view local = std::string_view(mailbox.address).substr(0, at);
    const bool is_plain = std::all_of(local.begin(), local.end(), [](char c) { return c == '.' || is_atext(c); });
    if (!is_plain) set.add_text(std::string_view(mailbox.address).substr(at + 1), Place::header);
  }
}

// What the fields of a part say: of a body that stands elsewhere, its URL (RFC 2017).
void add_fields(const mail::Message& message, const mime::Tree& tree, const mime::Part& part, UrlSet& set) {
  constexpr std::size_t most = std::size_t{16} * 1024;
  mime::RawReader reader(message, tree, part.source, part.header_begin, part.begin);
  std::string fields;
  while (fields.size() < most) {
    const auto piece = reader.next();
    if (!piece || piece->empty()) break;
    fields += piece->substr(0, most - fields.size());
  }
  set.add_text(mail::unfold(fields));
}

constexpr std::size_t most_unshifted = std::size_t{64} * 1024;

}  // namespace

void add_header_urls(const mail::HeaderSection& header, UrlSet& set) {
  for (const char* name : {"Subject", "List-Unsubscribe", "Reply-To", "From", "Sender"}) {
    for (const mail::HeaderField* field : header.find_all(name)) {
      set.add_text(mail::decode_words(mail::unfold(field->value)), Place::header);
      if (std::string_view(name) == "List-Unsubscribe") set.add_text(without_white(field->value), Place::header);
      if (has_addresses(name)) add_quoted_addresses(field->value, set);
    }
  }
}

void add_part_urls(const mail::Message& message, const mime::Tree& tree, mime::PartIndex part, mime::Contents& contents,
                   UrlSet& set) {
  const mime::Part& about = tree.parts[part];
  if (about.is_container) return;
  if (about.oddities.has(mime::Oddity::external_body)) add_fields(message, tree, about, set);
  const mime::Html& html = contents.html(message, tree, part);
  for (const mime::Link& link : html.links) set.add_link(link.target, link.shown, place_of(link.kind));
  if (!html.hidden_text.empty()) set.add_text(html.hidden_text);
  if (html.has_code) set.add_code(contents.source(message, tree, part).utf8);
  using mime::FileType;
  constexpr mime::FileTypes texts =
      mime::FileTypes(FileType::text) | FileType::url_shortcut | FileType::rtf | FileType::calendar | FileType::vcard;
  const bool is_text = about.declared_type.empty() || about.declared_type.starts_with("text/") || !html.text.empty() ||
                       about.real_types.has_any(texts);
  if (is_text) {
    const std::string& text = contents.text(message, tree, part);
    set.add_text(text);
    if (is_folded(about)) set.add_text(without_folds(text));
    if (about.joins_lines) set.add_text(without_soft_breaks(text));
  }
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
