// The log's events under the names of the Elastic Common Schema 8 (`[log] schema = "ecs"`). Private to the log.
//
// Names have their dots as they are ("source.ip"), which Elasticsearch, Logstash and OpenSearch read as objects. What
// ECS has no field for stands below `sallyport.`, by the name that it has in our own schema. A field without a value is
// left out, as ECS wants it: "" is no address.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/log.h"

namespace sallyport::log_ecs {

// One field; the names and texts that it needs are its own, so that it outlives what it was made of.
struct Field {
  std::string key;
  std::variant<std::string, std::vector<std::string>, std::int64_t, double, bool> value;
};

// The fields of an event; `level` and time are written by the log itself.
std::vector<Field> fields_of(std::string_view event, const std::vector<LogField>& fields);

// The same as the log writes it; a view of `field`.
LogField view_of(const Field& field);
// "sallyport.lost"
std::string own_name(std::string_view key);

}  // namespace sallyport::log_ecs
