// HTML: the visible text, where links lead, and that nothing of it costs more than it may.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "gateway/mime/html.h"

namespace sallyport::mime {
namespace {

std::string first_target(const Html& html, LinkKind kind) {
  for (const Link& link : html.links) {
    if (link.kind == kind) return link.target;
  }
  return "none";
}

TEST(HtmlText, IsWhatIsSeen) {
  const Html html = read_html(
      "<html><head><title>T</title><style>p{color:red}</style></head><body><p>One&nbsp;&amp; "
      "two</p><div>three<br>four</div>"
      "<script>var five;</script><!-- six --><table><tr><td>a</td><td>b</td></tr></table></body></html>");
  EXPECT_EQ(html.text, "T\nOne\xc2\xa0& two\nthree\nfour\na b\n");
  EXPECT_TRUE(html.has_script);
  EXPECT_TRUE(html.is_whole);
}

// White space runs together wherever it stands, within whatever length of text.
TEST(HtmlText, HasOneSpaceBetweenWords) {
  std::mt19937 random(5);
  for (int i = 0; i < 3000; ++i) {
    std::string written = "<p>";
    std::string shown;
    bool wants_space = false;
    for (std::size_t n = random() % 60; n > 0; --n) {
      const char c = "abcdefgh  \n\t"[random() % 12];
      written += c;
      const bool is_white = c == ' ' || c == '\n' || c == '\t';
      if (!is_white && wants_space && !shown.empty()) shown += ' ';
      if (!is_white) shown += c;
      wants_space = is_white;
    }
    if (!shown.empty()) shown += '\n';
    EXPECT_EQ(read_html(written + "</p>").text, shown) << written;
    // Also where the text has little room.
    HtmlLimits limits;
    limits.text = 1 + random() % 40;
    const std::string cut = read_html(written + "</p>", limits).text;
    EXPECT_LE(cut.size(), limits.text);
    EXPECT_TRUE(cut.empty() || shown.starts_with(cut.substr(0, cut.size() - 1))) << cut;
  }
}

TEST(HtmlText, LeavesOutWhatAStyleHides) {
  const Html html = read_html(
      "<p>seen<span style=\"display: none\">hidden</span><span style='FONT-SIZE:0px'>zero</span><i hidden>too</i></p>");
  EXPECT_EQ(html.text, "seen\n");
  EXPECT_EQ(html.hidden_octets, 13U);
  EXPECT_EQ(read_html("<p style='font-size:0.9em'>seen</p>").text, "seen\n");
}

TEST(HtmlText, HasWhatOutlookShows) {
  const Html html =
      read_html("<p>a</p><!--[if mso]><v:roundrect href='https://b.example/'>click</v:roundrect><![endif]-->");
  EXPECT_NE(html.text.find("click"), std::string::npos);
  EXPECT_EQ(first_target(html, LinkKind::anchor), "https://b.example/");
}

TEST(HtmlText, IsKeptWhereItIsHidden) {
  const Html html = read_html(
      "<p>a</p><p style='visibility:hidden'>go to  ex<b>ample.org</b></p><p style='display:none;display:block'>or</p>"
      "<table style='opacity:0'><tr><td>one</td><td>two</td></tr></table>");
  EXPECT_EQ(html.text, "a\n");
  EXPECT_EQ(html.hidden_text, "go to example.org\nor\none two");
  HtmlLimits limits;
  limits.text = 10;
  EXPECT_LE(read_html("<p hidden>" + std::string(100, 'x') + "</p>", limits).hidden_text.size(), 10U);
}

// Whether the target is found, of whatever kind.
bool leads_to(const std::string& document, std::string_view target) {
  const Html html = read_html(document);
  return std::any_of(html.links.begin(), html.links.end(),
                     [target](const Link& link) { return link.target == target; });
}

TEST(HtmlLinks, AreFoundInConditionalCommentsOfAnyForm) {
  const std::string link = "<a href='https://a.example/'>x</a>";
  const std::string harmless = "<!--[if mso]><p>x</p><![endif]-->";
  std::string many;
  for (int i = 0; i < 200; ++i) many += harmless;
  for (const std::string& document :
       {"<!--[if mso]>" + link + "<![endif]-->", "<!--[IF MSO]>" + link + "<![EndIf]-->",
        "<!--[if mso]>" + link + "-->", many + "<!--[if mso]>" + link + "<![endif]-->",
        "<!--[if gte mso 9]><!--[if mso]>" + link + "<![endif]--><![endif]-->", "<!--[if mso]>" + link + "<![endif]"}) {
    EXPECT_TRUE(leads_to(document, "https://a.example/")) << document.substr(0, 200);
  }
  EXPECT_TRUE(read_html(many).is_whole);
}

TEST(HtmlLinks, AreFoundBehindRepeatedAttributes) {
  const std::string misnested = "<b><i>x</b></i>";
  for (const char* tag :
       {"<a x x href='https://a.example/'>", "<a x X/href=https://a.example/>", "<a x=1 x href = 'https://a.example/'>",
        "<a href='https://a.example/' href href title=y>", "<a x=\">\" x href='https://a.example/'>"}) {
    EXPECT_TRUE(leads_to(tag + std::string("go</a>"), "https://a.example/")) << tag;
    EXPECT_TRUE(leads_to(misnested + tag + "go</a>", "https://a.example/")) << tag;
  }
  // What looks like a repeated attribute and is none.
  EXPECT_TRUE(leads_to(misnested + "<style><a href x=\"</style><a y=\"\" href='https://a.example/'>go</a>",
                       "https://a.example/"));
}

TEST(HtmlLinks, OfARefreshNeedNoUrl) {
  for (const char* content : {"0; https://a.example/", "0;url=https://a.example/", "5 , URL = 'https://a.example/'",
                              ".5;'https://a.example/'", "url=https://a.example/"}) {
    const std::string quoted = "<meta http-equiv=refresh content=\"" + std::string(content) + "\">";
    EXPECT_TRUE(leads_to(quoted, "https://a.example/")) << quoted;
  }
  EXPECT_TRUE(leads_to("<meta http-equiv=refresh content='0; https://a.example/?url=b'>", "https://a.example/?url=b"));
}

TEST(HtmlLinks, AreFoundInStylesOfAnyForm) {
  for (const char* style :
       {"a{b:URL(https://a.example/)}", "@import 'https://a.example/';", "@import \"https://a.example/\" screen;",
        "a{b:\\75 rl(https://a.example/)}", "a{b:url(https\\3a //a.example/)}", "a{b:u\\52l( 'https://a.example/' )}",
        "a{b:image-set('x.png' 1x, \"https://a.example/\" 2x)}"}) {
    EXPECT_TRUE(leads_to("<style>" + std::string(style) + "</style>x", "https://a.example/")) << style;
  }
  EXPECT_TRUE(leads_to("<p style=\"background:Url('https://a.example/')\">x</p>", "https://a.example/"));
  EXPECT_EQ(read_html("<p style=\"background:url('https://a.example/');font-family:'A','B'\">x</p>").links.size(), 1U);
  for (const char* broken : {"\\", "\"", "url(", "a\\7", "'//", "\"//\\\""})
    read_html("<style>" + std::string(broken) + "</style>");
}

TEST(HtmlText, IsSaidToHaveCode) {
  for (const char* document : {"<script>x</script>", "<body onload='x'>", "<iframe srcdoc='x'></iframe>",
                               "<video poster=x></video>", "<a href=x PING=y>z</a>", "<svg><set to=x></svg>"}) {
    EXPECT_TRUE(read_html(document).has_code) << document;
  }
  EXPECT_FALSE(read_html("<p class=x style='color:red'><a href=x target=y>z</a><img src=x alt=on></p>").has_code);
}

TEST(HtmlLinks, AreOfAllKinds) {
  const Html html = read_html(
      "<base href='https://base.example/'><meta http-equiv=refresh content=\"0; url='https://refresh.example/'\"><link "
      "href=https://style.example/ rel=stylesheet>"
      "<a href=' https://a.example/?x=1&amp;y=2 '>visit <b>here</b></a><form action=https://form.example/><input "
      "type=password name=p></form>"
      "<img src=https://img.example/ srcset='https://set.example/ 2x'><iframe src=https://frame.example/></iframe>"
      "<div style=\"background:url('https://url.example/')\">x</div><script src=https://script.example/></script>");
  EXPECT_EQ(first_target(html, LinkKind::base), "https://base.example/");
  EXPECT_EQ(first_target(html, LinkKind::refresh), "https://refresh.example/");
  EXPECT_EQ(first_target(html, LinkKind::style), "https://style.example/");
  EXPECT_EQ(first_target(html, LinkKind::anchor), "https://a.example/?x=1&y=2");
  EXPECT_EQ(first_target(html, LinkKind::form), "https://form.example/");
  EXPECT_EQ(first_target(html, LinkKind::image), "https://img.example/");
  EXPECT_EQ(first_target(html, LinkKind::frame), "https://frame.example/");
  EXPECT_EQ(first_target(html, LinkKind::script), "https://script.example/");
  for (const Link& link : html.links) {
    if (link.kind == LinkKind::anchor) EXPECT_EQ(link.shown, "visit here");
  }
  EXPECT_TRUE(html.has_form);
  EXPECT_TRUE(html.has_password_field);
}

// Inputs on which an HTML5 parser takes more than linear time or memory, or recurses.
TEST(HtmlBounds, HoldForWhatIsMadeToBreakThem) {
  const auto repeat = [](const std::string& what, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += what;
    return all;
  };
  std::string formatting;
  for (int i = 0; i < 300; ++i) formatting += "<b id=" + std::to_string(i) + ">";
  const std::string inputs[] = {
      repeat("<b>", 80000),
      repeat("<div>", 50000),
      repeat("<b></i>", 30000),
      formatting + repeat("<p>", 60000),
      repeat("<table><tr><td>", 10000),
      repeat("<svg><desc>", 20000),
      repeat("<a href=x>", 20000),
      repeat("<", 200000),
      repeat("&", 200000),
      repeat("<!--[if mso]>x<![endif]-->", 8000),
      "<p " + repeat("a=b ", 60000) + ">",
      repeat("<select><option>", 10000),
  };
  for (const std::string& input : inputs) {
    const Html html = read_html(input + "<a href=https://end.example/>end</a>");
    EXPECT_LE(html.text.size(), HtmlLimits().text) << input.substr(0, 30);
    EXPECT_LE(html.links.size(), HtmlLimits().links);
  }
}

TEST(HtmlBounds, StillShowLinksOfWhatIsTooDeep) {
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "<div>";
  const Html html = read_html(deep + "<script>no()</script>text <a href=\"https://deep.example/\">x</a>");
  EXPECT_FALSE(html.is_whole);
  EXPECT_EQ(first_target(html, LinkKind::anchor), "https://deep.example/");
  EXPECT_NE(html.text.find("text"), std::string::npos);
  EXPECT_EQ(html.text.find("no()"), std::string::npos);
}

TEST(HtmlBounds, AreKeptWithCutText) {
  HtmlLimits limits;
  limits.text = 10;
  limits.links = 1;
  limits.target = 8;
  const Html html = read_html(
      "<a href=https://one.example/>\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9</a><a "
      "href=https://two.example/>b</a>",
      limits);
  EXPECT_LE(html.text.size(), 10U);
  EXPECT_EQ(html.links.size(), 1U);
  EXPECT_EQ(html.links[0].target, "https://");
  EXPECT_FALSE(html.is_whole);
}

}  // namespace
}  // namespace sallyport::mime
