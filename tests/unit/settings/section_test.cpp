#include "gateway/settings/section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace sallyport::settings {
namespace {

struct Entry {
  std::uint64_t weight = 3;
};

struct Inner {
  std::string file = "a";
};

struct Sample {
  double score = 1.5;
  Inner inner;
  std::map<std::string, Entry> entries;
  std::vector<Entry> list;
  std::map<std::string, std::vector<std::string>> names;
};

constexpr Row rows[] = {
    row<&Sample::score>("score", "A score.", scores),
    row<&Sample::inner, &Inner::file>("inner.file", type::path, "A file.", {.reload = Reload::restart}),
    row<&Sample::entries, &Entry::weight>("entries.*.weight", "A weight."),
    row<&Sample::list, &Entry::weight>("list[].weight", type::size, "A weight."),
    row<&Sample::names, element>("names.*", type::domains, "Names."),
};
constexpr SectionOf<Sample> section{"sample", rows};

std::string written(const Row& row, const void* value) { return row.type->to_toml(value); }

TEST(Row, TheMemberSaysTypeAndDefault) {
  Sample fresh;
  EXPECT_EQ(rows[0].type->name, "number");
  EXPECT_EQ(rows[1].type->name, "path");
  EXPECT_EQ(rows[2].type->name, "integer");
  EXPECT_EQ(written(rows[0], rows[0].member(&fresh, {})), "1.5");
  EXPECT_EQ(written(rows[1], rows[1].member(&fresh, {})), "\"a\"");
  EXPECT_EQ(rows[1].options.reload, Reload::restart);
  EXPECT_EQ(rows[0].options.reload, Reload::new_connections);
}

TEST(Row, ElementsAreMadeToBeFilled) {
  Sample sample;
  const Places a{"a"};
  *static_cast<std::uint64_t*>(rows[2].member(&sample, a)) = 7;
  EXPECT_EQ(sample.entries.at("a").weight, 7u);

  const Places second{std::size_t{1}};
  EXPECT_EQ(written(rows[3], rows[3].member(&sample, second)), "\"3\"");
  EXPECT_EQ(sample.list.size(), 2u);

  EXPECT_EQ(rows[4].member(&sample, a), &sample.names.at("a"));
}

const Section* const sections[] = {&section};

TEST(Set, CopiesShareWhatNobodyChanges) {
  Set global(sections);
  Set tenant = global;
  EXPECT_EQ(&tenant.of(section), &global.of(section));
  tenant.edit(section).score = 9;
  EXPECT_EQ(global.of(section).score, 1.5);
  EXPECT_EQ(tenant.of(section).score, 9);
  const Sample* own = &tenant.of(section);
  tenant.edit(section).score = 10;
  EXPECT_EQ(&tenant.of(section), own);  // its own already
  EXPECT_TRUE(Set().is_empty());
}

}  // namespace
}  // namespace sallyport::settings
