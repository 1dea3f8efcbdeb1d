// A connection of an MTA that has its mail judged: the octets are what the MTA sends, from one of the phases of a mail
// on and cut into pieces. Nothing of it may throw, each mail has one record, every packet of ours is an answer, and
// nothing is left at the end.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/milter/answer.h"
#include "tests/unit/milter_service/mta_world.h"

namespace sallyport::session {

void report_broken_invariant(const std::string& what) { throw std::logic_error(what); }

}  // namespace sallyport::session

namespace {

using namespace sallyport;
using milter_service::MtaWorld;

// Refuses, discards or sets aside what says so.
void judge(policies::Stage stage, const policies::Transaction& mail, policies::Verdicts& out) {
  if (stage == policies::Stage::rcpt && mail.rcpt->local == "no") out.add(policies::Verdict::reject("5.7.1", "No"));
  if (stage != policies::Stage::message) return;
  const mail::HeaderField* subject = mail.message->header().find("Subject");
  if (subject == nullptr) return;
  policies::Verdict verdict;
  if (subject->value == " d") verdict.action = policies::Action::discard;
  if (subject->value == " q") verdict.action = policies::Action::quarantine;
  if (subject->value == " t") verdict.subject_prefix = "[t] ";
  if (subject->value == " r") verdict.action = policies::Action::reject;
  verdict.rule = "SAYS_SO";
  out.add(verdict);
}

void bring_to(MtaWorld& world, unsigned phase) {
  world.connect();
  if (phase >= 1) world.offer(2 + phase % 5);
  if (phase >= 2) world.name_client();
  if (phase >= 3) world.mail();
  if (phase >= 4) world.rcpt();
  if (phase >= 5) world.say(milter::Header{"Subject", " t"});
}

void check(const MtaWorld::Answers& answers) {
  for (const std::string& answer : answers)
    ensure(milter::decode_answer({answer.front(), std::string_view(answer).substr(1)}).has_value(),
           "no answer of ours");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  MtaWorld world;
  world.judge = judge;
  bring_to(world, data[0] % 6);
  const std::size_t piece = data[1] == 0 ? size : data[1];
  std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  while (!octets.empty() && !world.is_over()) {
    check(world.say_octets(octets.substr(0, piece)));
    octets.remove_prefix(std::min(piece, octets.size()));
  }
  world.mta->reset();
  world.run();
  ensure(world.is_over(), "a connection that has ended is still served");
  ensure(world.mails() == world.world.counters.get(Total::transactions), "not one record for each mail");
  return 0;
}
