#include "gateway/mime/mismatch.h"

#include <algorithm>

#include "gateway/base/charset.h"
#include "gateway/base/text.h"
#include "gateway/mime/limits.h"

namespace sallyport::mime {

namespace {

enum class Class : std::uint8_t { nothing, text, picture, document, archive, program };

bool is_picture(const FileTypes& types) {
  return types.has_any(FileTypes(FileType::png) | FileType::jpeg | FileType::gif | FileType::webp | FileType::tiff |
                       FileType::bmp | FileType::ico | FileType::riff | FileType::mp4 | FileType::mp3 | FileType::ogg |
                       FileType::svg);
}

bool is_document(const FileTypes& types) {
  return types.has_any(FileTypes(FileType::ole2) | FileType::ooxml | FileType::odf | FileType::pdf | FileType::rtf |
                       FileType::onenote | FileType::postscript);
}

constexpr std::string_view picture_extensions[] = {"avif", "bmp", "gif", "heic", "ico", "jpe", "jpeg", "jpg", "mov",
                                                   "mp3",  "mp4", "ogg", "png",  "svg", "tif", "tiff", "wav", "webp"};
constexpr std::string_view text_extensions[] = {"csv", "eml", "htm", "html",  "ics", "log",
                                                "md",  "txt", "vcf", "xhtml", "xml"};
constexpr std::string_view document_extensions[] = {"doc", "docm", "docx", "dot",  "dotx", "msg",  "odp",  "ods",
                                                    "odt", "one",  "pdf",  "pps",  "ppsx", "ppt",  "pptm", "pptx",
                                                    "ps",  "rtf",  "vsd",  "vsdx", "xls",  "xlsb", "xlsm", "xlsx"};

template <class List>
bool is_in(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

Class class_of_extension(std::string_view extension) {
  if (is_in(picture_extensions, extension)) return Class::picture;
  if (is_in(text_extensions, extension)) return Class::text;
  if (is_in(document_extensions, extension)) return Class::document;
  return Class::nothing;
}

Class class_of_type(std::string_view type) {
  if (type.starts_with("image/") || type.starts_with("audio/") || type.starts_with("video/")) return Class::picture;
  if (type.starts_with("text/")) return Class::text;
  if (type == "application/pdf" || type == "application/msword" || type == "application/rtf" ||
      type.starts_with("application/vnd.ms-") || type.starts_with("application/vnd.openxmlformats") ||
      type.starts_with("application/vnd.oasis.opendocument"))
    return Class::document;
  return Class::nothing;
}

// The most harmful of what it is.
Class class_of(const FileTypes& types) {
  if (is_program(types) && !types.has(FileType::url_shortcut)) return Class::program;
  if (is_document(types)) return Class::document;
  if (is_picture(types)) return Class::picture;
  if (is_archive(types)) return Class::archive;
  return Class::nothing;
}

// Whether what is told allows for what is there. Scripts are text; pictures of vectors are text or markup.
bool allows(Class told, Class found, const FileTypes& types) {
  if (told == Class::nothing || told == found || found == Class::nothing) return true;
  if (told == Class::text)
    return types.has(FileType::svg) || (types.has(FileType::script) && !types.has(FileType::pe)) ||
           types.has(FileType::rtf);
  if (told == Class::document) return found == Class::archive;  // formats of Office that are ZIP inside
  return false;
}

}  // namespace

bool is_mismatch(const Part& part) {
  const Class found = class_of(part.real_types);
  if (part.is_container || part.size == 0) return false;
  if (!allows(class_of_type(part.declared_type), found, part.real_types)) return true;
  bool has_telling_name = false;
  for (const std::string& extension : extensions_of(part.names)) {
    const Class told = class_of_extension(extension);
    if (told == Class::nothing) return false;  // some name tells nothing that could be wrong
    has_telling_name |= !allows(told, found, part.real_types);
  }
  return has_telling_name;
}

bool has_deceptive_name(const Part& part) {
  constexpr NameOddities harmless =
      NameOddities(NameOddity::separator) | NameOddity::trailing | NameOddity::too_long | NameOddity::not_text;
  return std::any_of(part.names.begin(), part.names.end(), [&harmless](const Name& name) {
    bool is_deceptive = false;
    clean(name.text).oddities.for_each([&](NameOddity oddity) { is_deceptive |= !harmless.has(oddity); });
    return is_deceptive;
  });
}

bool is_message_type(std::string_view type) {
  return type == "message/rfc822" || type == "message/global" || type == "message/news" || type == "message/x-rfc822";
}

bool is_multipart_type(std::string_view type) {
  return type.starts_with("multipart/") || type.starts_with("x-multipart/");
}

std::string to_name_text(std::string_view octets) {
  octets = octets.substr(0, max_name_octets);
  std::string name(octets);
  if (!text::is_ascii(octets) && !text::is_utf8(octets)) {
    if (auto converted = to_utf8(octets, "windows-1252", max_name_octets)) name = std::move(converted->utf8);
  }
  return name;
}

}  // namespace sallyport::mime
