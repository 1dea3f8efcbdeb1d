// What of a mail a list is asked for; what its codes mean.
#include "policies/url_lists/questions.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gateway/url/suspicion.h"
#include "tests/unit/url/url_world.h"

namespace sallyport::policies {
namespace {

using Strings = std::vector<std::string>;

bool is_well_known(std::string_view domain) { return domain == "known.com"; }

Strings labels(const url::UrlSet& set, const UrlList& list) {
  Strings all;
  const auto about = candidates(url::by_suspicion(set.urls()), is_well_known);
  for (const Asked& asked : askable(about, list, 1000).all) all.push_back(asked.labels);
  return all;
}

TEST(Askable, IsEachRegistrableDomainOnce) {
  url::UrlSet set(url::suffixes());
  set.add_text(
      "http://a.one.com/ http://b.one.com/x https://x.two.co.uk/ ann@three.net http://www.known.com/ http://192.0.2.7/ "
      "http://localhost/ http://пример.рф/");
  EXPECT_EQ(labels(set, {}), (Strings{"one.com", "two.co.uk", "xn--e1afmkfd.xn--p1ai", "three.net"}));
  UrlList with_ips;
  with_ips.ips = true;
  EXPECT_EQ(labels(set, with_ips),
            (Strings{"one.com", "two.co.uk", "7.2.0.192", "xn--e1afmkfd.xn--p1ai", "three.net"}));
}

TEST(Askable, BeginsWithTheMostSuspicious) {
  url::UrlSet set(url::suffixes());
  set.add_text("http://header.com/", url::Place::header);
  set.add_link("http://picture.com/x.png", "", url::Place::resource);
  set.add_text("bare.com");
  set.add_text("http://text.com/");
  set.add_link("http://link.com/", "click");
  set.add_link("http://form.com/", "", url::Place::form);
  set.add_link("http://bank.com@trick.com/", "click");
  set.add_link("http://other.com/", "www.bank.com");
  EXPECT_EQ(labels(set, {}), (Strings{"other.com", "trick.com", "form.com", "link.com", "text.com", "header.com",
                                      "bare.com", "picture.com"}));
}

TEST(Askable, OfListsOfHashesIsWhatTheyHave) {
  url::UrlSet set(url::suffixes());
  set.add_text("Ann.B+tag@Googlemail.com bob@example.com http://www.example.com/a");
  UrlList list;
  list.kind = UrlListKind::hash;
  EXPECT_EQ(labels(set, list),
            (Strings{digest_label("annb@gmail.com", HashForm::sha1), digest_label("bob@example.com", HashForm::sha1)}));
  list.of = HashOf::domain;
  list.hash = HashForm::md5;
  EXPECT_EQ(labels(set, list),
            (Strings{digest_label("example.com", HashForm::md5), digest_label("googlemail.com", HashForm::md5)}));
  list.of = HashOf::url;
  EXPECT_EQ(labels(set, list), Strings{digest_label("http://www.example.com/a", HashForm::md5)});
}

TEST(Askable, IsNoMoreThanTheFirst) {
  url::UrlSet set(url::suffixes());
  set.add_text(
      "http://one.com/a http://one.com/b http://two.com/ http://three.com/ http://three.com/x http://four.com/");
  const auto about = candidates(url::by_suspicion(set.urls()), is_well_known);
  UrlList hashes;
  hashes.kind = UrlListKind::hash;
  hashes.of = HashOf::domain;
  for (const UrlList& list : {UrlList(), hashes}) {
    const AskedOfList asked = askable(about, list, 2);
    ASSERT_EQ(asked.all.size(), 2u);
    EXPECT_EQ(asked.all[0].what, "one.com");
    EXPECT_EQ(asked.all[1].what, "two.com");
    EXPECT_EQ(asked.left_out, 2u);
  }
  EXPECT_EQ(askable(about, hashes, 4).left_out, 0u);
}

TEST(Askable, LooksAtEachDomainOnceForAllLists) {
  url::UrlSet set(url::suffixes());
  for (int i = 0; i < 50; ++i)
    set.add_text("http://one.com/" + std::to_string(i) + " http://two.com/" + std::to_string(i));
  std::size_t looks = 0;
  const auto about = candidates(url::by_suspicion(set.urls()), [&looks](std::string_view) { return ++looks == 0; });
  EXPECT_EQ(about.size(), 100u);
  EXPECT_EQ(looks, 2u);
}

TEST(DigestLabel, IsWhatListsPublish) {
  EXPECT_EQ(digest_label("abc", HashForm::sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(digest_label("abc", HashForm::md5), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(digest_label("abc", HashForm::sha256_base32), "xj4bnp4pahh6uqkbidpf3lrceoyagyndsylxvhfucd7wd4qacwwq");
}

TEST(CanonicalAddress, IsTheSameForAllThatReachOneMailbox) {
  for (const char* local : {"ann", "Ann", "ANN", "ann+x", "Ann+x+y"}) {
    EXPECT_EQ(canonical_address(local, "Example.COM"), "ann@example.com");
  }
  EXPECT_EQ(canonical_address("a.n.n+x", "googlemail.com"), "ann@gmail.com");
  EXPECT_EQ(canonical_address("a.n.n", "example.com"), "a.n.n@example.com");
}

TEST(NameCode, IsARangeOrBits) {
  const auto has = [](const char* code, const char* answer) {
    return parse_name_code(code)->has(*IpAddress::parse(answer));
  };
  EXPECT_TRUE(has("127.0.1.2", "127.0.1.2"));
  EXPECT_FALSE(has("127.0.1.2", "127.0.1.3"));
  EXPECT_TRUE(has("127.0.1.2-127.0.1.99", "127.0.1.99"));
  EXPECT_FALSE(has("127.0.1.0-127.0.1.255", "127.0.2.3"));
  for (unsigned answer = 2; answer < 256; ++answer) {
    const std::string text = "127.0.0." + std::to_string(answer);
    EXPECT_EQ(has("&8", text.c_str()), (answer & 8) != 0) << answer;
    EXPECT_EQ(has("& 24", text.c_str()), (answer & 24) == 24) << answer;
  }
  EXPECT_FALSE(has("&1", "127.0.0.1")) << "an error of the list (D8)";
  EXPECT_FALSE(has("&8", "127.0.1.8"));
  EXPECT_FALSE(has("&8", "192.0.2.8"));
  for (const char* wrong :
       {"", "&", "&0", "&256", "&x", "8", "127.0.0.1", "192.0.2.1", "127.0.0.2&8", "127.0.0.9-127.0.0.2"}) {
    EXPECT_FALSE(parse_name_code(wrong)) << wrong;
  }
  for (const char* code : {"&8", "127.0.1.2", "127.0.1.2-127.0.1.99"}) EXPECT_EQ(to_text(*parse_name_code(code)), code);
}

TEST(UrlList, AddsTheScoresOfAllBitsAndOfTheNarrowestRange) {
  UrlList list;
  list.codes = {{*parse_name_code("&8"), 2},
                {*parse_name_code("&16"), 3},
                {*parse_name_code("&64"), 5},
                {*parse_name_code("127.0.1.2-127.0.1.255"), 7},
                {*parse_name_code("127.0.1.102-127.0.1.106"), 1}};
  EXPECT_DOUBLE_EQ(list.score_of({"127.0.0.24"}, 9), 5);
  EXPECT_DOUBLE_EQ(list.score_of({"127.0.0.88"}, 9), 10);
  EXPECT_DOUBLE_EQ(list.score_of({"127.0.0.8", "127.0.0.24"}, 9), 5) << "each once";
  EXPECT_DOUBLE_EQ(list.score_of({"127.0.1.103"}, 9), 1);
  EXPECT_DOUBLE_EQ(list.score_of({"127.0.1.103", "127.0.1.2"}, 9), 8);
  EXPECT_TRUE(list.counts(*IpAddress::parse("127.0.0.80")));
  EXPECT_FALSE(list.counts(*IpAddress::parse("127.0.0.4")));
  list.codes.clear();
  EXPECT_DOUBLE_EQ(list.score_of({"127.0.1.2"}, 9), 9);
  EXPECT_TRUE(list.counts(*IpAddress::parse("127.0.1.102")));
  for (const char* error : {"127.0.0.1", "127.255.255.254", "192.0.2.1"})
    EXPECT_FALSE(list.counts(*IpAddress::parse(error)));
}

}  // namespace
}  // namespace sallyport::policies
