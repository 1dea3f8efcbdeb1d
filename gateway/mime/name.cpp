#include "gateway/mime/name.h"

#include <algorithm>

#include "gateway/base/charset.h"
#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t longest_ordinary = 255;
constexpr std::size_t row_of_spaces = 5;

// What Windows, Outlook and browsers run or open as a program: the union of the lists by which Outlook, Exchange and
// Gmail block attachments.
constexpr std::string_view executable[] = {
    "ace",
    "ade",
    "adp",
    "app",
    "appref-ms",
    "appx",
    "appxbundle",
    "arj",
    "asp",
    "aspx",
    "asx",
    "bas",
    "bat",
    "cer",
    "chm",
    "cmd",
    "cnt",
    "com",
    "cpl",
    "crt",
    "csh",
    "der",
    "diagcab",
    "diagcfg",
    "diagpkg",
    "dll",
    "dmg",
    "ex",
    "ex_",
    "exe",
    "fxp",
    "gadget",
    "grp",
    "hlp",
    "hpj",
    "hta",
    "htc",
    "img",
    "inf",
    "ins",
    "iqy",
    "iso",
    "isp",
    "its",
    "jar",
    "jnlp",
    "js",
    "jse",
    "ksh",
    "lib",
    "library-ms",
    "lnk",
    "mad",
    "maf",
    "mag",
    "mam",
    "maq",
    "mar",
    "mas",
    "mat",
    "mau",
    "mav",
    "maw",
    "mcf",
    "mda",
    "mdb",
    "mde",
    "mdt",
    "mdw",
    "mdz",
    "mjs",
    "msc",
    "msh",
    "msh1",
    "msh1xml",
    "msh2",
    "msh2xml",
    "mshxml",
    "msi",
    "msix",
    "msixbundle",
    "msp",
    "mst",
    "nsh",
    "one",
    "ops",
    "osd",
    "pcd",
    "pif",
    "pl",
    "plg",
    "prf",
    "prg",
    "ps1",
    "ps1xml",
    "ps2",
    "ps2xml",
    "psc1",
    "psc2",
    "pssc",
    "pst",
    "py",
    "pyc",
    "pyo",
    "pyw",
    "pyz",
    "pyzw",
    "rdp",
    "reg",
    "scf",
    "scr",
    "sct",
    "searchconnector-ms",
    "settingcontent-ms",
    "shb",
    "shs",
    "slk",
    "sys",
    "theme",
    "tmp",
    "udl",
    "url",
    "vb",
    "vbe",
    "vbp",
    "vbs",
    "vhd",
    "vhdx",
    "vsmacros",
    "vsw",
    "vxd",
    "webpnp",
    "website",
    "wim",
    "ws",
    "wsb",
    "wsc",
    "wsf",
    "wsh",
    "xbap",
    "xll",
    "xnk",
};

// What people take for harmless, as the extension before the last one.
constexpr std::string_view harmless[] = {"avi",  "bmp", "csv", "doc", "docx", "gif",  "htm", "html",
                                         "jpeg", "jpg", "mp3", "mp4", "odt",  "pdf",  "png", "ppt",
                                         "pptx", "rtf", "txt", "wav", "xls",  "xlsx", "zip"};

bool turns_text(char32_t c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c;
}

// Dots that Windows does not know for such, and readers take for them.
bool is_other_dot(char32_t c) { return c == 0xff0e || c == 0x3002 || c == 0xff61 || c == 0x2024; }

enum class Script : std::uint8_t { other, latin, cyrillic, greek };
Script script_of(char32_t c) {
  if (c < 0x80) return text::is_alpha(static_cast<char>(c)) ? Script::latin : Script::other;
  if (c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7) return Script::latin;
  if (c >= 0x370 && c <= 0x3ff) return Script::greek;
  if (c >= 0x400 && c <= 0x52f) return Script::cyrillic;
  return Script::other;
}

// Fullwidth forms, which normal form KC makes ASCII of.
char32_t narrow(char32_t c) { return c >= 0xff01 && c <= 0xff5e ? c - 0xfee0 : c; }

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

bool is_trailing(char c) { return c == '.' || c == ' ' || c == '"' || c == '\'' || c == ';' || c == ')' || c == '\t'; }

std::string extension_of(std::string_view clean) {
  const std::size_t dot = clean.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == clean.size()) return {};
  const std::string_view written = clean.substr(dot + 1);
  // A name that is folded behind its dot has white space there, which readers drop.
  return text::to_lower(written.substr(std::min(written.find_first_not_of(' '), written.size())));
}

void add_once(std::vector<std::string>& all, std::string one) {
  if (!one.empty() && std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
}

}  // namespace

CleanName clean(std::string_view name) {
  CleanName cleaned;
  NameOddities& oddities = cleaned.oddities;
  if (name.size() > longest_ordinary) oddities.add(NameOddity::too_long);
  std::string all;
  std::size_t spaces = 0;
  bool has_latin = false;
  bool has_lookalikes = false;
  for (std::string_view rest = name; !rest.empty();) {
    const auto point = text::decode_utf8(rest);
    const char32_t c = point ? point->value : 0xfffd;
    rest.remove_prefix(point ? point->octets : 1);
    if (!point || c == 0xfffd) oddities.add(NameOddity::not_text);
    if (c == 0) oddities.add(NameOddity::nul);
    if (turns_text(c)) oddities.add(NameOddity::turned);
    if (c != 0 && (c < 0x20 || c == 0x7f)) oddities.add(NameOddity::control);
    if (c >= 0x80 && text::is_deceptive(c) && !turns_text(c)) oddities.add(NameOddity::invisible);
    if (c < 0x20 || c == 0x7f || (c >= 0x80 && text::is_deceptive(c))) continue;
    const Script script = script_of(c);
    if (script == Script::other) has_latin = has_lookalikes = false;  // the end of a word
    has_latin |= script == Script::latin;
    has_lookalikes |= script == Script::cyrillic || script == Script::greek;
    if (has_latin && has_lookalikes) oddities.add(NameOddity::mixed_scripts);
    spaces = c == ' ' || c == 0xa0 || c == 0x3000 ? spaces + 1 : 0;
    if (spaces == row_of_spaces) oddities.add(NameOddity::many_spaces);
    if (spaces > 1) continue;
    append_utf8(all, is_other_dot(c) ? '.' : c == 0xa0 || c == 0x3000 ? ' ' : narrow(c));
  }
  if (all.find("..") != std::string::npos) oddities.add(NameOddity::parent);

  std::string_view clean = all;
  const std::size_t ordinary = clean.find_last_not_of(".\"' ;)\t");
  if (ordinary != std::string_view::npos && ordinary + 1 < clean.size() && clean.back() != ')')
    oddities.add(NameOddity::trailing);
  while (!clean.empty() && is_trailing(clean.back())) clean.remove_suffix(1);
  // A stream of NTFS: what follows the colon is part of no file's name, what precedes it may be empty.
  const std::size_t separator = clean.find_last_of("/\\:");
  if (separator != std::string_view::npos) {
    oddities.add(NameOddity::separator);
    clean.remove_prefix(separator + 1);
  }
  while (!clean.empty() && (clean.front() == ' ' || clean.front() == '"' || clean.front() == '\''))
    clean.remove_prefix(1);
  cleaned.text = to_normal_form(std::string(clean));
  cleaned.extension = extension_of(cleaned.text);
  const std::string_view stem = std::string_view(cleaned.text).substr(0, cleaned.text.rfind('.'));
  if (is_executable_extension(cleaned.extension)) {
    const std::string inner = extension_of(stem);
    if (std::find(std::begin(harmless), std::end(harmless), inner) != std::end(harmless))
      oddities.add(NameOddity::double_extension);
  }
  return cleaned;
}

std::vector<std::string> extensions_of(const std::vector<Name>& names) {
  std::vector<std::string> all;
  for (const Name& name : names) {
    const std::string_view text = name.text;
    add_once(all, clean(text).extension);
    // Cut where some reader stops: at a NUL, at a semicolon, before a comment, before a stream's name.
    for (std::string_view stop :
         {std::string_view("\0", 1), std::string_view(";"), std::string_view("("), std::string_view(":")}) {
      const std::size_t end = text.find(stop);
      if (end != std::string_view::npos) add_once(all, clean(text.substr(0, end)).extension);
    }
  }
  return all;
}

bool is_executable_extension(std::string_view extension) {
  // A class of Windows: "{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}".
  if (extension.starts_with('{') && extension.ends_with('}')) return true;
  return std::binary_search(std::begin(executable), std::end(executable), extension);
}

}  // namespace sallyport::mime
