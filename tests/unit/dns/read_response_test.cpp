#include <gtest/gtest.h>

#include <chrono>

#include "gateway/base/cpu_time.h"
#include "gateway/dns/wire.h"
#include "tests/support/dns_packet.h"

namespace sallyport::dns {
namespace {

using support::dns_name;
using support::dns_number16;
using support::dns_pointer;
using support::dns_string;
using support::DnsPacket;
using Section = DnsPacket::Section;

constexpr std::uint16_t a_type = 1, ns_type = 2, cname_type = 5, soa_type = 6, mx_type = 15, txt_type = 16;

Response read(const DnsPacket& packet) {
  auto response = read_response(packet.octets());
  EXPECT_TRUE(response.ok());
  return response.ok() ? *response : Response{};
}

bool is_malformed(std::string_view packet) { return !read_response(packet).ok(); }
bool is_malformed(const DnsPacket& packet) { return is_malformed(packet.octets()); }

// With a record of every type we know, and compression.
DnsPacket rich_packet() {
  DnsPacket packet = DnsPacket::response("Mail.Example.org", Type::MX);
  packet.id(7).cname("mail.example.org", "MX.example.net", 60).mx("mx.example.net", 10, "A.example.net");
  packet.record(Section::answer, dns_pointer(12), mx_type, 30, dns_number16(20) + dns_string("b") + dns_pointer(17));
  packet.a("a.example.net", "192.0.2.1").aaaa("a.example.net", "2001:db8::1").ptr("x.example", "Host.example");
  packet.record(Section::answer, dns_name("t.example"), txt_type, 5, dns_string("v=spf1 ") + dns_string("-all"));
  packet.record(Section::answer, dns_name("n.example"), ns_type, 5, dns_name("NS.example"));
  return packet.soa("example.net", 3600, 120).opt(0);
}

TEST(ReadResponse, ReadsEveryTypeWeKnow) {
  Response response = read(rich_packet());
  EXPECT_EQ(response.id, 7);
  EXPECT_TRUE(response.is_response);
  EXPECT_FALSE(response.is_truncated);
  EXPECT_EQ(response.opcode, 0u);
  EXPECT_EQ(response.rcode, Rcode::noerror);
  EXPECT_EQ(response.question_name, "Mail.Example.org");
  EXPECT_EQ(response.question_type, mx_type);
  EXPECT_EQ(response.question_class, 1);
  EXPECT_EQ(response.negative_ttl, 120u);
  ASSERT_EQ(response.answers.size(), 8u);
  const auto& answers = response.answers;
  EXPECT_EQ(answers[0].owner, "mail.example.org");
  EXPECT_EQ(answers[0].type, Type::CNAME);
  EXPECT_EQ(answers[0].ttl, 60u);
  EXPECT_EQ(answers[0].data, RecordData(std::string("mx.example.net")));
  EXPECT_EQ(answers[1].data, RecordData(Mx{10, "a.example.net"}));
  EXPECT_EQ(answers[2].owner, "mail.example.org");
  EXPECT_EQ(answers[2].data, RecordData(Mx{20, "b.example.org"}));
  EXPECT_EQ(answers[3].data, RecordData(IpAddress::v4({192, 0, 2, 1})));
  EXPECT_EQ(answers[4].data, RecordData(*IpAddress::parse("2001:db8::1")));
  EXPECT_EQ(answers[5].data, RecordData(std::string("host.example")));
  EXPECT_EQ(answers[6].data, RecordData(std::string("v=spf1 -all")));
  EXPECT_EQ(answers[7].data, RecordData(std::string("ns.example")));
}

TEST(ReadResponse, EveryBeginningOfAPacketIsMalformed) {
  std::string packet = rich_packet().octets();
  for (std::size_t size = 0; size < packet.size(); ++size) {
    EXPECT_TRUE(is_malformed(std::string_view(packet).substr(0, size))) << size;
  }
}

// What comes out is bounded by what went in, whatever went in.
TEST(ReadResponse, SurvivesEveryChangeOfOneOctet) {
  const std::string packet = rich_packet().octets();
  for (std::size_t at = 0; at < packet.size(); ++at) {
    for (unsigned change : {0x01u, 0x02u, 0x08u, 0x20u, 0x3fu, 0x40u, 0x80u, 0xc0u, 0xccu, 0xffu}) {
      std::string changed = packet;
      changed[at] = static_cast<char>(static_cast<std::uint8_t>(changed[at]) ^ change);
      auto response = read_response(changed);
      if (response) {
        EXPECT_LE(response->answers.size(), packet.size() / 11);
      }
    }
  }
}

TEST(ReadResponse, LeavesOutTypesAndClassesItDoesNotKnow) {
  DnsPacket packet = DnsPacket::response("example.org", Type::A);
  packet.record(Section::answer, dns_pointer(12), 46, 300, "any octets");
  packet.record(Section::answer, dns_pointer(12), a_type, 300, "\x7f\x01\x01\x01", 3);
  packet.record(Section::answer, dns_pointer(12), 64, 300, "");
  packet.a("example.org", "192.0.2.1");
  EXPECT_EQ(read(packet).answers.size(), 1u);
}

TEST(ReadResponse, TakesTheLesserNumberOfTheSoa) {
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).soa("example", 30, 900)).negative_ttl, 30u);
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).soa("example", 900, 40)).negative_ttl, 40u);
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A)).negative_ttl, std::nullopt);
}

TEST(ReadResponse, ATtlWithItsTopBitIsZero) {
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).a("x.example", "192.0.2.1", 0x80000001)).answers[0].ttl, 0u);
}

TEST(ReadResponse, KnowsAReferral) {
  DnsPacket referral = DnsPacket::response("x.example", Type::A);
  referral.record(Section::authority, dns_name("example"), ns_type, 300, dns_name("ns.example"));
  EXPECT_TRUE(read(referral).is_referral);
  EXPECT_FALSE(read(DnsPacket(referral).flags(0x8580)).is_referral) << "an authority says: no data";
  EXPECT_FALSE(read(DnsPacket(referral).soa("example", 300, 300)).is_referral);
  EXPECT_FALSE(read(DnsPacket::response("x.example", Type::A)).is_referral);
}

TEST(ReadResponse, ReadsTheCode) {
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).rcode(3)).rcode, Rcode::nxdomain);
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).rcode(5)).rcode, Rcode::refused);
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).rcode(9)).rcode, Rcode::other);
  // RFC 6891, 6.1.3: the upper bits are in OPT.
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).opt(0x01000000)).rcode, Rcode::badvers);
  EXPECT_EQ(read(DnsPacket::response("x.example", Type::A).opt(0xff000000)).rcode, Rcode::other);
}

TEST(ReadResponse, LooksAtNothingBehindTheQuestionOfATruncatedPacket) {
  std::string packet = DnsPacket::response("example.org", Type::TXT).txt("example.org", "cut").truncated().octets();
  packet.resize(packet.size() - 5);
  auto response = read_response(packet);
  ASSERT_TRUE(response);
  EXPECT_TRUE(response->is_truncated);
  EXPECT_TRUE(response->answers.empty());
}

TEST(ReadResponse, TakesAHeaderAlone) {
  Response response = read(DnsPacket::bare(9).rcode(1));
  EXPECT_EQ(response.id, 9);
  EXPECT_EQ(response.rcode, Rcode::formerr);
  EXPECT_EQ(response.question_type, 0);
  EXPECT_EQ(response.question_name, "");
}

TEST(ReadResponse, RefusesTwoQuestions) {
  std::string packet = DnsPacket::response("a.example", Type::A).octets();
  packet += dns_name("b.example") + dns_number16(1) + dns_number16(1);
  packet[5] = 2;
  EXPECT_TRUE(is_malformed(packet));
}

TEST(ReadResponse, WritesOddOctetsOfNamesAsMasterFilesDo) {
  DnsPacket packet = DnsPacket::response("x.example", Type::PTR);
  std::string odd = dns_string("a.b\\c") + dns_string(std::string_view(" \0\n\xe4", 4)) + dns_name("example");
  packet.record(Section::answer, dns_pointer(12), 12, 300, odd);
  EXPECT_EQ(read(packet).answers[0].data, RecordData(std::string("a\\.b\\\\c.\\032\\000\\010\\228.example")));
}

TEST(ReadResponse, AsksBackInTheFormOfApplyCase) {
  std::string odd = "a\\b c.Example";
  EXPECT_EQ(read(DnsPacket::response(odd, Type::A)).question_name, "a\\\\b\\032c.Example");
  EXPECT_EQ(apply_case("a\\b c.example", 0), "a\\\\b\\032c.example");
}

// -- threats.md D4
// --------------------------------------------------------------------------------------------------------

TEST(ReadResponse, RefusesPointersThatLeadNowhereBefore) {
  auto with_owner = [](std::string_view owner) {
    return DnsPacket::response("example.org", Type::A).record(Section::answer, owner, a_type, 300, "\x7f\x01\x01\x01");
  };
  constexpr std::uint16_t owner_at = 12 + 13 + 4;
  EXPECT_FALSE(is_malformed(with_owner(dns_pointer(12))));
  EXPECT_FALSE(is_malformed(with_owner(dns_pointer(20)))) << "into the middle of a name";
  EXPECT_TRUE(is_malformed(with_owner(dns_pointer(owner_at)))) << "to itself";
  EXPECT_TRUE(is_malformed(with_owner(dns_string("a") + dns_pointer(owner_at)))) << "a loop of labels";
  EXPECT_TRUE(is_malformed(with_owner(dns_pointer(owner_at + 4)))) << "forward";
  EXPECT_TRUE(is_malformed(with_owner(dns_pointer(0x3fff)))) << "out of the packet";
  EXPECT_TRUE(is_malformed(with_owner(dns_pointer(4)))) << "into the header";
  EXPECT_TRUE(is_malformed(with_owner("\x40" + dns_name("x")))) << "a label type that does not exist";
  EXPECT_TRUE(is_malformed(with_owner("\x80" + dns_name("x"))));
}

TEST(ReadResponse, RefusesNamesOver255Octets) {
  std::string label = dns_string(std::string(63, 'x'));
  auto with_owner = [&](std::size_t last) {
    std::string owner = label + label + label + dns_string(std::string(last, 'x')) + '\0';
    return DnsPacket::response("e", Type::A).record(Section::answer, owner, a_type, 300, "\x7f\x01\x01\x01");
  };
  EXPECT_FALSE(is_malformed(with_owner(61)));
  EXPECT_TRUE(is_malformed(with_owner(62)));
  // The same by pointers: a name of 192 octets, with 63 more in front of it.
  DnsPacket packet =
      DnsPacket::response(std::string(63, 'x') + "." + std::string(63, 'x') + "." + std::string(63, 'x'), Type::A);
  EXPECT_TRUE(is_malformed(packet.record(Section::answer, label + dns_pointer(12), a_type, 300, "\x7f\x01\x01\x01")));
}

TEST(ReadResponse, RefusesLongChainsOfPointers) {
  auto with_chain = [](unsigned pointers) {
    // In the data of a record of no known type; each points to the one before it, the first to the question.
    DnsPacket packet = DnsPacket::response("e.example", Type::A);
    std::string chain = dns_pointer(12);
    auto data_at = static_cast<std::uint16_t>(packet.octets().size() + 2 + 10);
    for (unsigned n = 1; n < pointers; ++n) chain += dns_pointer(static_cast<std::uint16_t>(data_at + 2 * (n - 1)));
    packet.record(Section::answer, dns_pointer(12), 65280, 300, chain);
    auto last = static_cast<std::uint16_t>(data_at + 2 * (pointers - 1));
    return packet.record(Section::answer, dns_pointer(last), a_type, 300, "\x7f\x01\x01\x01");
  };
  EXPECT_FALSE(is_malformed(with_chain(100)));
  EXPECT_TRUE(is_malformed(with_chain(127)));
  EXPECT_TRUE(is_malformed(with_chain(8000)));
}

// I6: pointers let a small packet hold many long names. What comes of them is bounded by what was sent.
TEST(ReadResponse, BoundsWhatPointersMayGrowTo) {
  std::string longest;
  for (int n = 0; n < 3; ++n) longest += std::string(63, static_cast<char>('a' + n)) + '.';
  longest += std::string(61, 'd');  // 253 octets, 255 on the wire
  auto with_records = [&](unsigned count, std::uint16_t type, std::string_view data) {
    DnsPacket packet = DnsPacket::response(longest, Type::A);
    for (unsigned n = 0; n < count; ++n) packet.record(Section::answer, dns_pointer(12), type, 300, data);
    return packet;
  };
  // The longest name there is, as often as it can own an address.
  Response response = read(with_records(4000, a_type, "\x7f\x01\x01\x01"));
  EXPECT_EQ(response.answers.size(), 4000u);
  EXPECT_EQ(response.answers.back().owner, longest);
  // Twice in each record it is 36 octets for each one sent, and with odd octets four times as many.
  EXPECT_FALSE(is_malformed(with_records(4, cname_type, dns_pointer(12))));
  EXPECT_TRUE(is_malformed(with_records(4000, cname_type, dns_pointer(12))));
  for (char& c : longest) c = c == '.' ? '.' : '\x01';
  EXPECT_TRUE(is_malformed(with_records(4000, a_type, "\x7f\x01\x01\x01")));
}

// I6: 50 ms and what is linear in the packet. The bound leaves room for sanitizers; a reader that copies the record for
// each of its strings needs seconds.
TEST(ReadResponse, ReadsThousandsOfStringsInLinearTime) {
  std::string strings;
  for (int n = 0; n < 32'000; ++n) strings += dns_string("x");
  DnsPacket packet = DnsPacket::response("e.example", Type::TXT);
  packet.record(Section::answer, dns_pointer(12), txt_type, 300, strings);
  const Duration before = thread_cpu_time();
  Response response = read(packet);
  EXPECT_LT(thread_cpu_time() - before, std::chrono::milliseconds(200));
  ASSERT_EQ(response.answers.size(), 1u);
  EXPECT_EQ(response.answers[0].data, RecordData(std::string(32'000, 'x')));
}

TEST(ReadResponse, RefusesDataThatIsNotItsLength) {
  auto with_data = [](std::uint16_t type, std::string_view data) {
    return DnsPacket::response("e.example", Type::A).record(Section::answer, dns_pointer(12), type, 300, data);
  };
  EXPECT_TRUE(is_malformed(with_data(a_type, "\x7f\x01\x01")));
  EXPECT_TRUE(is_malformed(with_data(a_type, "\x7f\x01\x01\x01\x01")));
  EXPECT_TRUE(is_malformed(with_data(a_type, "")));
  EXPECT_TRUE(is_malformed(with_data(a_type, "\x7f\x01\x01\x01\x7f\x01\x01\x01")));
  EXPECT_TRUE(is_malformed(with_data(28, std::string(15, 'x'))));
  EXPECT_FALSE(is_malformed(with_data(28, std::string(16, 'x'))));
  EXPECT_TRUE(is_malformed(with_data(28, std::string(17, 'x'))));
  EXPECT_TRUE(is_malformed(with_data(28, "")));
  EXPECT_TRUE(is_malformed(with_data(txt_type,
                                     "\x05"
                                     "abcd")));
  EXPECT_TRUE(is_malformed(with_data(mx_type, "\x01")));
  EXPECT_TRUE(is_malformed(with_data(mx_type, dns_number16(5))));
  EXPECT_TRUE(is_malformed(with_data(cname_type, dns_name("x") + "y")));
  EXPECT_TRUE(is_malformed(with_data(cname_type, "")));
  EXPECT_FALSE(is_malformed(with_data(soa_type, dns_name("a") + dns_name("b") + std::string(20, 'x'))));
  EXPECT_TRUE(is_malformed(with_data(soa_type, dns_name("a") + dns_name("b") + std::string(19, 'x'))));
  EXPECT_FALSE(is_malformed(with_data(txt_type, "")));
}

TEST(ReadResponse, RefusesARecordThatIsLongerThanThePacket) {
  std::string packet = DnsPacket::response("e.example", Type::TXT).txt("e.example", "abc").octets();
  packet[packet.size() - 5] = 5;  // the data's length was 4
  EXPECT_TRUE(is_malformed(packet));
}

TEST(ReadResponse, RefusesMoreRecordsThanThereAre) {
  std::string packet = DnsPacket::response("e.example", Type::A).a("e.example", "192.0.2.1").octets();
  for (std::size_t count : {6, 8, 10}) {
    std::string changed = packet;
    changed[count] = '\xff';
    EXPECT_TRUE(is_malformed(changed)) << count;
  }
}

}  // namespace
}  // namespace sallyport::dns
