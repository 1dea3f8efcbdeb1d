#include "gateway/mime/file_type.h"

#include <algorithm>
#include <cstring>

#include "gateway/base/text.h"

namespace sallyport::mime {

namespace {

using enum FileType;
using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view octets;
  FileType type;
};

// Signatures at a fixed offset within the head. Several may match.
constexpr Signature signatures[] = {
    {0,
     "\x7f"
     "ELF"sv,
     elf},
    {0, "\xfe\xed\xfa\xce"sv, mach_o},
    {0, "\xfe\xed\xfa\xcf"sv, mach_o},
    {0, "\xce\xfa\xed\xfe"sv, mach_o},
    {0, "\xcf\xfa\xed\xfe"sv, mach_o},
    {0, "dex\n0"sv, dex},
    {0, "\0asm\1"sv, wasm},
    {0, "#!"sv, script},
    {0, "\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"sv, lnk},
    {0, "ITSF"sv, chm},
    {0, "FWS"sv, swf},
    {0, "CWS"sv, swf},
    {0, "ZWS"sv, swf},
    {0, "PK\3\4"sv, zip},
    {0, "PK\5\6"sv, zip},
    {0, "PK\7\10PK\3\4"sv, zip},
    {0, "PK00PK\3\4"sv, zip},
    {30, "[Content_Types].xml"sv, ooxml},
    {30, "_rels/.rels"sv, ooxml},
    {30, "mimetypeapplication/vnd.oasis.opendocument"sv, odf},
    {30, "META-INF/"sv, jar},
    {0, "Rar!\x1a\7"sv, rar},
    {0, "RE~^"sv, rar},
    {0, "7z\xbc\xaf\x27\x1c"sv, seven_zip},
    {0, "\x1f\x8b"sv, gzip},
    {0, "BZh"sv, bzip2},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     xz},
    {0, "\x28\xb5\x2f\xfd"sv, zstd},
    {0, "\4\x22\x4d\x18"sv, lz4},
    {0, "LZIP"sv, lzip},
    {0, "\x5d\0\0"sv, lzma},
    {0, "\x1f\x9d"sv, compress},
    {0, "\x1f\xa0"sv, compress},
    {0, "MSCF"sv, cab},
    {0, "ISc("sv, cab},
    {0, "\x60\xea"sv, arj},
    {7, "**ACE**"sv, ace},
    {257, "ustar"sv, tar},
    {0, "070701"sv, cpio},
    {0, "070702"sv, cpio},
    {0, "070707"sv, cpio},
    {0, "\xc7\x71"sv, cpio},
    {0, "!<arch>\n"sv, ar},
    {0, "xar!"sv, xar},
    {0, "conectix"sv, vhd},
    {0, "vhdxfile"sv, vhdx},
    {0, "MSWIM\0\0\0"sv, wim},
    {0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, ole2},
    {0, "{\\rt"sv, rtf},
    {0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"sv, onenote},
    {0, "%!PS"sv, postscript},
    {0, "\xc5\xd0\xd3\xc6"sv, postscript},
    {0, "\x78\x9f\x3e\x22"sv, tnef},
    {0, "\x89PNG\r\n\x1a\n"sv, png},
    {0, "\xff\xd8\xff"sv, jpeg},
    {0, "GIF8"sv, gif},
    {0, "RIFF"sv, riff},
    {8, "WEBP"sv, webp},
    {0, "II*\0"sv, tiff},
    {0, "MM\0*"sv, tiff},
    {0, "\0\0\1\0"sv, ico},
    {4, "ftyp"sv, mp4},
    {0, "ID3"sv, mp3},
    {0, "OggS"sv, ogg},
    {0, "\x99\1"sv, pgp},
};

// Offsets beyond the head, each with what may stand there.
constexpr Signature far_signatures[] = {
    {0x8001, "CD001"sv, iso}, {0x8001, "BEA01"sv, udf}, {0x8801, "CD001"sv, iso},
    {0x8801, "NSR0"sv, udf},  {0x9001, "CD001"sv, iso}, {0x9001, "NSR0"sv, udf},
};
constexpr std::uint64_t end_of_far = 0x9001 + 5;

constexpr std::size_t tail_octets = 512;
constexpr std::string_view zip_end = "PK\5\6";
constexpr std::size_t zip_end_octets = 22;

bool has_at(std::string_view octets, std::size_t offset, std::string_view what) {
  // Most signatures differ in their first octet.
  return octets.size() > offset && octets[offset] == what.front() && octets.substr(offset).starts_with(what);
}

std::uint32_t little_endian(std::string_view octets, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(octets[at + i]);
  return value;
}

// A file for DOS, or for Windows with its header where the first one says.
void add_executables(std::string_view head, FileTypes& types) {
  if (!head.starts_with("MZ") && !head.starts_with("ZM")) return;
  types.add(dos_executable);
  if (head.size() < 0x40) return;
  const std::uint32_t at = little_endian(head, 0x3c, 4);
  // The header may stand beyond the head; the first one is then all there is to see.
  if (has_at(head, at, "PE\0\0"sv) || at + 4 > head.size()) types.add(pe);
}

// Both begin with CAFEBABE; a fat Mach-O tells a small number of architectures where Java tells its version, 45 or
// more.
void add_cafebabe(std::string_view head, FileTypes& types) {
  if (!head.starts_with("\xca\xfe\xba\xbe") || head.size() < 8) return;
  types.add(static_cast<unsigned char>(head[7]) < 43 && head[4] == 0 && head[5] == 0 && head[6] == 0 ? mach_o
                                                                                                     : java_class);
}

// The head as ASCII: without a byte order mark, and every second octet of UTF-16.
std::string as_ascii(std::string_view head) {
  std::size_t step = 1;
  std::size_t at = 0;
  if (head.starts_with("\xef\xbb\xbf")) at = 3;
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff")) {
    at = head.front() == '\xff' ? 2 : 3;
    step = 2;
  } else if (head.size() >= 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0) {
    step = 2;
  } else if (head.size() >= 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0) {
    at = 1;
    step = 2;
  }
  std::string ascii(head.size(), '\0');
  if (at == 0 && step == 1 && head.find('\0') == std::string_view::npos) {
    std::transform(head.begin(), head.end(), ascii.begin(), text::lower);
    return ascii;
  }
  std::size_t size = 0;
  for (; at < head.size(); at += step) {
    if (head[at] != 0) ascii[size++] = text::lower(head[at]);
  }
  ascii.resize(size);
  return ascii;
}

bool holds(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

// What is told by words. HTML is looked for anywhere in the head, because browsers do.
void add_texts(std::string_view head, FileTypes& types) {
  const std::string ascii = as_ascii(head);
  std::string_view begin = ascii;
  begin.remove_prefix(std::min(begin.find_first_not_of(" \t\r\n\v\f"), begin.size()));
  constexpr std::string_view tags[] = {"<html",   "<!doctype html", "<script", "<body",  "<head",
                                       "<iframe", "<meta ",         "<table",  "<a href"};
  for (std::size_t at = ascii.find('<'); at != std::string::npos; at = ascii.find('<', at + 1)) {
    const std::string_view rest = std::string_view(ascii).substr(at);
    if (rest.starts_with("<svg")) types.add(svg);
    if (types.has(html)) continue;
    if (std::any_of(std::begin(tags), std::end(tags), [rest](std::string_view tag) { return rest.starts_with(tag); }))
      types.add(html);
  }
  if (begin.starts_with("<?xml")) types.add(xml);
  if (holds(ascii.substr(0, 1024), "%pdf-")) types.add(pdf);
  if (begin.starts_with("{\\rt")) types.add(rtf);
  if (begin.starts_with("begin:vcalendar")) types.add(calendar);
  if (begin.starts_with("begin:vcard")) types.add(vcard);
  if (begin.starts_with("[internetshortcut]")) types.add(url_shortcut);
  if (begin.starts_with("-----begin pgp") || begin.starts_with("-----pgp")) types.add(pgp);
  if (begin.starts_with("-----begin ") && !begin.starts_with("-----begin pgp")) types.add(pem);
  for (std::string_view name : {"received:", "return-path:", "from:", "message-id:", "mime-version:", "delivered-to:",
                                "date:", "subject:", "to:", "content-type:", "dkim-signature:", "x-mozilla-status:"}) {
    if (begin.starts_with(name)) types.add(message);
  }
  // Files of the scripting host and of PowerShell have no signature; these are words that only they begin with.
  for (std::string_view word : {"@echo off", "<job", "wscript.", "on error resume next", "<?php", "<%@"}) {
    if (begin.starts_with(word)) types.add(script);
  }
}

// Written in two pieces, so that scanners do not take this program for the test file.
constexpr std::string_view eicar_begin = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR";
constexpr std::string_view eicar_end = "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

void add_eicar(std::string_view head, std::uint64_t octets, FileTypes& types) {
  const std::size_t size = eicar_begin.size() + eicar_end.size();
  if (octets > 128 || !head.starts_with(eicar_begin) || !has_at(head, eicar_begin.size(), eicar_end)) return;
  if (head.find_first_not_of(" \t\r\n\x1a", size) == std::string_view::npos) types.add(eicar);
}

// ASN.1's SEQUENCE and then an object identifier of CMS.
void add_cms(std::string_view head, FileTypes& types) {
  if (head.starts_with('\x30') && holds(head.substr(0, 24), "\x2a\x86\x48\x86\xf7\x0d\x01")) types.add(cms);
}

bool is_of_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    return text::is_control(c) && std::string_view("\t\n\r\f\v\x1b").find(c) == std::string_view::npos;
  });
}

}  // namespace

bool is_archive(const FileTypes& types) {
  constexpr FileType all[] = {zip, jar, rar, seven_zip, gzip, bzip2, xz,  zstd, lz4, lzip, lzma, compress, cab,
                              arj, lha, ace, tar,       cpio, ar,    xar, iso,  udf, vhd,  vhdx, wim};
  return std::any_of(std::begin(all), std::end(all), [&types](FileType type) { return types.has(type); });
}

bool is_program(const FileTypes& types) {
  constexpr FileType all[] = {pe,   dos_executable, elf, mach_o,       java_class, dex,
                              wasm, script,         lnk, url_shortcut, chm,        swf};
  return std::any_of(std::begin(all), std::end(all), [&types](FileType type) { return types.has(type); });
}

void TypeSniffer::feed(std::string_view octets) {
  if (octets.empty()) return;
  if (head_.size() < head_octets) head_.append(octets.substr(0, head_octets - head_.size()));
  look_inside(octets);
  if (octets.size() >= tail_octets) {
    tail_ = octets.substr(octets.size() - tail_octets);
  } else {
    tail_ += octets;
    if (tail_.size() > tail_octets) tail_.erase(0, tail_.size() - tail_octets);
  }
  octets_ += octets.size();
}

// `octets` are those at offset octets_.
void TypeSniffer::look_inside(std::string_view octets) {
  if (octets_ < end_of_far) {
    for (const Signature& far : far_signatures) {
      // The signature is put together of the pieces that have a part of it.
      for (std::size_t i = 0; i < far.octets.size(); ++i) {
        const std::uint64_t at = far.offset + i;
        if (at < octets_ || at >= octets_ + octets.size()) continue;
        if (at_offset_.empty()) at_offset_.resize(sizeof far_signatures / sizeof far_signatures[0]);
        char& matched = at_offset_[static_cast<std::size_t>(&far - far_signatures)];
        if (octets[static_cast<std::size_t>(at - octets_)] == far.octets[i] && matched == static_cast<char>(i))
          ++matched;
        if (matched == static_cast<char>(far.octets.size())) inside_.add(far.type);
      }
    }
  }
  // The end of a ZIP directory stands in the last 64 KiB, behind whatever it was appended to.
  // Its third octet is the one that text does not have.
  for (std::size_t third = octets.find(zip_end[2]); third != std::string_view::npos;
       third = octets.find(zip_end[2], third + 1)) {
    if (third >= 2 && octets.substr(third - 2).starts_with(zip_end)) zip_end_ = octets_ + third - 2 + zip_end_octets;
  }
}

FileTypes TypeSniffer::types() const {
  FileTypes types = inside_;
  if (octets_ == 0) return types;
  for (const Signature& signature : signatures) {
    if (has_at(head_, signature.offset, signature.octets)) types.add(signature.type);
  }
  // These are parts of others' signatures and say nothing alone.
  for (FileType inner : {ooxml, odf, jar}) {
    if (!types.has(zip)) types.remove(inner);
  }
  if (!types.has(riff)) types.remove(webp);
  if (has_at(head_, 2, "-lh") && head_.size() > 6 && head_[6] == '-') types.add(lha);
  if (head_.starts_with("BM") && head_.size() > 14 && has_at(head_, 6, "\0\0\0\0"sv)) types.add(bmp);
  if (head_.starts_with("\xff\xfb") || head_.starts_with("\xff\xf3")) types.add(mp3);
  add_executables(head_, types);
  add_cafebabe(head_, types);
  add_cms(head_, types);
  add_eicar(head_, octets_, types);
  add_texts(head_, types);
  if (zip_end_ != 0 && zip_end_ <= octets_ && octets_ - zip_end_ <= 0xffff) types.add(zip);
  if (tail_.size() == tail_octets && (tail_.starts_with("conectix") || tail_.substr(1).starts_with("conectix")))
    types.add(vhd);
  if (types.empty() && is_of_text(head_)) types.add(FileType::text);
  return types;
}

}  // namespace sallyport::mime
