#pragma once
/* NATS, by its C client, which connects, reconnects, resolves names, does TLS and authentication. */
#include "engine.h"

extern const struct ws_engine ws_nats_engine;
