// The XML of a report: what stands where, and that nothing of a stranger's text becomes markup.
#include "gateway/report/aggregate_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sallyport::report {
namespace {

using testing::HasSubstr;
using testing::Not;

ReportMetadata metadata() {
  ReportMetadata about;
  about.organization = "Example & Sons";
  about.email = "reports@mx.example.com";
  about.contact = "https://example.com/dmarc";
  about.report_id = "example.org.1700006400.ab12.1@mx.example.com";
  about.generator = "Sallyport";
  about.begin = 1700006400;
  about.end = 1700092799;
  return about;
}

PublishedPolicy policy() {
  PublishedPolicy published;
  published.domain = "example.org";
  published.discovery = "treewalk";
  published.policy = "reject";
  published.subdomain_policy = "quarantine";
  published.failure_options = "0";
  published.strict_spf = true;
  return published;
}

io::DmarcReportRow row() {
  io::DmarcReportRow one;
  one.mail.source_ip = *IpAddress::parse("2001:db8::1");
  one.mail.header_from = "sub.example.org";
  one.mail.envelope_from = "bounce.example.net";
  one.mail.disposition = "none";
  one.mail.spf = true;
  one.mail.reasons = {{"local_policy", "arc=pass"}, {"other", ""}};
  one.mail.signatures = {{"example.org", "s1", "fail"}, {"example.net", "s2", "pass"}};
  one.mail.spf_check = {"bounce.example.net", "pass"};
  one.count = 17;
  return one;
}

std::string report_of(const std::vector<io::DmarcReportRow>& rows) {
  AggregateXml xml(metadata(), policy());
  for (const auto& one : rows) EXPECT_TRUE(xml.add(one));
  return xml.finish();
}

TEST(AggregateXml, HasEverythingInTheOrderOfTheSchema) {
  EXPECT_EQ(report_of({row()}), R"(<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
<version>1.0</version>
<report_metadata>
<org_name>Example &amp; Sons</org_name>
<email>reports@mx.example.com</email>
<extra_contact_info>https://example.com/dmarc</extra_contact_info>
<report_id>example.org.1700006400.ab12.1@mx.example.com</report_id>
<date_range>
<begin>1700006400</begin>
<end>1700092799</end>
</date_range>
<generator>Sallyport</generator>
</report_metadata>
<policy_published>
<domain>example.org</domain>
<discovery_method>treewalk</discovery_method>
<p>reject</p>
<sp>quarantine</sp>
<fo>0</fo>
<adkim>r</adkim>
<aspf>s</aspf>
<testing>n</testing>
</policy_published>
<record>
<row>
<source_ip>2001:db8::1</source_ip>
<count>17</count>
<policy_evaluated>
<disposition>none</disposition>
<dkim>fail</dkim>
<spf>pass</spf>
<reason>
<type>local_policy</type>
<comment>arc=pass</comment>
</reason>
<reason>
<type>other</type>
</reason>
</policy_evaluated>
</row>
<identifiers>
<header_from>sub.example.org</header_from>
<envelope_from>bounce.example.net</envelope_from>
</identifiers>
<auth_results>
<dkim>
<domain>example.org</domain>
<selector>s1</selector>
<result>fail</result>
</dkim>
<dkim>
<domain>example.net</domain>
<selector>s2</selector>
<result>pass</result>
</dkim>
<spf>
<domain>bounce.example.net</domain>
<scope>mfrom</scope>
<result>pass</result>
</spf>
</auth_results>
</record>
</feedback>
)");
}

TEST(AggregateXml, LeavesOutWhatThereIsNot) {
  io::DmarcReportRow bare = row();
  bare.mail.envelope_from.clear();
  bare.mail.reasons.clear();
  bare.mail.signatures.clear();
  bare.mail.spf_check.reset();
  const std::string xml = report_of({bare});
  for (const char* element : {"<envelope_from>", "<reason>", "<spf>\n", "<dkim>\n", "<np>"})
    EXPECT_THAT(xml, Not(HasSubstr(element))) << element;
}

TEST(AggregateXml, EscapesWhatStrangersWrite) {
  EXPECT_EQ(escape_xml("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_EQ(escape_xml("]]>"), "]]&gt;");
  EXPECT_EQ(escape_xml("a\x01\x1b\rz"), "a\xEF\xBF\xBD\xEF\xBF\xBD&#13;z");
  EXPECT_EQ(escape_xml("m\xC3\xBCnchen"), "m\xC3\xBCnchen");
  EXPECT_EQ(escape_xml("\xC3(\xFF"), "\xEF\xBF\xBD(\xEF\xBF\xBD");
  EXPECT_EQ(escape_xml("\xEF\xBF\xBE"), "\xEF\xBF\xBD");  // U+FFFE is no character of XML
  EXPECT_EQ(escape_xml(std::string_view("\0", 1)), "\xEF\xBF\xBD");
}

TEST(AggregateXml, EndsWhereItWouldBecomeTooLarge) {
  const std::size_t one_row = report_of({row()}).size();
  AggregateXml xml(metadata(), policy(), one_row);
  EXPECT_TRUE(xml.add(row()));
  EXPECT_FALSE(xml.add(row()));
  EXPECT_EQ(xml.rows(), 1u);
  EXPECT_EQ(xml.mails(), 17u);
  EXPECT_EQ(xml.finish().size(), one_row);
}

TEST(AggregateXml, AlwaysTakesOneRow) {
  AggregateXml xml(metadata(), policy(), 1);
  EXPECT_TRUE(xml.add(row()));
}

// Our own schema in the words of RFC 9990, as xmllint reads it.
TEST(AggregateXml, IsValid) {
  io::DmarcReportRow hostile = row();
  hostile.mail.envelope_from = "a]]><x>\x01&\xFF";
  hostile.mail.reasons = {{"policy_test_mode", "<&>"}};
  io::DmarcReportRow bare = row();
  bare.mail.envelope_from.clear();
  bare.mail.reasons.clear();
  bare.mail.signatures.clear();
  bare.mail.spf_check.reset();
  std::string file = (std::filesystem::temp_directory_path() / "sallyport-report-XXXXXX").string();
  const int descriptor = ::mkstemp(file.data());
  ASSERT_GE(descriptor, 0);
  ::close(descriptor);
  std::ofstream(file) << report_of({row(), hostile, bare});
  const std::string command = "xmllint --nonet --noout --schema tests/cases/dmarc_report.xsd " + file;
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace sallyport::report
