/* Names: some resolve at once, some late, some never, some to two addresses of which one is dead. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "sim.h"

const struct sim_name sim_names[] = {
    {"here.sim", 0, 0, {"10.0.0.1"}},
    {"late.sim", 3 * SIM_S, 0, {"10.0.0.1"}},
    {"twice.sim", 20 * SIM_MS, 0, {SIM_BLACK_HOLE, "10.0.0.1"}},
    {"refused.sim", 20 * SIM_MS, 0, {"10.0.0.9", "10.0.0.1"}},
    {"hole.sim", 0, 0, {SIM_BLACK_HOLE}},
    {"none.sim", 100 * SIM_MS, EAI_NONAME, {0}},
    {"again.sim", 6 * SIM_S, EAI_AGAIN, {0}},
    {"never.sim", SIM_FOREVER, 0, {0}},
    {0},
};

static struct addrinfo *new_entry(const char *text, struct addrinfo *next) {
  struct addrinfo *entry = __real_calloc(1, sizeof *entry + sizeof(struct sockaddr_in));
  struct sockaddr_in *address = (struct sockaddr_in *)(entry + 1);
  address->sin_family = AF_INET;
  inet_pton(AF_INET, text, &address->sin_addr);
  *entry = (struct addrinfo){.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_addrlen = sizeof *address,
                             .ai_addr = (struct sockaddr *)address,
                             .ai_next = next};
  return entry;
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
  const struct sim_name *name = sim_names;
  (void)service;
  (void)hints;
  sim_point();
  while (name->name && strcmp(name->name, host) != 0)
    name++;
  sim_note("%s asks for %s", sim_self_name(), host);
  if (!name->name)
    return EAI_NONAME;
  sim_sleep(name->delay_us == SIM_FOREVER ? SIM_FOREVER - sim_now() : name->delay_us);
  if (name->error)
    return name->error;
  *list = NULL;
  for (int i = 2; i >= 0; i--)
    if (name->addresses[i])
      *list = new_entry(name->addresses[i], *list);
  return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *list) {
  while (list) {
    struct addrinfo *next = list->ai_next;
    __real_free(list);
    list = next;
  }
}
