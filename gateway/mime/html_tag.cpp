#include "gateway/mime/html_tag.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/mime/short_name_table.h"

namespace sallyport::mime {

namespace {

using Entry = std::pair<std::string_view, HtmlTag>;

constexpr std::array entries{
    Entry{"html", HtmlTag::html},
    Entry{"head", HtmlTag::head},
    Entry{"body", HtmlTag::body},
    Entry{"title", HtmlTag::title},
    Entry{"script", HtmlTag::script},
    Entry{"style", HtmlTag::style},
    Entry{"p", HtmlTag::p},
    Entry{"li", HtmlTag::li},
    Entry{"dd", HtmlTag::dd},
    Entry{"dt", HtmlTag::dt},
    Entry{"h1", HtmlTag::heading},
    Entry{"h2", HtmlTag::heading},
    Entry{"h3", HtmlTag::heading},
    Entry{"h4", HtmlTag::heading},
    Entry{"h5", HtmlTag::heading},
    Entry{"h6", HtmlTag::heading},
    Entry{"form", HtmlTag::form},
    Entry{"address", HtmlTag::block},
    Entry{"article", HtmlTag::block},
    Entry{"blockquote", HtmlTag::block},
    Entry{"center", HtmlTag::block},
    Entry{"div", HtmlTag::block},
    Entry{"dl", HtmlTag::block},
    Entry{"fieldset", HtmlTag::block},
    Entry{"footer", HtmlTag::block},
    Entry{"header", HtmlTag::block},
    Entry{"ol", HtmlTag::block},
    Entry{"pre", HtmlTag::block},
    Entry{"section", HtmlTag::block},
    Entry{"ul", HtmlTag::block},
    Entry{"aside", HtmlTag::plain_block},
    Entry{"nav", HtmlTag::plain_block},
    Entry{"figure", HtmlTag::plain_block},
    Entry{"figcaption", HtmlTag::plain_block},
    Entry{"main", HtmlTag::plain_block},
    Entry{"hgroup", HtmlTag::plain_block},
    Entry{"table", HtmlTag::table},
    Entry{"tbody", HtmlTag::row_group},
    Entry{"thead", HtmlTag::row_group},
    Entry{"tfoot", HtmlTag::row_group},
    Entry{"tr", HtmlTag::tr},
    Entry{"td", HtmlTag::cell},
    Entry{"th", HtmlTag::cell},
    Entry{"colgroup", HtmlTag::colgroup},
    Entry{"col", HtmlTag::col},
    Entry{"a", HtmlTag::anchor},
    Entry{"b", HtmlTag::formatting},
    Entry{"big", HtmlTag::formatting},
    Entry{"code", HtmlTag::formatting},
    Entry{"em", HtmlTag::formatting},
    Entry{"font", HtmlTag::formatting},
    Entry{"i", HtmlTag::formatting},
    Entry{"s", HtmlTag::formatting},
    Entry{"small", HtmlTag::formatting},
    Entry{"strike", HtmlTag::formatting},
    Entry{"strong", HtmlTag::formatting},
    Entry{"tt", HtmlTag::formatting},
    Entry{"u", HtmlTag::formatting},
    Entry{"br", HtmlTag::br},
    Entry{"hr", HtmlTag::hr},
    Entry{"base", HtmlTag::base},
    Entry{"link", HtmlTag::link},
    Entry{"meta", HtmlTag::meta},
    Entry{"input", HtmlTag::input},
    Entry{"embed", HtmlTag::embed},
    Entry{"img", HtmlTag::empty},
    Entry{"area", HtmlTag::empty},
    Entry{"wbr", HtmlTag::empty},
    Entry{"frame", HtmlTag::frame},
    Entry{"iframe", HtmlTag::iframe},
    Entry{"object", HtmlTag::object},
    Entry{"applet", HtmlTag::difficult},
    Entry{"basefont", HtmlTag::difficult},
    Entry{"bgsound", HtmlTag::difficult},
    Entry{"button", HtmlTag::difficult},
    Entry{"caption", HtmlTag::difficult},
    Entry{"command", HtmlTag::difficult},
    Entry{"details", HtmlTag::difficult},
    Entry{"dialog", HtmlTag::difficult},
    Entry{"dir", HtmlTag::difficult},
    Entry{"frameset", HtmlTag::difficult},
    Entry{"image", HtmlTag::difficult},
    Entry{"isindex", HtmlTag::difficult},
    Entry{"keygen", HtmlTag::difficult},
    Entry{"listing", HtmlTag::difficult},
    Entry{"marquee", HtmlTag::difficult},
    Entry{"math", HtmlTag::difficult},
    Entry{"menu", HtmlTag::difficult},
    Entry{"menuitem", HtmlTag::difficult},
    Entry{"nobr", HtmlTag::difficult},
    Entry{"noembed", HtmlTag::difficult},
    Entry{"noframes", HtmlTag::difficult},
    Entry{"noscript", HtmlTag::difficult},
    Entry{"optgroup", HtmlTag::difficult},
    Entry{"option", HtmlTag::difficult},
    Entry{"param", HtmlTag::difficult},
    Entry{"plaintext", HtmlTag::difficult},
    Entry{"rb", HtmlTag::difficult},
    Entry{"rp", HtmlTag::difficult},
    Entry{"rt", HtmlTag::difficult},
    Entry{"rtc", HtmlTag::difficult},
    Entry{"ruby", HtmlTag::difficult},
    Entry{"select", HtmlTag::difficult},
    Entry{"source", HtmlTag::difficult},
    Entry{"summary", HtmlTag::difficult},
    Entry{"svg", HtmlTag::difficult},
    Entry{"template", HtmlTag::difficult},
    Entry{"textarea", HtmlTag::difficult},
    Entry{"track", HtmlTag::difficult},
    Entry{"xmp", HtmlTag::difficult},
};

constexpr ShortNameTable short_names(entries);

}  // namespace

HtmlTag tag_of(std::string_view name) {
  if (const HtmlTag* tag = short_names.find(name)) return *tag;
  if (name.size() <= short_names.longest) return HtmlTag::other;
  const auto* const entry =
      std::find_if(entries.begin(), entries.end(), [name](const Entry& one) { return one.first == name; });
  return entry == entries.end() ? HtmlTag::other : entry->second;
}

bool is_block(HtmlTag tag) {
  switch (tag) {
    case HtmlTag::p:
    case HtmlTag::li:
    case HtmlTag::dd:
    case HtmlTag::dt:
    case HtmlTag::heading:
    case HtmlTag::form:
    case HtmlTag::block:
    case HtmlTag::table:
    case HtmlTag::tr:
    case HtmlTag::br:
    case HtmlTag::hr:
      return true;
    default:
      return false;
  }
}

}  // namespace sallyport::mime
