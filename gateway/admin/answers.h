// What the admin process answers to a request: /metrics, /healthz, /readyz (contract.md, section 7). A function of the
// request and of what the gateway said last; nothing of the request but its method and path is used (threats.md A7,
// A10).
#pragma once

#include <string>

#include "gateway/admin/request_reader.h"
#include "gateway/base/result.h"
#include "gateway/control/metrics.h"

namespace sallyport::admin {

// What the gateway said, or why it said nothing.
using GatewayState = Result<control::State>;

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  bool is_head = false;           // the body's length is told, and not the body
  bool keeps_connection = false;  // else the connection ends behind it
  std::string allow;              // of a 405

  // As it goes over the wire.
  std::string to_text() const;
};

// True where the answer depends on the state of the gateway.
bool needs_state(const HttpRequest& request);
HttpResponse answer(const HttpRequest& request, const GatewayState& gateway);
HttpResponse answer(const HttpRefusal& refusal);

}  // namespace sallyport::admin
