#include "gateway/url/suspicion.h"

#include <algorithm>

namespace sallyport::url {

namespace {

int weight_of_place(Place place) {
  switch (place) {
    case Place::form:
      return 12;
    case Place::link:
      return 10;
    case Place::text:
      return 8;
    case Place::header:
      return 4;
    case Place::resource:
      break;
  }
  return 2;
}

bool is_suspicious(Trick trick) {
  switch (trick) {
    case Trick::userinfo:
    case Trick::slashes:
    case Trick::spaces:
    case Trick::encoded:
    case Trick::invisible:
    case Trick::letters:
    case Trick::ip:
    case Trick::odd_host:
      return true;
    case Trick::no_scheme:
    case Trick::defanged:
    case Trick::idn:
    case Trick::cut:
      break;
  }
  return false;
}

int suspicion(const Found& found) {
  int weight = weight_of_place(found.place);
  if (found.shows_other) weight += 40;
  if (std::any_of(found.url.tricks.begin(), found.url.tricks.end(), is_suspicious)) weight += 20;
  if (found.within) weight += 6;
  if (has(found.url.tricks, Trick::no_scheme)) weight -= 5;
  return weight;
}

}  // namespace

std::vector<const Found*> by_suspicion(const std::vector<Found>& urls) {
  struct Weighed {
    int weight;
    const Found* found;
  };
  std::vector<Weighed> weighed;
  weighed.reserve(urls.size());
  for (const Found& one : urls) weighed.push_back({suspicion(one), &one});
  // They stand in `urls` in their order, so that the address decides between equal ones.
  std::sort(weighed.begin(), weighed.end(), [](const Weighed& a, const Weighed& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.found < b.found;
  });
  std::vector<const Found*> sorted;
  sorted.reserve(urls.size());
  for (const Weighed& one : weighed) sorted.push_back(one.found);
  return sorted;
}

}  // namespace sallyport::url
