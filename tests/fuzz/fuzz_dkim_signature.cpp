// A message whose header section and signatures are a stranger's (threats.md D15-D20): parsing, canonical forms, what
// is hashed. What must hold for any octets: a well-formed signature is within its bounds, and the body's digest is the
// same whole and in pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/header_input.h"
#include "gateway/signature/key_record.h"
#include "gateway/signature/signature_field.h"

namespace {

using namespace sallyport;

void check_signature(const signature::Signature& read) {
  ensure(text::is_ascii(read.domain) && text::is_ascii(read.identity), "a name is not in A-labels");
  if (!read.is_well_formed()) return;
  ensure(!read.domain.empty() && !read.selector.empty(), "a signature without a name");
  ensure(!read.value.empty() && read.value.size() <= 1024, "b= is out of bounds");
  ensure(read.body_hash.size() == 32 || read.body_hash.size() == 20, "bh= is out of bounds");
  ensure(read.signed_names.size() <= signature::max_signed_names, "h= is out of bounds");
  ensure(read.identity_domain.ends_with(read.domain), "i= lies outside d=");
  if (const auto name = signature::key_record_name(read)) ensure(name->size() <= 253, "a name that cannot be asked");
}

void check_body(std::string_view body, const signature::BodyForm& form, std::size_t piece) {
  signature::BodyHasher hasher({form});
  for (std::string_view rest = body; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
    hasher.feed(rest.substr(0, piece));
  ensure(hasher.finish().front().digest == signature::hash_body(body, form).digest, "pieces make another digest");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const std::size_t end = octets.find("\r\n\r\n");
  const std::string_view header = octets.substr(0, end == std::string_view::npos ? size : end + 4);
  const std::string_view body = octets.substr(header.size());

  const mail::HeaderSection section(header);
  const signature::FieldIndex index(section);
  for (const mail::HeaderField& field : section.fields()) {
    if (!text::equals_ignoring_case(field.name, "DKIM-Signature")) continue;
    const signature::Signature read = signature::parse_dkim_signature(field.value);
    check_signature(read);
    if (!read.is_well_formed()) continue;
    std::string input;
    for (const mail::HeaderField* selected : index.select(read.signed_names, &field)) {
      ensure(selected != &field, "a signature signs itself");
      signature::append_canonical(input, *selected, read.header);
    }
    signature::append_own_field(input, field, read.raw_value, read.header);
    ensure(input.size() <= header.size() + 2 * section.fields().size(), "more is hashed than is there");
    check_body(body, read.body, 1 + size % 7);
  }
  return 0;
}
