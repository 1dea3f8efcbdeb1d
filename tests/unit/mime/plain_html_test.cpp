// HTML that is read without a tree: what is read of it is what gumbo tells, in documents of the corpora and in
// documents made of whatever HTML has, well nested or not.
#include "gateway/mime/plain_html.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/mime/html.h"
#include "tests/support/corpora.h"
#include "tests/unit/mime/reading.h"

namespace sallyport::mime {
namespace {

bool is_plain(const std::string& document) {
  Html html;
  const HtmlLimits limits;
  HtmlReading reading(limits, html);
  return read_plain_html(document, reading);
}

std::string told_of(const Html& html) {
  std::string told = html.text + "\n-- hidden " + std::to_string(html.hidden_octets) +
                     (html.has_script ? " script" : "") + (html.has_password_field ? " password" : "") +
                     (html.has_code ? " code" : "") + "\n" + html.hidden_text + "\n--\n";
  for (const Link& link : html.links)
    told += std::string(word(link.kind)) + " " + link.target + " [" + link.shown + "]\n";
  return told;
}

// Whether it is plain.
bool expect_same(const std::string& document) {
  if (!is_plain(document)) return false;
  EXPECT_EQ(told_of(read_html(document)), told_of(read_html_by_tree(document))) << document;
  return true;
}

TEST(PlainHtml, TellsWhatGumboTells) {
  for (const char* document : {
           "<p>one<p>two</p></p>three",
           "<table><tr><td>a<td>b<tr><th>c</table>d",
           "<table><colgroup><col><col></colgroup><tbody><tr><td><p>x</td></tr></tbody><tfoot><tr><td>y</table>",
           "<ul><li>one<li>two<ul><li>inner</ul><li><p>three</ul>",
           "<dl><dt>a<dd>b<dt>c</dl>",
           "<!DOCTYPE html><html><head><title>t &amp; u</title><style>p{background:url(x)}</style></head><body "
           "style='display:none'>no</body></html> more",
           "<a href='http://a.example/?a=1&b=2&copy=3'>x &eacute;</a><a HREF=b.html>y</a>",
           "<div><span>&nbsp;&#8217;&hellip;</span></div>1 < 2 <3",
           "<!--[if mso]><p>for Outlook</p><![endif]--><![if !mso]>x<![endif]>",
           "</div></p></td></b>stray",
           "<img src=a srcset='b 1x, c 2x'><meta http-equiv=refresh content='0; url=d'><input type=password>",
       }) {
    EXPECT_TRUE(expect_same(document)) << document;
  }
}

TEST(PlainHtml, LeavesToGumboWhatNestsOtherwise) {
  for (const char* document : {"<b><i>x</b></i>",
                               "<table>x</table>",
                               "<table><form><tr><td>x</table>",
                               "<a href=x><a href=y>z</a></a>",
                               "<p><table></table></p>",
                               "<svg><a xlink:href=x></svg>",
                               "<select><option>x</select>",
                               "<script><!--</script>",
                               "<noscript><p></noscript>",
                               "<p>&unknown;",
                               "<p title=\"",
                               "<!-- x",
                               "<textarea></b></textarea>",
                               "a\001b",
                               "<h1><h2>x",
                               "<x:a><a href=y>z</x:b>w</a></x:a>",
                               "<iframe src=x></iframe>",
                               "<form><form>",
                               "</br>",
                               "\xff"}) {
    EXPECT_FALSE(is_plain(document)) << document;
  }
}

TEST(PlainHtml, ForgetsWhatItToldBeforeItGaveUp) {
  const std::string document = "<form><a href=x>y</a><style>a{b:url(q)}</style><!--[if mso]>z<![endif]--><b><i>w</b>v";
  EXPECT_EQ(told_of(read_html(document)), told_of(read_html_by_tree(document)));
  // A document within a comment that begins with white space.
  const std::string open = "t<!--[if]> x";
  EXPECT_EQ(told_of(read_html(open)), told_of(read_html_by_tree(open)));
}

TEST(PlainHtml, TellsWhatGumboTellsOfTheCorpora) {
  const auto folder = support::corpus_path("");
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "skipped: corpora not found";
  std::size_t documents = 0;
  std::size_t plain = 0;
  const auto count = [&](const std::string& document) {
    ++documents;
    plain += expect_same(document) ? 1 : 0;
  };
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.file_size() > 300'000) continue;
    const auto octets = support::load_corpus_octets(std::filesystem::relative(entry.path(), folder));
    if (!octets || text::to_lower(*octets).find("<") == std::string::npos) continue;
    count(*octets);
    const ReadMail mail = read_mail(*octets);
    Contents contents;
    for (PartIndex part = 0; part < mail.tree.parts.size(); ++part) {
      if (is_html(mail.tree.parts[part])) count(contents.source(*mail.message, mail.tree, part).utf8);
    }
  }
  EXPECT_GT(documents, 500U);
  EXPECT_GT(plain * 2, documents);
  std::cout << "plain HTML: " << plain << " of " << documents << "\n";
}

TEST(PlainHtml, TellsWhatGumboTellsOfAnything) {
  constexpr const char* names[] = {"p",     "div",      "span",  "b",     "i",      "a",    "table",  "tr",
                                   "td",    "th",       "tbody", "li",    "ul",     "h1",   "h2",     "article",
                                   "br",    "hr",       "img",   "font",  "dd",     "dt",   "dl",     "input",
                                   "style", "nav",      "title", "o:p",   "meta",   "col",  "center", "body",
                                   "head",  "colgroup", "html",  "thead", "script", "link", "select", "blockquote"};
  constexpr const char* attributes[] = {"",
                                        " href=\"http://a.example/?a=1&b=2\"",
                                        " style='display:none'",
                                        " style=\"color:red\"",
                                        " hidden",
                                        " src=x.png",
                                        " class=a",
                                        " href='&amp;x'",
                                        " HREF=foo href=bar",
                                        " background=\"b.gif\"",
                                        " srcset='a 1x, b 2x'",
                                        " type=password",
                                        " onclick='x()'",
                                        " poster=x.png",
                                        " style='background:URL(\"http://b.example/\");font-size:0'",
                                        " disabled/"};
  constexpr const char* texts[] = {"word ",
                                   "two words",
                                   " ",
                                   "\n",
                                   "&nbsp;",
                                   "&amp;",
                                   "a<b ",
                                   "<!-- c -->",
                                   "<!--[if mso]><p>in</p><![endif]-->",
                                   "&copy",
                                   "x &eacute;t",
                                   "<![if !mso]>",
                                   "\xC3\xA9",
                                   "&#8217;",
                                   "&bogus;",
                                   "<!DOCTYPE html>",
                                   "\r\n",
                                   "&ampx",
                                   "1 < 2"};
  std::mt19937 random(20261129);
  const auto any = [&random](const auto& of) { return std::string(of[random() % std::size(of)]); };
  std::size_t plain = 0;
  constexpr std::size_t documents = 20'000;
  for (std::size_t i = 0; i < documents; ++i) {
    std::string document;
    std::vector<std::string> open;
    const bool is_nested = random() % 3 != 0;
    for (std::size_t pieces = 1 + random() % 14; pieces > 0; --pieces) {
      const auto what = random() % 10;
      if (what < 4) {
        std::string name = any(names);
        if (is_nested && !open.empty() && open.back() == "table") name = "tr";
        if (is_nested && !open.empty() && open.back() == "tr") name = "td";
        document += "<" + name + any(attributes) + ">";
        if (name == "style" || name == "script" || name == "title")
          document += "url(q)</" + name + ">";
        else
          open.push_back(name);
      } else if (what < 6 && is_nested && !open.empty()) {
        document += "</" + open.back() + ">";
        open.pop_back();
      } else if (what < 6) {
        document += "</" + any(names) + ">";
      } else {
        document += any(texts);
      }
    }
    plain += expect_same(document) ? 1 : 0;
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(plain * 5, documents);
}

}  // namespace
}  // namespace sallyport::mime
