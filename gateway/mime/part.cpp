#include "gateway/mime/part.h"

#include "gateway/mime/tree.h"

namespace sallyport::mime {

bool is_plain_text(const Part& part) {
  return !part.is_container && (part.declared_type.empty() || part.declared_type == "text/plain");
}

bool is_html(const Part& part) {
  return !part.is_container && (part.declared_type == "text/html" || part.declared_type == "application/xhtml+xml" ||
                                part.real_types.has(FileType::html));
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
