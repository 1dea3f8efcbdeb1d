#include "gateway/mail/header.h"

#include <algorithm>

#include "gateway/base/field_name.h"
#include "gateway/base/text.h"

namespace sallyport::mail {

namespace {

constexpr std::string_view crlf = "\r\n";

// Removes the next line, with its CRLF, from the front; the last line may have none.
std::string_view take_line(std::string_view& octets) {
  std::size_t end = octets.find(crlf);
  std::size_t length = end == std::string_view::npos ? octets.size() : end + crlf.size();
  std::string_view line = octets.substr(0, length);
  octets.remove_prefix(length);
  return line;
}

// Removes the next field from the front: a line and those after it that begin with white space (RFC 5322, 2.2.3).
std::string_view take_field(std::string_view& octets) {
  const std::string_view from_here = octets;
  std::size_t length = take_line(octets).size();
  while (!octets.empty() && text::is_space(octets.front())) length += take_line(octets).size();
  return from_here.substr(0, length);
}

std::string_view without_spaces_at_end(std::string_view name) {
  while (!name.empty() && text::is_space(name.back())) name.remove_suffix(1);
  return name;
}

}  // namespace

HeaderSection::HeaderSection(std::string_view octets) {
  faults_.section_too_long = octets.size() > max_header_octets;
  fields_.reserve(24);
  while (!octets.empty()) {
    if (octets.starts_with(crlf)) return;
    std::string_view whole = take_field(octets);
    // Bounds memory: two octets of input would otherwise cost a whole entry (threats.md M2, I6).
    if (fields_.size() == max_header_fields) {
      faults_.too_many_fields = true;
      return;
    }
    add(whole);
  }
}

void HeaderSection::add(std::string_view whole) {
  if (whole.size() > max_field_octets) faults_.field_too_long = true;
  std::string_view content = whole.ends_with(crlf) ? whole.substr(0, whole.size() - crlf.size()) : whole;
  // Only a colon in the first line makes a name.
  std::size_t colon = content.substr(0, content.find(crlf)).find(':');
  if (colon == std::string_view::npos || text::is_space(content.front())) {
    faults_.malformed_line = true;
    fields_.push_back({{}, content, whole});
    return;
  }
  std::string_view up_to_colon = content.substr(0, colon);
  std::string_view name = without_spaces_at_end(up_to_colon);
  if (std::any_of(name.begin(), name.end(), text::is_control)) faults_.control_in_name = true;
  if (name.size() != up_to_colon.size() || !is_field_name(name)) faults_.malformed_line = true;
  fields_.push_back({name, content.substr(colon + 1), whole});
}

const HeaderField* HeaderSection::find(std::string_view name) const {
  for (const HeaderField& field : fields_) {
    if (text::equals_ignoring_case(field.name, name)) return &field;
  }
  return nullptr;
}

std::vector<const HeaderField*> HeaderSection::find_all(std::string_view name) const {
  std::vector<const HeaderField*> found;
  for (const HeaderField& field : fields_) {
    if (text::equals_ignoring_case(field.name, name)) found.push_back(&field);
  }
  return found;
}

std::size_t HeaderSection::count(std::string_view name) const {
  auto is_named = [name](const HeaderField& field) { return text::equals_ignoring_case(field.name, name); };
  return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(), is_named));
}

}  // namespace sallyport::mail
