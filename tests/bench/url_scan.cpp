// How fast URLs are found: MB/s of CPU time over plain text, over text full of URLs, and over text without spaces.
//
//   url_scan [MEGABYTES]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gateway/base/cpu_time.h"
#include "gateway/url/scanner.h"
#include "gateway/url/url_set.h"

namespace sallyport {
namespace {

std::string repeated(const std::string& unit, std::size_t octets) {
  std::string text;
  text.reserve(octets + unit.size());
  while (text.size() < octets) text += unit;
  return text;
}

double seconds_of(Duration begun) { return std::chrono::duration<double>(thread_cpu_time() - begun).count(); }

void scan(const char* name, const std::string& text, const TopLevelDomains& top) {
  std::size_t found = 0;
  const Duration begun = thread_cpu_time();
  url::scan_for_urls(text, top, [&found](std::string_view) {
    ++found;
    return true;
  });
  std::printf("%-28s %8.0f MB/s, %zu candidates\n", name, static_cast<double>(text.size()) / 1e6 / seconds_of(begun),
              found);
}

int run(std::size_t octets) {
  const PublicSuffixList registrable;
  const TopLevelDomains top;
  const std::string prose =
      "Dear Ann,\r\nthank you for the minutes of Tuesday's meeting; I have read them (twice) and agree. Item 3.2, "
      "e.g., is "
      "settled.\r\nThe next date: 12:30, room 4.\r\n";
  scan("plain text", repeated(prose, octets), top);
  scan("text, a URL each 1 KiB", repeated(repeated(prose, 1000) + "https://www.example.com/a/b?c=d ", octets), top);
  scan("nothing but URLs", repeated("https://www.example.com/a/b?c=d ", octets), top);
  scan("Chinese text", repeated("今天天气很好。我们去公园走走，然后回家。", octets), top);
  scan("names", repeated("example.com done.Then ", octets), top);
  std::string mail;
  for (int i = 0; i < 20; ++i)
    mail += prose + prose + prose + "https://h" + std::to_string(i) + ".example.com/a?b=c\r\n";
  constexpr int times = 1000;
  const Duration begun = thread_cpu_time();
  for (int i = 0; i < times; ++i) {
    url::UrlSet of_mail({registrable, top});
    of_mail.add_text(mail);
  }
  std::printf("%-28s %8.1f us, %zu octets, 20 URLs\n", "a mail's set", seconds_of(begun) * 1e6 / times, mail.size());
  return 0;
}

}  // namespace
}  // namespace sallyport

int main(int argc, char** argv) {
  const std::size_t megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20;
  return sallyport::run(megabytes * 1000000);
}
