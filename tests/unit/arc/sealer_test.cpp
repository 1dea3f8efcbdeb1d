// The sealer as the session meets it: prepared with the policy, fed with digests of a body that has passed.
#include "policies/arc/sealer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "policies/arc/arc.h"
#include "tests/support/signing_keys.h"
#include "tests/support/whole_mail.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

const std::string message = "From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\nHello all\r\n";

// A key file that is gone with it.
class KeyFile {
 public:
  explicit KeyFile(std::string_view pem) {
    const int file = ::mkstemp(path_.data());
    EXPECT_GE(file, 0);
    ::close(file);
    std::ofstream(path_) << pem;
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  ~KeyFile() { ::unlink(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/arc_key_XXXXXX";
};

class Sealing : public testing::Test {
 protected:
  Sealing() { settings_.seal = {"example.net", "arc", key_file_.path()}; }

  std::optional<std::string> seal(const Facts& facts) {
    return gatherer_->sealer()->seal(
        {mail_.header(), world_.body_hashes, facts, {"mx.example.net", {}}, mail_.transaction().now});
  }

  PolicyWorld world_;
  KeyFile key_file_{support::ed25519_key_pem()};
  ArcSettings settings_;
  std::unique_ptr<Gatherer> gatherer_;
  support::WholeMail mail_{message};
};

TEST_F(Sealing, UsesTheDigestOfTheBodyThatHasPassed) {
  gatherer_ = world_.prepare(arc_entry, &settings_);
  ASSERT_NE(gatherer_->sealer(), nullptr);
  Facts facts;
  world_.gather_message(*gatherer_, mail_.transaction(), mail_.body(), facts);
  const auto set = seal(facts);
  ASSERT_TRUE(set);

  // What we sealed holds.
  world_.resolver.zone().txt("arc._domainkey.example.net", support::key_record(support::ed25519_key()));
  support::WholeMail sealed(*set + message);
  Facts found;
  world_.gather_message(*gatherer_, sealed.transaction(), sealed.body(), found);
  EXPECT_EQ(found.get<ArcFacts>().result, AuthResult::pass) << found.get<ArcFacts>().reason;
  EXPECT_EQ(found.get<ArcFacts>().sets.at(0).seal_domain, "example.net");
}

// A mail may turn out to be changed only at its end.
TEST_F(Sealing, AsksForItsDigestOfEveryMail) {
  gatherer_ = world_.prepare(arc_entry, &settings_);
  const auto forms = gatherer_->begin()->body_forms(mail_.transaction());
  ASSERT_EQ(forms.size(), 1u);
  EXPECT_EQ(forms[0], gatherer_->sealer()->body_form());
}

TEST_F(Sealing, IsNotDoneWhereTheChainWasNotLookedAt) {
  gatherer_ = world_.prepare(arc_entry, &settings_);
  Facts facts;
  world_.gather_message(*gatherer_, mail_.transaction(), mail_.body(), facts);
  EXPECT_EQ(seal(Facts()), std::nullopt);
}

TEST_F(Sealing, IsNotDoneWithoutTheBodysDigest) {
  gatherer_ = world_.prepare(arc_entry, &settings_);
  Facts facts;
  world_.gather_message(*gatherer_, mail_.transaction(), mail_.body(), facts);
  world_.body_hashes = {signature::hash_body(mail_.body(), {signature::Canonicalization::simple, std::nullopt})};
  EXPECT_EQ(seal(facts), std::nullopt);
}

TEST_F(Sealing, NeedsAKeyThatCanBeRead) {
  settings_.seal.key_file = "/nowhere/arc.key";
  const auto absent = arc_entry.prepare(&settings_, world_.parts());
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message, "the key of the seal: /nowhere/arc.key cannot be read");
  const KeyFile junk("x");
  settings_.seal.key_file = junk.path();
  const auto broken = arc_entry.prepare(&settings_, world_.parts());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message,
            "the key of the seal: " + junk.path() + " is not a PEM private key without a password");
}

TEST(ArcSealer, SaysWhatIsWrongWithItsKey) {
  EXPECT_EQ(ArcSealer::make({"example.org", "arc", "arc.key"}, "x").error().message,
            "arc.key is not a PEM private key without a password");
}

}  // namespace
}  // namespace sallyport::policies
