// The header section and what its fields say (threats.md, section 13). What must hold for any octets: nothing is lost
// between fields, text for people is valid UTF-8 on one line, and a message is the same whole and one octet at a time.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/charset.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/mail/address_list.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "gateway/mail/message.h"
#include "gateway/mail/received.h"

namespace {

using namespace sallyport;

void check_fields(const mail::HeaderSection& header, std::string_view octets) {
  std::size_t at = 0;
  for (const mail::HeaderField& field : header.fields()) {
    ensure(field.whole.data() == octets.data() + at, "fields do not follow each other");
    at += field.whole.size();
    ensure(mail::unfold(field.value).find_first_of("\r\n") == std::string::npos, "an unfolded value has a line end");
    const mail::DecodedText decoded = mail::decode_text(field.value, mail::declared_charset(header));
    ensure(text::is_utf8(decoded.text), "decoded text is not UTF-8");
    ensure(decoded.text.find_first_of("\r\n") == std::string::npos, "decoded text has a line end");
    ensure(to_normal_form(decoded.text) == decoded.text, "decoded text is not in normal form");
    for (const char c : decoded.problem) ensure(text::is_printable(c), "a problem that cannot be shown");
    const auto mailboxes = mail::mailboxes(field.value, 1000);
    ensure((mailboxes.empty() ? "" : mailboxes.front().address) == mail::first_address(field.value), "two readings");
  }
  ensure(at <= octets.size(), "fields go past the section");
  mail::find_loop_signs(header, "mx1.example.com");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  check_fields(mail::HeaderSection(octets), octets);

  const auto spool = mail::make_file_spool("/nonexistent");
  mail::Message whole({}, *spool);
  whole.append(octets);
  mail::Message parts({}, *spool);
  for (std::size_t i = 0; i < size; ++i) parts.append(octets.substr(i, 1));
  ensure(whole.header_octets() == parts.header_octets(), "the header ends elsewhere when it comes octet by octet");
  ensure(whole.header_is_complete() == parts.header_is_complete(), "the header is complete only when it comes whole");
  ensure(whole.header_octets().size() + whole.body_octets() == size, "octets are lost between header and body");
  whole.parse_header();
  check_fields(whole.header(), whole.header_octets());
  return 0;
}
