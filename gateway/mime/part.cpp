#include "gateway/mime/part.h"

#include <algorithm>

#include "gateway/mime/tree.h"

namespace sallyport::mime {

namespace {

// Text that is opened as a web page because of its name.
bool is_named_html(const Part& part) {
  if (!part.real_types.has_any(FileTypes(FileType::text) | FileType::xml | FileType::script)) return false;
  return std::any_of(part.names.begin(), part.names.end(), [](const Name& name) {
    const std::string extension = clean(name.text).extension;
    return extension == "htm" || extension == "html" || extension == "xhtml" || extension == "xht" ||
           extension == "shtml" || extension == "svg";
  });
}

}  // namespace

bool is_plain_text(const Part& part) {
  return !part.is_container && (part.declared_type.empty() || part.declared_type == "text/plain");
}

bool is_html(const Part& part) {
  return !part.is_container && (part.declared_type == "text/html" || part.declared_type == "application/xhtml+xml" ||
                                part.real_types.has(FileType::html) || is_named_html(part));
}

bool is_text(const Part& part) {
  return !part.is_container && (part.declared_type.empty() || part.declared_type.starts_with("text/"));
}

bool is_file(const Part& part) {
  if (part.is_container) return false;
  return part.is_attachment || !part.names.empty() || !is_text(part);
}

bool is_within(const Tree& tree, PartIndex index, PartIndex ancestor) {
  while (index != ancestor && index != the_message && index < tree.parts.size()) index = tree.parts[index].parent;
  return index == ancestor;
}

}  // namespace sallyport::mime
