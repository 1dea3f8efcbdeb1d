#include "gateway/base/charset.h"

#include <unicode/normalizer2.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/udata.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport {

namespace {

constexpr std::size_t max_name_octets = 64;

// Charsets, by ICU's own names, whose users mean one that has more characters; aliases lead here as well.
constexpr std::array<std::pair<std::string_view, const char*>, 7> meanings{{
    {"ISO-8859-1", "windows-1252"},
    {"ibm-920_P100-1995", "windows-1254"},         // ISO-8859-9
    {"iso-8859_11-2001", "windows-874"},           // ISO-8859-11
    {"ibm-1383_P110-1999", "gb18030"},             // GB2312
    {"ibm-5478_P100-1995", "gb18030"},             // GB_2312-80
    {"windows-936-2000", "gb18030"},               // GBK
    {"ibm-970_P110_P110-2006_U2", "windows-949"},  // EUC-KR
}};

struct Close {
  void operator()(UConverter* converter) const noexcept { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, Close>;

// The name by which ICU opens the charset, from its table of aliases; null when there is none.
const char* canonical_name(std::string_view name) {
  // ICU would look for files for names that it does not know. Set before its first use, and for good.
  static const bool uses_no_files = [] {
    UErrorCode status = U_ZERO_ERROR;
    udata_setFileAccess(UDATA_NO_FILES, &status);
    return U_SUCCESS(status);
  }();
  if (!uses_no_files || name.empty() || name.size() > max_name_octets) return nullptr;
  // Other characters mean something to ICU: "," and "=" begin options of its own.
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return text::is_alnum(c) || std::string_view("-_.:+()").find(c) != std::string_view::npos;
  });
  if (!is_plain) return nullptr;
  UErrorCode status = U_ZERO_ERROR;
  const char* found = ucnv_getAlias(std::string(name).c_str(), 0, &status);
  if (U_FAILURE(status) || found == nullptr) return nullptr;
  for (const auto& [known, meant] : meanings) {
    if (known == found) return meant;
  }
  return found;
}

Converter open(std::string_view charset) {
  const char* name = canonical_name(charset);
  if (name == nullptr) return nullptr;
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(name, &status));
  return U_SUCCESS(status) ? std::move(converter) : nullptr;
}

// Called by ICU for octets that are nothing in the charset; `context` points to a bool.
void note_and_replace(const void* context, UConverterToUnicodeArgs* args, const char* octets, int32_t length,
                      UConverterCallbackReason reason, UErrorCode* status) {
  if (reason <= UCNV_IRREGULAR) *static_cast<bool*>(const_cast<void*>(context)) = false;
  UCNV_TO_U_CALLBACK_SUBSTITUTE(nullptr, args, octets, length, reason, status);
}

void cut(ConvertedText& text, std::size_t most) {
  if (text.utf8.size() <= most) return;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text.utf8[end]) & 0xc0) == 0x80) --end;
  text.utf8.resize(end);
  text.is_whole = false;
}

}  // namespace

bool is_known_charset(std::string_view name) {
  // What nearly all mail is in needs no search among a thousand aliases.
  if (name == "utf-8" || name == "us-ascii" || name == "iso-8859-1") return true;
  return canonical_name(name) != nullptr;
}

bool keeps_ascii(std::string_view name) {
  // What nearly all mail is in, and is known to.
  for (const std::string_view prefix : {"utf-8", "us-ascii", "iso-8859-", "windows-125"}) {
    if (text::starts_with_ignoring_case(name, prefix)) return true;
  }
  constexpr std::string_view sample = "http://www.example.org/A?b=c&d <a href=\"x:9\">+AGE-</a>;'%@";
  const auto converted = to_utf8(sample, name, 4 * sample.size());
  return !converted || converted->utf8 == sample;
}

std::optional<ConvertedText> to_utf8(std::string_view octets, std::string_view charset, std::size_t most) {
  const Converter converter = open(charset);
  if (!converter) return std::nullopt;
  ConvertedText converted;
  UErrorCode status = U_ZERO_ERROR;
  ucnv_setToUCallBack(converter.get(), note_and_replace, &converted.is_whole, nullptr, nullptr, &status);
  if (octets.size() > most) {
    octets = octets.substr(0, most);
    converted.is_whole = false;
  }
  // Room for a character of four octets for each octet: a few charsets have octets that stand for several characters.
  std::string& out = converted.utf8;
  out.resize(octets.size() * 4 + 64);
  int32_t length = ucnv_toAlgorithmic(UCNV_UTF8, converter.get(), out.data(), static_cast<int32_t>(out.size()),
                                      octets.data(), static_cast<int32_t>(octets.size()), &status);
  if (status == U_BUFFER_OVERFLOW_ERROR) {
    length = static_cast<int32_t>(out.size());
    most = std::min(most, out.size() - 4);  // the last character may be there in part
  } else if (U_FAILURE(status)) {
    return std::nullopt;
  }
  out.resize(static_cast<std::size_t>(std::max(length, int32_t{0})));
  cut(converted, most);
  return converted;
}

std::string to_normal_form(std::string text) {
  if (text::is_ascii(text)) return text;
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFCInstance(status);
  const icu::StringPiece piece(text.data(), static_cast<int32_t>(text.size()));
  if (U_FAILURE(status) || !text::is_utf8(text) || form->isNormalizedUTF8(piece, status)) return text;
  std::string normal;
  icu::StringByteSink<std::string> sink(&normal);
  form->normalizeUTF8(0, piece, sink, nullptr, status);
  return U_SUCCESS(status) ? normal : text;
}

}  // namespace sallyport
