// FileType: what octets are, by their own signatures and not by their label (threats.md M14).
//
// An own table of the types that matter to a mail gateway, instead of libmagic: libmagic interprets a database of
// thousands of rules in C, with regular expressions and with offsets that the content names, and has had memory faults
// of its own again and again; it wants a whole file, takes milliseconds, and answers with one line of prose. Here every
// type that matches is reported, because a file that is two things at once (a polyglot) is opened as the one that suits
// its author.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/fields.h"
#include "gateway/mime/set_of.h"

namespace sallyport::mime {

enum class FileType : std::uint8_t {
  // Programs, scripts, and what starts them.
  pe,
  dos_executable,
  elf,
  mach_o,
  java_class,
  dex,
  wasm,
  script,
  lnk,
  url_shortcut,
  chm,
  swf,
  // Archives and images of disks.
  zip,
  jar,
  rar,
  seven_zip,
  gzip,
  bzip2,
  xz,
  zstd,
  lz4,
  lzip,
  lzma,
  compress,
  cab,
  arj,
  lha,
  ace,
  tar,
  cpio,
  ar,
  xar,
  iso,
  udf,
  vhd,
  vhdx,
  wim,
  // Documents.
  ole2,
  ooxml,
  odf,
  pdf,
  rtf,
  onenote,
  postscript,
  tnef,
  html,
  xml,
  svg,
  message,  // begins with fields of a mail
  calendar,
  vcard,
  // Pictures, sound and film.
  png,
  jpeg,
  gif,
  webp,
  tiff,
  bmp,
  ico,
  riff,
  mp4,
  mp3,
  ogg,
  // What is encrypted or signed, and the test file of virus scanners.
  pgp,
  cms,
  pem,
  eicar,
  text,  // none of the above, and no octets but those of text
};

}  // namespace sallyport::mime

template <>
inline constexpr auto sallyport::words_of<sallyport::mime::FileType> =
    std::to_array<std::string_view>({"pe",         "dos_executable",
                                     "elf",        "mach_o",
                                     "java_class", "dex",
                                     "wasm",       "script",
                                     "lnk",        "url_shortcut",
                                     "chm",        "swf",
                                     "zip",        "jar",
                                     "rar",        "seven_zip",
                                     "gzip",       "bzip2",
                                     "xz",         "zstd",
                                     "lz4",        "lzip",
                                     "lzma",       "compress",
                                     "cab",        "arj",
                                     "lha",        "ace",
                                     "tar",        "cpio",
                                     "ar",         "xar",
                                     "iso",        "udf",
                                     "vhd",        "vhdx",
                                     "wim",        "ole2",
                                     "ooxml",      "odf",
                                     "pdf",        "rtf",
                                     "onenote",    "postscript",
                                     "tnef",       "html",
                                     "xml",        "svg",
                                     "message",    "calendar",
                                     "vcard",      "png",
                                     "jpeg",       "gif",
                                     "webp",       "tiff",
                                     "bmp",        "ico",
                                     "riff",       "mp4",
                                     "mp3",        "ogg",
                                     "pgp",        "cms",
                                     "pem",        "eicar",
                                     "text"});

namespace sallyport::mime {

using FileTypes = SetOf<FileType>;

// Archives, compressed files, images of disks: what holds files of its own. Documents that are such inside (OOXML, ODF,
// JAR) count by what they are, beside zip.
bool is_archive(const FileTypes& types);
// Programs, scripts, and what starts them.
bool is_program(const FileTypes& types);

// Finds the types of content that streams past: signatures at its beginning, at fixed offsets up to 40 KiB, and at its
// end. Costs less than reading it once; holds 2 KiB.
class TypeSniffer {
 public:
  void feed(std::string_view octets);
  // The types of all that was fed.
  FileTypes types() const;
  // The first octets, up to `head_octets`.
  std::string_view head() const { return head_; }

  static constexpr std::size_t head_octets = 1536;

 private:
  void look_inside(std::string_view octets);

  std::string head_;
  std::string tail_;  // the last octets, for signatures at the end
  std::uint64_t octets_ = 0;
  FileTypes inside_;           // found at fixed offsets beyond the head
  std::string at_offset_;      // the octets at the offset that is being looked at
  std::uint64_t zip_end_ = 0;  // offset behind the last end of a ZIP directory with a plausible comment; 0: none
};

}  // namespace sallyport::mime
