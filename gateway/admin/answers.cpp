#include "gateway/admin/answers.h"

#include <string_view>

namespace sallyport::admin {

namespace {

constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view places =
    "/metrics  figures for Prometheus\n/healthz  whether the gateway answers\n"
    "/readyz   whether it serves mail, and why not\n";

std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

HttpResponse healthz(const GatewayState& gateway) {
  if (gateway) return {.status = 200, .body = "ok\n"};
  return {.status = 503, .body = "the gateway does not answer: " + gateway.error().message + "\n"};
}

HttpResponse readyz(const GatewayState& gateway) {
  if (!gateway) return healthz(gateway);
  if (gateway->not_ready.empty()) return {.status = 200, .body = "ready\n"};
  HttpResponse response{.status = 503, .body = ""};
  for (const std::string& reason : gateway->not_ready) response.body.append(reason) += '\n';
  return response;
}

// While the gateway does not answer, that is the one figure there is.
HttpResponse metrics(const GatewayState& gateway) {
  const Metric up{"sallyport_up",
                  "Whether the gateway answers the admin process.",
                  MetricType::gauge,
                  {{"", {}, gateway ? 1.0 : 0.0}}};
  HttpResponse response{.content_type = std::string(metrics_type), .body = to_prometheus_text({&up, 1})};
  if (!gateway) return response;
  const Metric ready{"sallyport_ready",
                     "Whether the gateway serves mail; /readyz says why not.",
                     MetricType::gauge,
                     {{"", {}, gateway->not_ready.empty() ? 1.0 : 0.0}}};
  response.body += to_prometheus_text({&ready, 1});
  response.body += to_prometheus_text(gateway->metrics);
  return response;
}

bool is_read(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

HttpResponse choose(const HttpRequest& request, const GatewayState& gateway) {
  if (!is_read(request)) return {.status = 405, .body = "only GET and HEAD\n", .allow = "GET, HEAD"};
  if (request.path == "/metrics") return metrics(gateway);
  if (request.path == "/healthz") return healthz(gateway);
  if (request.path == "/readyz") return readyz(gateway);
  return {.status = 404, .body = "what there is:\n" + std::string(places)};
}

}  // namespace

bool needs_state(const HttpRequest& request) {
  return is_read(request) && (request.path == "/metrics" || request.path == "/healthz" || request.path == "/readyz");
}

HttpResponse answer(const HttpRequest& request, const GatewayState& gateway) {
  HttpResponse response = choose(request, gateway);
  response.is_head = request.method == "HEAD";
  response.keeps_connection = request.keeps_connection;
  return response;
}

HttpResponse answer(const HttpRefusal& refusal) {
  return {.status = refusal.status, .body = std::string(reason_of(refusal.status)) + "\n"};
}

std::string HttpResponse::to_text() const {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " ";
  text.append(reason_of(status)).append("\r\n");
  text += "Content-Type: " + content_type + "\r\n";
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!allow.empty()) text += "Allow: " + allow + "\r\n";
  text += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  text += keeps_connection ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  if (!is_head) text += body;
  return text;
}

}  // namespace sallyport::admin
