// HTML (threats.md, section 13). The input is HTML. What must hold: text and links keep their bounds, and reading
// without a tree gives what gumbo gives.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/mime/html.h"

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  mime::HtmlLimits small;
  small.source = 4096;
  small.text = 100;
  small.links = 5;
  small.target = 20;
  for (const mime::HtmlLimits& limits : {mime::HtmlLimits(), small}) {
    const mime::Html html = mime::read_html(input, limits);
    ensure(html.text.size() <= limits.text, "more text than allowed");
    ensure(html.links.size() <= limits.links, "more links than allowed");
    for (const mime::Link& link : html.links) ensure(link.target.size() <= limits.target, "a target is too long");
    // gumbo tells text at the end of a form behind it.
    if (!html.is_whole || html.has_form) continue;
    const mime::Html by_tree = mime::read_html_by_tree(input, limits);
    ensure(html.text == by_tree.text && html.links.size() == by_tree.links.size(), "read otherwise than by gumbo");
  }
  return 0;
}
