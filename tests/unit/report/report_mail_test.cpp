// The names of a report and the mail around it (RFC 9990, 3.5).
#include "gateway/report/report_mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "gateway/base/base64.h"
#include "gateway/report/gzip.h"

namespace sallyport::report {
namespace {

using testing::HasSubstr;

ReportName report_name() {
  ReportName name;
  name.receiver = "mx1.example.com";
  name.policy_domain = "example.org";
  name.fingerprint = "3f2a";
  name.begin = 1700006400;
  name.end = 1700092799;
  return name;
}

std::string gunzip(std::string_view packed) {
  std::string text(1 << 20, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string input(packed);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST(Gzip, CanBeUndone) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(200000, 'x')})
    EXPECT_EQ(gunzip(gzip(text)), text);
  EXPECT_EQ(gzip("the same"), gzip("the same"));
}

TEST(ReportName, IsInItsFormsWhatReceiversExpect) {
  EXPECT_EQ(report_id(report_name()), "example.org.1700006400.3f2ap1@mx1.example.com");
  EXPECT_EQ(file_name(report_name()), "mx1.example.com!example.org!1700006400!1700092799!3f2ap1.xml.gz");
  EXPECT_EQ(subject(report_name()),
            "Report Domain: example.org\r\n Submitter: mx1.example.com\r\n Report-ID: "
            "<example.org.1700006400.3f2ap1@mx1.example.com>");
}

TEST(ReportMail, HoldsTheReport) {
  const std::string xml = "<feedback>\n" + std::string(3000, 'q') + "</feedback>\n";
  const std::string packed = gzip(xml);
  ReportMail mail{report_name(),   "reports@mx1.example.com",
                  "a@example.org", "Two\nlines.\n",
                  packed,          WallTime(std::chrono::seconds(1700100000))};
  const std::string text = make_report_mail(mail);
  EXPECT_THAT(text,
              testing::StartsWith("From: <reports@mx1.example.com>\r\nTo: <a@example.org>\r\nSubject: Report Domain"));
  EXPECT_THAT(text, HasSubstr("\r\nMessage-ID: <example.org.1700006400.3f2ap1@mx1.example.com>\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\n\r\nTwo\r\nlines.\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Type: application/gzip\r\n"));
  const std::size_t begin = text.find("xml.gz\"\r\n\r\n") + 11;
  const std::size_t end = text.find("\r\n\r\n--", begin);
  std::string encoded = text.substr(begin, end - begin);
  std::erase_if(encoded, [](char c) { return c == '\r' || c == '\n'; });
  EXPECT_EQ(gunzip(from_base64(encoded).value()), xml);
}

TEST(ReportMail, CanBeSentAsItIs) {
  const std::string packed = gzip("x");
  ReportMail mail{report_name(), "a@b.example", "c@d.example", "Hello.\n", packed, WallTime()};
  const std::string text = make_report_mail(mail);
  EXPECT_TRUE(text.ends_with("--\r\n"));
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') EXPECT_EQ(text[i - 1], '\r');
    EXPECT_LT(static_cast<unsigned char>(text[i]), 0x80);
  }
  EXPECT_EQ(text.find("\r\n."), std::string::npos);
}

}  // namespace
}  // namespace sallyport::report
