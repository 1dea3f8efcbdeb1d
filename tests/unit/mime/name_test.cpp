// Names of parts: every candidate, and what a system would make of each (threats.md M6, M7).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/mime/content_fields.h"
#include "gateway/mime/name.h"

namespace sallyport::mime {
namespace {

std::vector<std::string> names_of(const std::vector<std::string>& lines) {
  HeaderReader reader;
  for (const std::string& line : lines) reader.take(line);
  std::vector<std::string> names;
  for (const Name& name : reader.finish().names) names.push_back(name.text);
  return names;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::vector<std::string> extensions(const std::string& name) { return extensions_of({{name, NameSource::type}}); }

TEST(NameCandidates, AreAllOfThem) {
  const auto names =
      names_of({"Content-Disposition: attachment; filename=a.png; filename*0=b.; filename*1=exe; filename*=UTF-8''c.js",
                "Content-Type: text/plain; name=\"=?utf-8?B?ZC52YnM=?=\""});
  EXPECT_EQ(names.size(), 4U);
  for (const char* name : {"a.png", "b.exe", "c.js", "d.vbs"}) EXPECT_TRUE(has(names, name)) << name;
}

TEST(NameCandidates, OfOddQuotes) {
  EXPECT_EQ(names_of({"Content-Disposition: attachment; filename=\"x\\\".exe\""}).front(), "x\".exe");
  for (const char* name : {"x", "x.exe"})
    EXPECT_TRUE(has(names_of({"Content-Disposition: attachment; filename=x\".exe"}), name)) << name;
  for (const char* name : {"x", "x;.exe"})
    EXPECT_TRUE(has(names_of({"Content-Disposition: attachment; filename=x;.exe"}), name)) << name;
  for (const char* name : {"x.exe", "x.e(.gif)xe"})
    EXPECT_TRUE(has(names_of({"Content-Disposition: attachment; filename=x.e(.gif)xe"}), name)) << name;
}

TEST(NameCandidates, OfAnOrdinaryNameIsOne) {
  for (const char* value : {"attachment; filename=\"report (1).pdf\"", "attachment; filename=report.pdf",
                            "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf",
                            "attachment; filename*0*=UTF-8''r%C3%A9s; filename*1*=um%C3%A9.pdf",
                            "attachment; filename=\"=?utf-8?Q?r=C3=A9sum=C3=A9.pdf?=\"",
                            "attachment; filename=\"a; b = c.pdf\"; size=7", "inline; filename=\"it's.pdf\""}) {
    HeaderReader reader;
    reader.take("Content-Disposition: " + std::string(value));
    reader.take("Content-Type: application/pdf");
    const ContentFields fields = reader.finish();
    EXPECT_EQ(fields.names.size(), 1U) << value;
    EXPECT_FALSE(fields.oddities.has(Oddity::conflicting_name)) << value;
    EXPECT_FALSE(fields.oddities.has(Oddity::malformed_field)) << value;
  }
}

TEST(NameCandidates, OfBothFieldsThatAgreeAreOne) {
  EXPECT_EQ(
      names_of({"Content-Type: application/pdf; name=\"a.pdf\"", "Content-Disposition: attachment; filename=\"a.pdf\""})
          .size(),
      1U);
}

TEST(NameCandidates, OfLongNamesKeepTheirEnd) {
  const std::string written = std::string(3000, 'x') + ".exe";
  const auto ends = [](const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".exe"); });
  };
  EXPECT_TRUE(ends(names_of({"Content-Disposition: attachment; filename=\"" + written + "\""})));
  std::string pieces;
  for (std::size_t i = 0; i * 10 < written.size(); ++i)
    pieces += "; filename*" + std::to_string(i) + "=" + written.substr(i * 10, 10);
  EXPECT_TRUE(ends(names_of({"Content-Disposition: attachment" + pieces})));
}

TEST(NameCandidates, OfManyKeepThoseOfPrograms) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "; filename=" + std::to_string(i) + ".txt";
  EXPECT_TRUE(has(names_of({"Content-Disposition: attachment" + many + "; filename=a.exe; filename=b.txt"}), "a.exe"));
}

TEST(NameCandidates, OfMoreParametersThanAreReadAreUnscannable) {
  const auto is_over = [](std::size_t count) {
    std::string field = "Content-Disposition: attachment";
    for (std::size_t i = 0; i < count; ++i) field += "; x=y";
    HeaderReader reader;
    reader.take(field + "; filename=a.exe");
    return reader.finish().is_over_limit;
  };
  EXPECT_FALSE(is_over(999));
  EXPECT_TRUE(is_over(1000));
}

TEST(NameCandidates, OfEncodedWordsWhereverTheyStand) {
  for (const char* parameter :
       {"filename*=\"=?utf-8?Q?a=2Eexe?=\"", "filename=\"=?no-such-charset?Q?a=2Eexe?=\"",
        "filename=\"=?utf-16?B?YQAuAGUAeABlAA==?=\"", "filename=\"=?UTF-16*en?B?YQAuAA==?==?utf-16?B?ZQB4AGUA?=\"",
        "filename=\"=?x?Q?=61?= =?x?Q?.exe?=\"", "filename=\"=?x?q\"; filename=a.exe"}) {
    EXPECT_TRUE(has(names_of({std::string("Content-Disposition: attachment; ") + parameter}), "a.exe")) << parameter;
  }
}

TEST(NameCandidates, DoNotGoOnForEver) {
  std::string field = "Content-Disposition: attachment";
  for (int i = 0; i < 5000; ++i) field += "; filename=x" + std::to_string(i) + "(\"";
  EXPECT_LE(names_of({field}).size(), 16U);
  std::string comments = "Content-Type: text/plain; " + std::string(60000, '(');
  EXPECT_LE(names_of({comments}).size(), 16U);
  std::string words = "Content-Type: text/plain; name=\"";
  for (int i = 0; i < 20000; ++i) words += "=?";
  EXPECT_LE(names_of({words + "\""}).size(), 16U);
}

TEST(CleanName, IsWhatWindowsWouldStore) {
  EXPECT_EQ(clean("a.exe.").extension, "exe");
  EXPECT_EQ(clean("a.exe. . ").extension, "exe");
  EXPECT_EQ(clean("a.exe\"").extension, "exe");
  EXPECT_EQ(clean("C:\\temp\\..\\a.EXE").text, "a.EXE");
  EXPECT_EQ(clean("C:\\temp\\..\\a.EXE").extension, "exe");
  EXPECT_EQ(clean("../../etc/passwd").text, "passwd");
  EXPECT_EQ(clean("a\xef\xbc\x8e"
                  "exe")
                .extension,
            "exe");                                                             // fullwidth full stop
  EXPECT_EQ(clean("a.\xef\xbd\x85\xef\xbd\x98\xef\xbd\x85").extension, "exe");  // fullwidth letters
  EXPECT_EQ(clean("a.e\xe2\x80\x8bxe").extension, "exe");                       // zero-width space
  EXPECT_EQ(clean("a\xe2\x80\xae"
                  "fdp.exe")
                .extension,
            "exe");                             // right-to-left override
  EXPECT_EQ(clean("a. exe").extension, "exe");  // folded behind the dot
  EXPECT_EQ(clean("").text, "");
  EXPECT_EQ(clean("...").extension, "");
  EXPECT_EQ(clean("no extension").extension, "");
}

TEST(CleanName, TellsWhatDeceives) {
  using O = NameOddity;
  const std::pair<std::string, O> cases[] = {
      {std::string("a.exe\0.txt", 10), O::nul},
      {"a\x01.txt", O::control},
      {"a/b.txt", O::separator},
      {"..\\a.txt", O::parent},
      {"a.exe ", O::trailing},
      {"a\xe2\x80\xae"
       "b",
       O::turned},
      {"a\xe2\x80\x8b"
       "b",
       O::invisible},
      {"p\xd0\xb0ypal.pdf", O::mixed_scripts},
      {std::string(300, 'x'), O::too_long},
      {"a.pdf      .exe", O::many_spaces},
      {"invoice.pdf.exe", O::double_extension},
      {"a\xff", O::not_text},
  };
  for (const auto& [name, oddity] : cases) EXPECT_TRUE(clean(name).oddities.has(oddity)) << name << " " << word(oddity);
  for (const char* ordinary : {"report.pdf", "Bericht (2).docx", "\xd0\xbe\xd1\x82\xd1\x87\xd0\xb5\xd1\x82.pdf",
                               "r\xc3\xa9sum\xc3\xa9.pdf", "archive.tar.gz", "v1.2.3.zip"})
    EXPECT_TRUE(clean(ordinary).oddities.empty()) << ordinary << " " << to_field_text(clean(ordinary).oddities);
}

TEST(Extensions, AreThoseOfEachEndOfTheName) {
  EXPECT_TRUE(has(extensions(std::string("x.exe\0.txt", 10)), "exe"));
  EXPECT_TRUE(has(extensions(std::string("x.exe\0.txt", 10)), "txt"));
  EXPECT_TRUE(has(extensions("a.txt:x.exe"), "exe"));
  EXPECT_TRUE(has(extensions("a.exe;1"), "exe"));
  EXPECT_EQ(extensions("report.pdf"), std::vector<std::string>{"pdf"});
}

TEST(Extensions, ThatRunAreKnown) {
  for (const char* extension : {"exe", "js", "lnk", "vbs", "iso", "appref-ms", "xnk", "ace", "settingcontent-ms",
                                "{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}"})
    EXPECT_TRUE(is_executable_extension(extension)) << extension;
  for (const char* extension : {"pdf", "txt", "docx", "zip", "", "jpg"})
    EXPECT_FALSE(is_executable_extension(extension)) << extension;
}

}  // namespace
}  // namespace sallyport::mime
