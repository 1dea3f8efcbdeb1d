// The octets over which a header signature is computed (RFC 6376, 3.7 and 5.4.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/signature/canonical.h"

namespace sallyport::signature {

// An index of a section's fields by name, made once for all signatures of a mail, so that selecting fields stays linear
// whatever the h= lists contain. The section must outlive it.
class FieldIndex {
 public:
  explicit FieldIndex(const mail::HeaderSection& section);

  // The fields that h= selects, in its order: for each name the lowest field that no earlier entry has selected; a name
  // without such a field selects nothing. `itself`, the signature's own field, is never selected.
  std::vector<const mail::HeaderField*> select(const std::vector<std::string_view>& names,
                                               const mail::HeaderField* itself) const;
  std::size_t count(std::string_view name) const;

 private:
  // Positions in by_name_, `end` excluded.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  Range range(std::string_view name) const;

  // Sorted by name; fields of one name from the bottom of the header up.
  std::vector<const mail::HeaderField*> by_name_;
};

// Appends the signature's own field, the last part of the input: with an empty b=, without the last CRLF. `raw_value`
// is the part of field.value to leave out.
void append_own_field(std::string& out, const mail::HeaderField& field, std::string_view raw_value,
                      Canonicalization how);

}  // namespace sallyport::signature
