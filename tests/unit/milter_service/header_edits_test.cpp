// What an MTA makes of the changes is the header that was meant, whether or not a field that goes leaves a gap.
#include "gateway/milter_service/header_edits.h"

#include <gtest/gtest.h>

#include <vector>

#include "gateway/base/text.h"
#include "gateway/milter/answer.h"
#include "gateway/milter/protocol.h"

namespace sallyport::milter_service {
namespace {

const std::string own = "Received: by mx.test.example\r\n";

struct Field {
  std::string name;
  std::string value;
  bool is_gone = false;
  bool is_hidden = false;
};

// The header of an MTA, which does as it is asked. Sendmail counts removed fields on, Postfix does not. Its own
// Received field, which it hides, is the first.
std::string obey(const std::string& octets, const mail::HeaderSection& came, bool counts_removed, bool has_blank) {
  std::vector<Field> fields = {{"Received", " by mx.test.example", false, true}};
  for (const auto& field : came.fields()) fields.push_back({std::string(field.name), std::string(field.value)});
  milter::PacketReader reader;
  std::string_view rest = octets;
  while (reader.read(rest) == milter::PacketReader::Status::packet) {
    const auto answer = milter::decode_answer(reader.packet());
    if (!answer) return "no answer";
    const std::string blank = has_blank ? "" : " ";
    if (const auto* insert = std::get_if<milter::InsertHeader>(&*answer)) {
      fields.insert(fields.begin() + insert->index, {std::string(insert->name), blank + std::string(insert->value)});
    } else if (const auto* add = std::get_if<milter::AddHeader>(&*answer)) {
      fields.push_back({std::string(add->name), blank + std::string(add->value)});
    } else if (const auto* change = std::get_if<milter::ChangeHeader>(&*answer)) {
      std::uint32_t number = 0;
      for (Field& field : fields) {
        if (!text::equals_ignoring_case(field.name, change->name) || field.is_hidden) continue;
        if (field.is_gone && !counts_removed) continue;
        if (++number != change->index) continue;
        if (change->value.empty()) field.is_gone = true;
        field.value = blank + std::string(change->value);
        break;
      }
    }
  }
  std::string header;
  for (const Field& field : fields) {
    if (field.is_gone) continue;
    header += field.name + ":";
    for (const char c : field.value) header += c == '\n' ? std::string("\r\n") : c == '\r' ? "" : std::string(1, c);
    header += "\r\n";
  }
  return header;
}

// As header_out makes it: the fields at these places are removed, or have another value.
mail::OutgoingHeader leaving(const std::vector<std::pair<std::size_t, std::string>>& edits, std::string added) {
  mail::OutgoingHeader out;
  out.added = std::move(added);
  for (const auto& [place, other] : edits) {
    std::string_view instead;
    if (!other.empty()) instead = out.rewritten.emplace_back(other);
    out.edits.push_back({place, instead});
  }
  return out;
}

// Of every kind of MTA.
void expect_made_of(const mail::HeaderSection& came, const mail::OutgoingHeader& out, const std::string& wanted) {
  for (const bool counts_removed : {false, true}) {
    for (const bool has_blank : {false, true}) {
      milter::Terms terms{6, milter::action::all, has_blank ? milter::option::leading_space : 0};
      std::string packets;
      encode_edits(packets, terms, came, out);
      EXPECT_EQ(obey(packets, came, counts_removed, has_blank), wanted);
    }
  }
}

TEST(HeaderEdits, ComeOutAsTheyWereMeant) {
  const std::string octets = "A: 1\r\nB: 2\r\na: 3\r\nSubject: x\r\n y\r\nA: 4\r\n\r\n";
  const mail::HeaderSection came(octets);
  const auto out = leaving({{0, ""}, {2, "a: three\r\n"}, {3, "Subject: [T] x\r\n y\r\n"}, {4, ""}},
                           "X-One: 1\r\nX-Two: a\r\n b\r\nA: new\r\n");
  const std::string wanted =
      "X-One: 1\r\nX-Two: a\r\n b\r\nA: new\r\n" + own + "B: 2\r\na: three\r\nSubject: [T] x\r\n y\r\n";
  expect_made_of(came, out, wanted);
}

// What milters behind us have put between the fields that came, in place of some of them too.
TEST(HeaderEdits, FurtherFieldsStandWhereTheyWerePut) {
  const std::string octets = "Received: 1\r\nA: 2\r\nB: 3\r\nA: 4\r\n\r\n";
  const mail::HeaderSection came(octets);
  auto out = leaving({{0, ""}, {3, "A: four\r\n"}}, "X-One: 1\r\n");
  for (const auto& [field, before] :
       {std::pair("Received: one\r\n", 1), std::pair("A: new\r\n", 1), std::pair("X: a\r\n b\r\n", 3),
        std::pair("Y: last\r\n", 4), std::pair("A: last\r\n", 4)}) {
    out.further.push_back({out.rewritten.emplace_back(field), static_cast<std::size_t>(before)});
  }
  const std::string wanted =
      "X-One: 1\r\n" + own +
      "Received: one\r\nA: new\r\nA: 2\r\nB: 3\r\nX: a\r\n b\r\nA: four\r\nY: last\r\nA: last\r\n";
  expect_made_of(came, out, wanted);
}

TEST(HeaderEdits, WithoutTheActionThereAreNone) {
  const mail::HeaderSection came("A: 1\r\n\r\n");
  const auto out = leaving({{0, ""}}, "X: 1\r\n");
  std::string packets;
  encode_edits(packets, {6, 0, 0}, came, out);
  EXPECT_EQ(packets, "");
  encode_edits(packets, {6, milter::action::add_headers, 0}, came, out);
  EXPECT_EQ(packets[4], 'i');
  EXPECT_EQ(packets.find('m', 5), std::string::npos);
}

// Whatever stood in the field, its value ends nothing and begins nothing.
TEST(HeaderEdits, ValuesCanBeWritten) {
  const mail::HeaderSection came("Subject: a\rb\r\n\r\n");
  const auto out = leaving({{0, "Subject: [T] a\rb\r\n"}}, {});
  std::string packets;
  encode_edits(packets, {6, milter::action::all, 0}, came, out);
  milter::PacketReader reader;
  std::string_view rest = packets;
  ASSERT_EQ(reader.read(rest), milter::PacketReader::Status::packet);
  const auto answer = milter::decode_answer(reader.packet());
  ASSERT_TRUE(answer);
  EXPECT_EQ(std::get<milter::ChangeHeader>(*answer).value, "[T] a b");
}

}  // namespace
}  // namespace sallyport::milter_service
