// The octets that a signature over header fields is made of (RFC 6376, 3.7 and 5.4.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/signature/canonical.h"

namespace sallyport::signature {

// The fields of a section by name, made once for all signatures of a mail, so that selecting stays linear whatever h=
// lists hold. The section outlives it.
class FieldIndex {
 public:
  explicit FieldIndex(const mail::HeaderSection& section);

  // The fields that h= selects, in its order: for each name the lowest one that no name before it has taken; a name
  // that is used up or absent selects nothing. `itself`, the signature's own field, is never selected.
  std::vector<const mail::HeaderField*> select(const std::vector<std::string_view>& names,
                                               const mail::HeaderField* itself) const;
  std::size_t count(std::string_view name) const;

 private:
  // The fields of the name are those from `begin` to before `end`.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  Range range(std::string_view name) const;

  // By name; of one name the lowest field first.
  std::vector<const mail::HeaderField*> by_name_;
};

// Appends the signature's own field as its last part is hashed: with an empty b=, without the last CRLF. `raw_value` is
// the part of field.value that is left out.
void append_own_field(std::string& out, const mail::HeaderField& field, std::string_view raw_value,
                      Canonicalization how);

}  // namespace sallyport::signature
