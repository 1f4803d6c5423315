#include "cluster_url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const char *ws_cluster_url_prefix(char *to, const char *prefix) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  size_t n = strlen(prefix);
  if (n == 0)
    return "the URL lacks the prefix: nats://host:port/PREFIX";
  if (n > WS_WIRE_PREFIX_MAX)
    return "the prefix has more than 64 characters";
  if (strspn(prefix, letters) != n)
    return "the prefix may only hold letters, digits, '-' and '_'";
  memcpy(to, prefix, n + 1);
  return NULL;
}

/* Resolves %XX in place. Returns false for anything but two digits behind it, and for %00. */
static bool ws_cluster_url_unescape(char *text) {
  char *to = text;
  for (; *text; text++) {
    unsigned value;
    if (*text != '%') {
      *to++ = *text;
    } else if (isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]) &&
               sscanf(text + 1, "%2x", &value) == 1 && value != 0) {
      *to++ = (char)value;
      text += 2;
    } else {
      return false;
    }
  }
  *to = '\0';
  return true;
}

static const char *ws_cluster_url_user(struct ws_cluster_url *parsed, char *user) {
  char *colon = strchr(user, ':');
  if (colon)
    *colon = '\0';
  parsed->address.user = user;
  parsed->address.password = colon ? colon + 1 : NULL;
  if (!ws_cluster_url_unescape(user) || (colon && !ws_cluster_url_unescape(colon + 1)))
    return "the user or password has a '%' without two hexadecimal digits";
  return *user ? NULL : "the user is empty";
}

/* host, host:port, [::1], [::1]:port */
static bool ws_cluster_url_host_valid(const char *host) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
  size_t n = *host == '[' ? strcspn(host, "]") : strspn(host, letters);
  if (*host == '[' && (host[n] != ']' || n < 3 || strspn(host + 1, "0123456789abcdefABCDEF:.") != n - 1))
    return false;
  const char *port = host + n + (*host == '[');
  if (n == 0 || (*port && *port != ':'))
    return false;
  int value = 0;
  return !*port || (strspn(port + 1, "0123456789") == strlen(port + 1) && strlen(port + 1) <= 5 &&
                    sscanf(port + 1, "%d", &value) == 1 && value > 0 && value <= 65535);
}

static const char *ws_cluster_url_hosts(struct ws_cluster_url *parsed, char *hosts) {
  char *rest = hosts;
  snprintf(parsed->shown, sizeof parsed->shown, "%s", hosts);
  for (char *host = strsep(&rest, ","); host; host = strsep(&rest, ",")) {
    if (parsed->address.host_count == WS_CLUSTER_URL_HOSTS)
      return "the URL has more than 32 hosts";
    if (!ws_cluster_url_host_valid(host))
      return "the URL has a bad host or port";
    parsed->hosts[parsed->address.host_count++] = host;
  }
  return NULL;
}

static const char *ws_cluster_url_parse(struct ws_cluster_url *parsed) {
  char *at = parsed->text;
  bool tls = strncmp(at, "tls://", 6) == 0;
  if (!tls && strncmp(at, "nats://", 7) != 0)
    return "the URL does not begin with nats:// or tls://";
  parsed->address.tls = tls;
  parsed->address.hosts = parsed->hosts;
  at += tls ? 6 : 7;
  char *user_end = strrchr(at, '@');
  char *slash = strchr(user_end ? user_end : at, '/');
  if (!slash)
    return ws_cluster_url_prefix(parsed->prefix, "");
  *slash = '\0';
  const char *problem = ws_cluster_url_prefix(parsed->prefix, slash + 1);
  if (problem)
    return problem;
  if (!user_end)
    return ws_cluster_url_hosts(parsed, at);
  *user_end = '\0';
  problem = ws_cluster_url_user(parsed, at);
  return problem ? problem : ws_cluster_url_hosts(parsed, user_end + 1);
}

const char *ws_cluster_url_init(struct ws_cluster_url *parsed, const char *url) {
  *parsed = (struct ws_cluster_url){.text = ws_mem_strdup(url), .size = strlen(url)};
  if (!parsed->text)
    return "out of memory";
  const char *problem = ws_cluster_url_parse(parsed);
  if (problem)
    ws_cluster_url_deinit(parsed);
  return problem;
}

void ws_cluster_url_deinit(struct ws_cluster_url *parsed) {
  if (parsed->text)
    ws_mem_wipe(parsed->text, parsed->size);
  ws_mem_free(parsed->text);
  parsed->text = NULL;
}
