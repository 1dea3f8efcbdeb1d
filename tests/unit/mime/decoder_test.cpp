// Transfer decoders: what each reading makes of octets that are not as they should be (reference sheet, section 12).
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "gateway/mime/transfer.h"

namespace sallyport::mime {
namespace {

struct Decoded {
  std::string octets;
  CodingFaults faults;
};

Decoded decode_in(Coding coding, std::string_view text, std::size_t piece) {
  Decoded decoded;
  const auto decoder = make_decoder(coding);
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    decoder->feed(text.substr(0, piece), decoded.octets);
  decoder->end(decoded.octets);
  decoded.faults = decoder->faults();
  return decoded;
}

// Whole, octet by octet and in threes: the same.
Decoded decode(Coding coding, std::string_view text) {
  Decoded whole = decode_in(coding, text, text.size() + 1);
  EXPECT_EQ(decode_in(coding, text, 1).octets, whole.octets) << text;
  EXPECT_EQ(decode_in(coding, text, 3).octets, whole.octets) << text;
  EXPECT_EQ(decode_in(coding, text, 1).faults.any(), whole.faults.any()) << text;
  return whole;
}

constexpr Coding all_base64[] = {Coding::base64,
                                 Coding::base64_to_padding,
                                 Coding::base64_zero_padding,
                                 Coding::base64_no_padding,
                                 Coding::base64_padded_groups,
                                 Coding::base64_by_line,
                                 Coding::base64_by_group,
                                 Coding::base64_to_junk,
                                 Coding::base64_url,
                                 Coding::base64_from_line_2};

TEST(Base64Readings, AgreeOnWhatIsRight) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string octets(size, '\0');
    for (char& c : octets) c = static_cast<char>(random());
    std::string text;
    const std::string digits = to_base64(octets);
    for (std::size_t i = 0; i < digits.size(); i += 76) text += digits.substr(i, 76) + "\r\n";
    for (Coding coding : all_base64) {
      if (coding == Coding::base64_from_line_2) continue;
      std::string decoded = decode(coding, text).octets;
      if (coding == Coding::base64_zero_padding) decoded.resize(std::min(decoded.size(), size));  // padding counts
      if (coding == Coding::base64_by_group)
        decoded += octets.substr(decoded.size());  // an unfinished group is dropped
      EXPECT_EQ(decoded, octets) << size << " " << word(coding);
    }
    EXPECT_FALSE(decode(Coding::base64, text).faults.any());
  }
}

TEST(Base64Readings, DifferBehindPadding) {
  const std::string text = "Zm9vYg==\r\nYXI=";
  EXPECT_EQ(decode(Coding::base64_to_padding, text).octets, "foob");
  EXPECT_EQ(decode(Coding::base64, text).octets, "foobar");
  EXPECT_TRUE(decode(Coding::base64, text).faults.padding_inside);
  EXPECT_FALSE(decode(Coding::base64, "Zm9vYg==\r\n").faults.padding_inside);
  EXPECT_FALSE(decode(Coding::base64, "Zm9v\r\n====\r\n").faults.padding_inside);
}

TEST(Base64Readings, SkipJunkOrMapIt) {
  const std::string text = "VGhp#cyBp-cyBh_ dGVzdA==";
  EXPECT_EQ(decode(Coding::base64, text).octets, "This is atest");
  EXPECT_TRUE(decode(Coding::base64, text).faults.url_digits);
  EXPECT_TRUE(decode(Coding::base64, text).faults.junk);
  EXPECT_NE(decode(Coding::base64_url, text).octets, "This is atest");
  EXPECT_EQ(decode(Coding::base64_to_junk, "Zm9v#garbage\r\nYmFy").octets, "foobar");
}

TEST(Base64Readings, TakeTheFirstLineOrLeaveIt) {
  const std::string text = "begin-base64 644 file012.pdf\r\nJVBERi0=\r\n====\r\n";
  EXPECT_EQ(decode(Coding::base64_from_line_2, text).octets, "%PDF-");
  const std::string with_it = decode(Coding::base64, text).octets;
  EXPECT_EQ(with_it.substr(18), "%PDF-");
  EXPECT_TRUE(decode(Coding::base64, text).faults.odd_first_line);
}

TEST(Base64Readings, FindFooInOneOfThem) {
  for (std::string_view text :
       {"=Zm9v", "Z=m9v", "Zm9\r\nv", "Zm9vYmFyc\r\nXg=\r\n", "Z\r\n\r\nm\r\n\r\n9\r\n\r\nv", "Zm9v====", "Zm\t9 v"}) {
    bool is_found = false;
    for (Coding coding : all_base64) is_found |= decode(coding, text).octets.starts_with("foo");
    EXPECT_TRUE(is_found) << text;
  }
  EXPECT_EQ(decode(Coding::base64, "UEs=AwQ=FAA=").octets, std::string_view("PK\x03\x04\x14\x00", 6));
}

TEST(Base64Readings, TakeGroupsWithPaddingAnywhere) {
  EXPECT_EQ(decode(Coding::base64_padded_groups, "UE=sAw=Q").octets, std::string("PK\x03\x04"));
  EXPECT_EQ(decode(Coding::base64_padded_groups, "=UEs=AwQ").octets, std::string("PK\x03\x04"));
  EXPECT_EQ(decode(Coding::base64_by_line, "QQ=\r\nQg=\r\n").octets, "AB");
  EXPECT_EQ(decode(Coding::base64_by_group, "QUJDXX\r\nREVGXX\r\n").octets, "ABCDEF");
  EXPECT_EQ(decode(Coding::base64_zero_padding, "QU==QUFB").octets, std::string("A@\0AAA", 6));
}

TEST(QuotedPrintableReadings, OfTheVectors) {
  const auto decoded = decode(Coding::quoted_printable, "a=3db=3Dc=\r\nd=zz=4");
  EXPECT_EQ(decoded.octets, "a=b=cd=zz=4");
  EXPECT_TRUE(decoded.faults.bad_escape);
  EXPECT_TRUE(decoded.faults.lower_case);
  EXPECT_EQ(decode(Coding::quoted_printable, "x =  \r\ny \t\r\nz").octets, "x y\r\nz");
  EXPECT_EQ(decode(Coding::quoted_printable, "x=\ny  \nz").octets, "xy\nz");
  EXPECT_EQ(decode(Coding::quoted_printable, "\xe9t\xe9 = end").octets, "\xe9t\xe9 = end");
  EXPECT_EQ(decode(Coding::quoted_printable, "abc=").octets, "abc");
  EXPECT_EQ(decode(Coding::quoted_printable, "a b\tc=20\r\n").octets, "a b\tc \r\n");
}

TEST(QuotedPrintableReadings, DropBadEscapesOrSkipThem) {
  EXPECT_EQ(decode(Coding::quoted_printable_dropping, "==41=X=42").octets, "AXB");
  EXPECT_EQ(decode(Coding::quoted_printable_skipping, "=XX=41=0X=42=0=43= =44=  =45=0a=46").octets, "ABCDEF");
}

TEST(QuotedPrintableReadings, AreLinearInWhiteSpace) {
  const std::string spaces(300000, ' ');
  EXPECT_EQ(decode_in(Coding::quoted_printable, spaces + "x", 1000).octets.size(), spaces.size() + 1);
  EXPECT_LE(decode_in(Coding::quoted_printable, "=" + spaces + "x", 1000).octets.size(), spaces.size() + 2);
}

TEST(Uuencode, OfTheVectors) {
  EXPECT_EQ(decode(Coding::uuencode, "#0V%T\r\n").octets, "Cat");
  EXPECT_EQ(decode(Coding::uuencode, "begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n").octets, "Cat");
  EXPECT_EQ(decode(Coding::uuencode, "begin 644 a.txt\n#0V%T\n`\nend\ntext behind it").octets, "Cat");
  EXPECT_EQ(decode(Coding::uuencode, "begin-base64 644 a\r\nQ2F0\r\n====\r\n").octets, from_base64_leniently("Q2F0"));
  const auto two = decode(Coding::uuencode, "begin 644 a\r\n#0V%T\r\nend\r\nbegin 644 b\r\n#0V%T\r\nend\r\n");
  EXPECT_EQ(two.octets, "CatCat");
  EXPECT_TRUE(two.faults.several);
  // Without the spaces at the ends of its lines, as quoted-printable or an editor leaves it.
  EXPECT_EQ(decode(Coding::uuencode, "begin 644 a\r\n)0V%T\r\n#0V%T\r\n`\r\nend\r\n").octets,
            std::string("Cat\0\0\0\0\0\0Cat", 12));
  EXPECT_TRUE(decode(Coding::uuencode, "this is no such line at all\r\n").faults.junk);
}

TEST(Yenc, OfTheVectors) {
  EXPECT_EQ(decode(Coding::yenc, "=ybegin line=128 size=3 name=a\r\n\x6d\x8b\x9e\r\n=yend size=3\r\n").octets, "Cat");
  EXPECT_EQ(decode(Coding::yenc, "=ybegin line=128 size=2 name=a\r\n=}=@\r\n=yend size=2\r\n").octets,
            std::string("\x13\xd6", 2));
  EXPECT_EQ(decode(Coding::yenc,
                   "=ybegin part=1 line=128 size=9 name=a\r\n=ypart begin=1 end=3\r\n\x6d\x8b\x9e\r\n=yend size=3\r\n")
                .octets,
            "Cat");
}

TEST(Binhex, GivesTheDataFork) {
  const std::string text =
      "(This file must be converted with BinHex "
      "4.0)\r\n\r\n:!!3r2cmr2cmr2`!!!!!!&3!!!!!U`8&58N&C+$\"i069K0M3b0@3`0M8`+3!!:\r\n";
  EXPECT_EQ(decode(Coding::binhex, text).octets, "ARRAY(0x55a6425d0650)");
}

// SEQUENCE { OID signedData, [0] SEQUENCE { 1, SET {}, SEQUENCE { OID data, [0] { content } } } }
std::string der(char tag, const std::string& value) {
  std::string element(1, tag);
  if (value.size() < 128) {
    element += static_cast<char>(value.size());
  } else {
    element += '\x82';
    element += static_cast<char>(value.size() >> 8);
    element += static_cast<char>(value.size());
  }
  return element + value;
}
std::string signed_data(const std::string& content) {
  const std::string oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 11);
  const std::string data_oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 11);
  const std::string inner = der('\x30', data_oid + der('\xa0', content));
  return der('\x30', oid + der('\xa0', der('\x30', std::string("\x02\x01\x01", 3) + der('\x31', "") + inner +
                                                       der('\x31', ""))));
}

TEST(SignedCms, GivesItsContent) {
  const std::string text = "Content-Type: text/plain\r\n\r\nsigned text\r\n" + std::string(300, 'x');
  EXPECT_EQ(decode(Coding::signed_cms, signed_data(der('\x04', text))).octets, text);
  const auto pieces = der('\x24', der('\x04', text.substr(0, 10)) + der('\x04', text.substr(10)));
  EXPECT_EQ(decode(Coding::signed_cms, signed_data(pieces)).octets, text);
  // Indefinite lengths, as those write who sign while they send.
  const std::string oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 11);
  const std::string data_oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 11);
  const std::string end("\0\0", 2);
  const std::string streamed = std::string("\x30\x80", 2) + oid + std::string("\xa0\x80\x30\x80", 4) +
                               std::string("\x02\x01\x01", 3) + der('\x31', "") + std::string("\x30\x80", 2) +
                               data_oid + std::string("\xa0\x80\x24\x80", 4) + der('\x04', "signed ") +
                               der('\x04', "text") + end + end + end + end + end + end;
  const auto decoded = decode(Coding::signed_cms, streamed);
  EXPECT_EQ(decoded.octets, "signed text");
  EXPECT_FALSE(decoded.faults.incomplete);
}

std::string deflated(const std::string& text) {
  std::string packed(compressBound(text.size()), '\0');
  uLongf size = packed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                     text.size()),
            Z_OK);
  packed.resize(size);
  return packed;
}
// SEQUENCE { OID compressedData, [0] SEQUENCE { 0, SEQUENCE { OID zlib }, SEQUENCE { OID data, [0] { content } } } }
std::string compressed_data(const std::string& content) {
  const std::string oid("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 13);
  const std::string zlib_oid("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08", 13);
  const std::string data_oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 11);
  const std::string inner = der('\x30', data_oid + der('\xa0', der('\x04', content)));
  return der('\x30', oid + der('\xa0', der('\x30', std::string("\x02\x01\x00", 3) + der('\x30', zlib_oid) + inner)));
}

TEST(CompressedCms, GivesItsContent) {
  std::mt19937 random(3);
  std::string text = "Content-Type: text/plain\r\n\r\ncompressed text\r\n";
  while (text.size() < 40000) text += "line " + std::to_string(random()) + "\r\n";
  for (const std::string& content : {text, std::string(), std::string("x"), std::string(60000, 'x')}) {
    const auto decoded = decode(Coding::compressed_cms, compressed_data(deflated(content)));
    EXPECT_EQ(decoded.octets, content);
    EXPECT_FALSE(decoded.faults.junk || decoded.faults.incomplete);
  }
}

TEST(CompressedCms, SaysWhatIsCutOrBroken) {
  const std::string packed = deflated("Content-Type: text/plain\r\n\r\n" + std::string(1000, 'x') + "y");
  const auto is_whole = [](const std::string& octets) {
    const auto decoded = decode(Coding::compressed_cms, octets);
    return !decoded.faults.junk && !decoded.faults.incomplete;
  };
  ASSERT_TRUE(is_whole(compressed_data(packed)));
  EXPECT_FALSE(is_whole(compressed_data(packed.substr(0, packed.size() / 2))));
  EXPECT_FALSE(is_whole(compressed_data(packed.substr(0, packed.size() - 1)))) << "its checksum is a part of it";
  EXPECT_FALSE(is_whole(compressed_data("no zlib at all")));
  EXPECT_FALSE(is_whole(compressed_data(packed).substr(0, 60)));
  EXPECT_FALSE(is_whole(""));
  std::string wrong = packed;
  wrong[wrong.size() / 2] = static_cast<char>(wrong[wrong.size() / 2] ^ 0x55);
  EXPECT_FALSE(is_whole(compressed_data(wrong)));
}

TEST(CompressedCms, OfABombGivesNoMoreThanSoManyTimesItsSize) {
  const std::string bomb = compressed_data(deflated(std::string(20'000'000, '\0')));
  ASSERT_LT(bomb.size(), 30000u);
  const auto decoded = decode(Coding::compressed_cms, bomb);
  EXPECT_TRUE(decoded.faults.junk);
  EXPECT_LE(decoded.octets.size(), 50 * bomb.size() + 192 * 1024);
}

// The examples of [MS-OXRTFCP].
TEST(CompressedRtf, GivesItsText) {
  const auto octets = [](std::string_view hex) { return *text::from_hex(hex); };
  const auto hello = decode(
      Coding::compressed_rtf,
      octets("2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"));
  EXPECT_EQ(hello.octets, "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
  EXPECT_FALSE(hello.faults.junk || hello.faults.incomplete);
  const auto crossing =
      decode(Coding::compressed_rtf, octets("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"));
  EXPECT_EQ(crossing.octets, "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
  const std::string plain = std::string("\x20\0\0\0\x10\0\0\0MELA\0\0\0\0", 16) + "{\\rtf1 as it is}";
  EXPECT_EQ(decode(Coding::compressed_rtf, plain).octets, "{\\rtf1 as it is}");
}

TEST(CompressedRtf, SaysWhatIsCutOrNone) {
  EXPECT_TRUE(decode(Coding::compressed_rtf, "").faults.incomplete);
  EXPECT_TRUE(decode(Coding::compressed_rtf, std::string(100, 'x')).faults.junk);
  const std::string head("\x20\0\0\0\x10\0\0\0LZFu\0\0\0\0", 16);
  EXPECT_TRUE(decode(Coding::compressed_rtf, head + std::string("\0abc", 4)).faults.incomplete);
  EXPECT_EQ(decode(Coding::compressed_rtf, head + std::string("\0abc", 4)).octets, "abc");
}

TEST(SignedCms, GivesNothingOfWhatIsNone) {
  for (const std::string& octets : {std::string("hello"), std::string(1000, '\x30'), std::string("\x30\x80", 2),
                                    std::string(500, '\xff'), signed_data("")}) {
    const auto decoded = decode(Coding::signed_cms, octets);
    EXPECT_TRUE(decoded.octets.empty());
    EXPECT_TRUE(decoded.faults.incomplete || decoded.faults.junk);
  }
}

}  // namespace
}  // namespace sallyport::mime
