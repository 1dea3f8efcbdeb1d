#include "gateway/signature/field_writer.h"

#include <algorithm>

#include "gateway/base/base64.h"

namespace sallyport::signature {

namespace {

constexpr std::size_t max_column = 78;  // RFC 5322, 2.1.1

}  // namespace

FieldWriter::FieldWriter(std::string_view name) {
  append(name);
  append(":");
}

void FieldWriter::append(std::string_view text) {
  field_ += text;
  column_ += text.size();
}

void FieldWriter::fold() {
  field_ += "\r\n ";
  column_ = 1;
}

void FieldWriter::start_tag(std::size_t needs) {
  if (has_tags_) append(";");
  has_tags_ = true;
  // Counts the space before the tag and the semicolon after it.
  if (column_ + needs + 2 > max_column) {
    fold();
  } else {
    append(" ");
  }
}

void FieldWriter::add(std::string_view tag, std::string_view value) {
  start_tag(tag.size() + 1 + value.size());
  append(tag);
  append("=");
  append(value);
}

void FieldWriter::add_names(std::string_view tag, const std::vector<std::string>& names) {
  start_tag(tag.size() + 1 + (names.empty() ? 0 : names.front().size()));
  append(tag);
  append("=");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) {
      append(":");
      if (column_ + names[i].size() + 1 > max_column) fold();
    }
    append(names[i]);
  }
}

void FieldWriter::add_base64(std::string_view tag, std::string_view base64) {
  // The fold before the octets must not depend on them: the signature is inserted into the field that was signed with
  // an empty b=.
  start_tag(tag.size() + 1);
  append(tag);
  append("=");
  while (!base64.empty()) {
    if (column_ + 1 >= max_column) fold();
    const std::size_t part = std::min(base64.size(), max_column - 1 - column_);
    append(base64.substr(0, part));
    base64.remove_prefix(part);
  }
}

std::string FieldWriter::with_signature(std::string_view octets) const {
  FieldWriter whole = *this;
  whole.add_base64("b", to_base64(octets));
  return whole.field_ + "\r\n";
}

}  // namespace sallyport::signature
