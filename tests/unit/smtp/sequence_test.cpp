#include "gateway/smtp/sequence.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "gateway/base/ensure.h"

namespace sallyport::smtp {
namespace {

constexpr Permission go = Permission::go;
constexpr Permission bad = Permission::bad_sequence;
constexpr Permission none = Permission::no_recipients;
constexpr Permission tls = Permission::starttls_first;
constexpr Permission off = Permission::not_offered;

// The verbs whose worth depends on the state; the others are below.
constexpr Verb verbs[] = {Verb::mail, Verb::rcpt, Verb::data, Verb::bdat, Verb::starttls};

struct State {
  const char* what;
  Sequence sequence;
  Permission mail, rcpt, data, bdat, starttls;
};

Sequence plain() { return {true, false}; }

Sequence greeted() {
  Sequence sequence = plain();
  sequence.greeted(true);
  return sequence;
}

Sequence in_mail() {
  Sequence sequence = greeted();
  sequence.mail_accepted();
  return sequence;
}

Sequence with_recipient() {
  Sequence sequence = in_mail();
  sequence.recipient_accepted();
  return sequence;
}

Sequence in_chunks() {
  Sequence sequence = with_recipient();
  sequence.chunk_begun();
  return sequence;
}

Sequence after_failed_chunk() {
  Sequence sequence = in_chunks();
  sequence.chunk_failed();
  return sequence;
}

template <class Step>
Sequence after(Sequence sequence, Step step) {
  step(sequence);
  return sequence;
}

TEST(Sequence, KnowsWhatMayComeWhen) {
  const auto end = [](Sequence& sequence) { sequence.end_transaction(); };
  const auto greet_again = [](Sequence& sequence) { sequence.greeted(false); };
  const auto handshake = [](Sequence& sequence) { sequence.tls_established(); };
  const std::vector<State> states = {
      {"at the start", plain(), bad, bad, bad, bad, go},
      {"greeted", greeted(), go, bad, bad, bad, go},
      {"after MAIL", in_mail(), bad, go, none, bad, bad},
      {"after RCPT", with_recipient(), bad, go, go, go, bad},
      {"in chunks", in_chunks(), bad, bad, bad, go, bad},
      {"after a failed chunk", after_failed_chunk(), bad, bad, bad, bad, bad},
      {"after RSET", after(with_recipient(), end), go, bad, bad, bad, go},
      {"after RSET in chunks", after(in_chunks(), end), go, bad, bad, bad, go},
      {"after the LAST of failed chunks", after(after_failed_chunk(), end), go, bad, bad, bad, go},
      {"greeted again", after(with_recipient(), greet_again), go, bad, bad, bad, go},
      {"greeted again in chunks", after(in_chunks(), greet_again), go, bad, bad, bad, go},
      {"after the handshake", after(greeted(), handshake), bad, bad, bad, bad, bad},
      {"handshake in a transaction", after(with_recipient(), handshake), bad, bad, bad, bad, bad},
  };
  for (const State& state : states) {
    const Permission expected[] = {state.mail, state.rcpt, state.data, state.bdat, state.starttls};
    for (std::size_t i = 0; i < std::size(verbs); ++i)
      EXPECT_EQ(state.sequence.may(verbs[i]), expected[i]) << name(verbs[i]) << " " << state.what;
    for (const Verb verb : {Verb::helo, Verb::ehlo, Verb::rset, Verb::noop, Verb::quit, Verb::vrfy, Verb::help})
      EXPECT_EQ(state.sequence.may(verb), go) << name(verb) << " " << state.what;
    for (const Verb verb :
         {Verb::auth, Verb::expn, Verb::etrn, Verb::turn, Verb::send, Verb::xclient, Verb::xforward, Verb::unknown})
      EXPECT_EQ(state.sequence.may(verb), off) << name(verb) << " " << state.what;
  }
}

TEST(Sequence, ForgetsATransaction) {
  Sequence sequence = after_failed_chunk();
  EXPECT_TRUE(sequence.in_transaction());
  EXPECT_TRUE(sequence.in_chunks());
  EXPECT_TRUE(sequence.chunks_failed());
  EXPECT_EQ(sequence.recipients(), 1U);
  sequence.end_transaction();
  EXPECT_FALSE(sequence.in_transaction());
  EXPECT_FALSE(sequence.in_chunks());
  EXPECT_FALSE(sequence.chunks_failed());
  EXPECT_EQ(sequence.recipients(), 0U);
  EXPECT_TRUE(sequence.is_greeted());
  EXPECT_TRUE(sequence.is_extended());
}

// S14
TEST(Sequence, ForgetsTheGreetingAtTheHandshake) {
  Sequence sequence = with_recipient();
  sequence.tls_established();
  EXPECT_TRUE(sequence.in_tls());
  EXPECT_FALSE(sequence.is_greeted());
  EXPECT_FALSE(sequence.is_extended());
  EXPECT_FALSE(sequence.in_transaction());
}

TEST(Sequence, DoesNotOfferStarttlsUnasked) { EXPECT_EQ(Sequence(false, false).may(Verb::starttls), off); }

// T12, RFC 3207, 4
TEST(Sequence, DemandsTlsFirst) {
  Sequence sequence(true, true);
  for (const bool is_greeted : {false, true}) {
    if (is_greeted) sequence.greeted(true);
    for (const Verb verb : {Verb::mail, Verb::rcpt, Verb::data, Verb::bdat, Verb::vrfy, Verb::help})
      EXPECT_EQ(sequence.may(verb), tls) << name(verb);
    for (const Verb verb : {Verb::helo, Verb::ehlo, Verb::starttls, Verb::noop, Verb::rset, Verb::quit})
      EXPECT_EQ(sequence.may(verb), go) << name(verb);
    EXPECT_EQ(sequence.may(Verb::expn), off);
  }
  sequence.tls_established();
  EXPECT_EQ(sequence.may(Verb::mail), bad);
  sequence.greeted(true);
  EXPECT_EQ(sequence.may(Verb::mail), go);
}

TEST(Sequence, OffersWhatTheListenerAllows) {
  Sequence sequence = plain();
  for (const Verb verb : {Verb::auth, Verb::xclient, Verb::xforward}) sequence.offer(verb);
  EXPECT_EQ(sequence.may(Verb::auth), bad);
  EXPECT_EQ(sequence.may(Verb::xclient), go);
  sequence.greeted(false);
  EXPECT_EQ(sequence.may(Verb::auth), bad);  // an extension, and this client speaks without
  sequence.greeted(true);
  EXPECT_EQ(sequence.may(Verb::auth), go);
  sequence.mail_accepted();
  for (const Verb verb : {Verb::auth, Verb::xclient, Verb::xforward}) EXPECT_EQ(sequence.may(verb), bad);
  EXPECT_THROW(sequence.offer(Verb::expn), BrokenInvariant);
}

TEST(Sequence, FailsNoChunkOutsideATransaction) {
  Sequence sequence = greeted();
  sequence.chunk_failed();
  EXPECT_FALSE(sequence.chunks_failed());
  sequence.mail_accepted();
  EXPECT_EQ(sequence.may(Verb::rcpt), go);
}

TEST(Sequence, RefusesToBeToldNonsense) {
  Sequence fresh = plain();
  EXPECT_THROW(fresh.mail_accepted(), BrokenInvariant);
  EXPECT_THROW(fresh.recipient_accepted(), BrokenInvariant);
  EXPECT_THROW(fresh.chunk_begun(), BrokenInvariant);
  Sequence mail = in_mail();
  EXPECT_THROW(mail.mail_accepted(), BrokenInvariant);
  mail.tls_established();
  EXPECT_THROW(mail.tls_established(), BrokenInvariant);
}

}  // namespace
}  // namespace sallyport::smtp
