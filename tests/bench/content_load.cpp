// How fast the parts of mails are found (bench.py content): processor time of one thread, without a gateway around it.
//
//   content_load               one line for each kind of mail: name, MB/s, mails/s, and the largest memory beyond the
//                              stored message, in KiB
//   content_load newsletter    a mail of 20 KiB with HTML, for smtp_load
//   content_load only NAME [N] the line of one kind; of N mails of it, for a profiler that counts instructions
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "gateway/base/base64.h"
#include "gateway/base/cpu_time.h"
#include "gateway/base/public_suffix.h"
#include "gateway/base/top_level_domains.h"
#include "gateway/mail/message.h"
#include "gateway/mime/analysis.h"
#include "gateway/mime/contents.h"
#include "gateway/url/mail_urls.h"

namespace {

using namespace sallyport;

std::string in_lines(const std::string& digits) {
  std::string lines;
  for (std::size_t i = 0; i < digits.size(); i += 76) lines += digits.substr(i, 76) + "\r\n";
  return lines;
}

std::string random_octets(std::size_t size) {
  std::mt19937_64 random(1);
  std::string octets(size, '\0');
  for (char& c : octets) c = static_cast<char>(random());
  return octets;
}

constexpr const char* head =
    "Received: from a.example (a.example [192.0.2.1])\r\n\tby mx.example with ESMTPS id 1; Mon, 1 Jan 2024 00:00:00 "
    "+0000\r\n"
    "From: Ann <ann@a.example>\r\nTo: bob@b.example\r\nSubject: report\r\nMessage-ID: <1@a.example>\r\n"
    "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\n";

std::string with_attachments(std::size_t count, std::size_t octets) {
  std::string mail = std::string(head) +
                     "Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n--=_outer\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n\r\nsee attachments\r\n";
  const std::string lines = in_lines(to_base64(random_octets(octets)));
  for (std::size_t i = 0; i < count; ++i) {
    mail += "--=_outer\r\nContent-Type: application/pdf; name=\"report " + std::to_string(i) +
            ".pdf\"\r\nContent-Disposition: attachment; filename=\"report " + std::to_string(i) +
            ".pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines;
  }
  return mail + "--=_outer--\r\n";
}

std::string ordinary(std::size_t octets) {
  const std::string sentence =
      "The quick brown fox jumps over the lazy dog, as it does in every mail =E2=80=94 again.\r\n";
  std::string text;
  while (text.size() < octets * 2 / 5) text += sentence;
  std::string html = "<html><body>";
  while (html.size() < octets * 2 / 5)
    html += "<p style=3D\"color:red\">" + sentence + "<a href=3D\"https://www.example/page\">link</a></p>\r\n";
  return std::string(head) +
         "Content-Type: multipart/alternative; boundary=\"=_alt\"\r\n\r\n--=_alt\r\n"
         "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         text +
         "--=_alt\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         html + "</body></html>\r\n--=_alt--\r\n";
}

// What shops send: tables within tables, styles, links to a few domains, a text beside it.
std::string newsletter(std::size_t octets) {
  std::string text;
  std::string html =
      "<!DOCTYPE html>\r\n<html><head><title>News</title><style>p { color: #333 } a { color: #06c }</style></head>\r\n"
      "<body style=3D\"margin:0\"><table width=3D\"100%\"><tr><td align=3D\"center\">\r\n";
  const std::string words =
      "The quick brown fox jumps over the lazy dog, as it does in every mail =E2=80=94 again.\r\nIt has been seen in "
      "the "
      "garden behind the house, and nobody knows where it went.\r\nAsk in our shop for more of it.\r\n";
  for (int i = 0; text.size() + html.size() < octets - 1500; ++i) {
    const std::string number = std::to_string(i);
    const std::string link = "https://shop" + std::to_string(i % 6) + ".example/item/" + number + "?from=3Dmail";
    text += "Item " + number + ", now at half its price: " + link + "\r\n" + words;
    html += "<table class=3D\"item\" style=3D\"width:600px;padding:4px 8px;color:#333\"><tr><td><img src=3D\"" + link +
            "&amp;size=3D120\" width=3D\"120\"></td>\r\n<td style=3D\"font-size:14px\"><p>" + words +
            "</p>\r\n<p><a href=3D\"" + link + "\">Item " + number +
            "</a>, now at <b>half</b> its price &ndash; until Monday.</p></td></tr></table>\r\n";
  }
  return std::string(head) +
         "Content-Type: multipart/alternative; boundary=\"=_alt\"\r\n\r\n--=_alt\r\n"
         "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         text +
         "--=_alt\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         html + "</td></tr></table></body></html>\r\n--=_alt--\r\n";
}

class NoSpool final : public mail::Spool {
 public:
  Result<std::unique_ptr<mail::SpoolFile>> open() override { return Failure{"there is none"}; }
};

std::size_t allocated() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

enum class Reads { parts, texts, urls };

std::string_view only;       // the kind that is measured; empty: all
std::size_t most_mails = 0;  // of a kind; 0: as many as two seconds take

void measure(const char* name, const std::string& octets, Reads reads) {
  if (!only.empty() && only != name) return;
  static const PublicSuffixList registrable;
  static const TopLevelDomains top;
  const url::Suffixes suffixes{registrable, top};
  NoSpool spool;
  mail::Message message(mail::MessageLimits{std::uint64_t{64} << 20, std::uint64_t{64} << 20}, spool);
  message.append(octets);
  message.parse_header();
  std::size_t most = 0;
  std::size_t mails = 0;
  const Duration began = thread_cpu_time();
  Duration spent{};
  while (most_mails > 0 ? mails < most_mails : spent < std::chrono::seconds(2)) {
    const std::size_t before = mails == 0 ? allocated() : 0;
    mime::Analysis analysis(message.header_octets());
    std::string_view body = std::string_view(octets).substr(message.header_octets().size());
    for (; !body.empty(); body.remove_prefix(std::min<std::size_t>(16384, body.size()))) {
      analysis.feed(body.substr(0, 16384));
      if (mails == 0) most = std::max(most, allocated() - before);
    }
    analysis.end();
    while (analysis.has_more()) analysis.step(message, 256 << 10);
    const mime::Tree tree = analysis.take();
    mime::Contents contents;
    for (mime::PartIndex i = 0; reads != Reads::parts && i < tree.parts.size(); ++i) {
      if (is_text(tree.parts[i])) contents.text(message, tree, i);
    }
    url::MailUrls urls(suffixes);
    if (reads == Reads::urls) urls.read(message, tree, contents, UINT64_MAX);
    if (mails == 0) most = std::max(most, allocated() - before);
    ++mails;
    spent = thread_cpu_time() - began;
  }
  const double seconds = std::chrono::duration<double>(spent).count();
  std::printf("%s %.0f %.0f %zu\n", name, static_cast<double>(mails * octets.size()) / 1e6 / seconds,
              static_cast<double>(mails) / seconds, most / 1024);
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == "newsletter") {
    std::fputs(newsletter(20 * 1024).c_str(), stdout);
    return 0;
  }
  if (count > 2 && std::string_view(arguments[1]) == "only") only = arguments[2];
  if (count > 3) most_mails = std::strtoul(arguments[3], nullptr, 10);
  measure("attachments-20MB", with_attachments(4, 3700 * 1000), Reads::parts);
  measure("one-attachment-100KB", with_attachments(1, 72 * 1000), Reads::parts);
  measure("ordinary-5KiB", ordinary(5 * 1024), Reads::parts);
  measure("ordinary-5KiB-with-text", ordinary(5 * 1024), Reads::texts);
  measure("ordinary-20KiB-with-text", ordinary(20 * 1024), Reads::texts);
  measure("newsletter-20KiB", newsletter(20 * 1024), Reads::parts);
  measure("newsletter-20KiB-with-text", newsletter(20 * 1024), Reads::texts);
  measure("newsletter-20KiB-with-urls", newsletter(20 * 1024), Reads::urls);
  return 0;
}
