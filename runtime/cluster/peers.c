#include "peers.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "conn/held.h"
#include "osprey/log.h"
#include "protocol/frame.h"
#include "protocol/utf8.h"
#include "server/server.h"

enum {
  WS_PEERS_MAX = 4096,
  WS_PEERS_PARTS_MS = 10000,  /* for all parts of a message */
  WS_PEERS_SILENT_MS = 10000, /* until the log says so */
  WS_PEERS_FORGOTTEN_MS = 600000,
  WS_PEERS_ALLOCATOR = 16 + WS_TREE_NODE,
};

/* The messages of one member on one subject. */
struct ws_peer_stream {
  struct ws_list_node of_peer;
  uint64_t stream;
  uint64_t last;  /* number of the latest message, or of those that a beat told of */
  uint8_t *parts; /* of message `last`; NULL: it is whole, or given up */
  size_t size;
  size_t got;
  int64_t deadline_ms;
};

struct ws_peer {
  struct ws_list_node of_peers;
  uint8_t id[WS_WIRE_ID];
  struct ws_tree tree; /* of struct ws_peer_stream */
  struct ws_list streams;
  int64_t seen_ms;
  bool silent;
  bool new;        /* what it told so far was in the past when this member began to listen */
  uint64_t missed; /* not logged yet */
};

static int ws_peers_compare(const void *one, const void *other) {
  return memcmp(((const struct ws_peer *)one)->id, ((const struct ws_peer *)other)->id, WS_WIRE_ID);
}

static int ws_peers_compare_streams(const void *one, const void *other) {
  uint64_t a = ((const struct ws_peer_stream *)one)->stream;
  uint64_t b = ((const struct ws_peer_stream *)other)->stream;
  return (a > b) - (a < b);
}

static void ws_peers_charge(struct ws_peers *peers, int64_t bytes) {
  ws_held_add(&peers->server->budget, bytes);
}

static bool ws_peers_has_memory(const struct ws_peers *peers, size_t more) {
  int64_t held = atomic_load_explicit(&peers->server->budget.held, memory_order_relaxed);
  return held + (int64_t)more <= peers->server->rules.limits.max_memory_bytes;
}

void ws_peers_init(struct ws_peers *peers, struct ws_server *server, const uint8_t self[static WS_WIRE_ID]) {
  *peers = (struct ws_peers){.server = server};
  memcpy(peers->self, self, WS_WIRE_ID);
}

/* ---- entries */

static void ws_peers_drop_parts(struct ws_peers *peers, struct ws_peer_stream *stream) {
  if (!stream->parts)
    return;
  ws_peers_charge(peers, -(int64_t)stream->size);
  ws_mem_free(stream->parts);
  stream->parts = NULL;
}

static void ws_peers_drop_stream(struct ws_peers *peers, struct ws_peer *peer, struct ws_peer_stream *stream) {
  ws_peers_drop_parts(peers, stream);
  ws_list_remove(&stream->of_peer);
  ws_tree_remove(&peer->tree, stream, ws_peers_compare_streams);
  ws_peers_charge(peers, -(int64_t)(sizeof *stream + WS_PEERS_ALLOCATOR));
  ws_mem_free(stream);
}

static void ws_peers_drop(struct ws_peers *peers, struct ws_peer *peer) {
  while (peer->streams.first)
    ws_peers_drop_stream(peers, peer, ws_container_of(peer->streams.first, struct ws_peer_stream, of_peer));
  ws_list_remove(&peer->of_peers);
  ws_tree_remove(&peers->tree, peer, ws_peers_compare);
  ws_peers_charge(peers, -(int64_t)(sizeof *peer + WS_PEERS_ALLOCATOR));
  peers->count--;
  ws_mem_free(peer);
}

void ws_peers_deinit(struct ws_peers *peers) {
  while (peers->all.first)
    ws_peers_drop(peers, ws_container_of(peers->all.first, struct ws_peer, of_peers));
}

static struct ws_peer *ws_peers_find(const struct ws_peers *peers, const uint8_t id[static WS_WIRE_ID]) {
  struct ws_peer wanted;
  memcpy(wanted.id, id, WS_WIRE_ID);
  return ws_tree_find(&peers->tree, &wanted, ws_peers_compare);
}

/* Finds or makes the entry of a member that was heard. NULL: no memory, or too many. */
static struct ws_peer *ws_peers_meet(struct ws_peers *peers, const uint8_t id[static WS_WIRE_ID], int64_t now_ms) {
  char name[WS_WIRE_NAME];
  struct ws_peer *peer = ws_peers_find(peers, id);
  if (!peer && (peers->count == WS_PEERS_MAX || !ws_peers_has_memory(peers, sizeof *peer)))
    return NULL;
  if (!peer) {
    peer = ws_mem_calloc(1, sizeof *peer);
    if (!peer)
      return NULL;
    memcpy(peer->id, id, WS_WIRE_ID);
    peer->new = true;
    if (ws_tree_add(&peers->tree, peer, ws_peers_compare)) {
      ws_mem_free(peer);
      return NULL;
    }
    ws_list_add(&peers->all, &peer->of_peers);
    peers->count++;
    ws_peers_charge(peers, (int64_t)(sizeof *peer + WS_PEERS_ALLOCATOR));
    ws_log(WS_LOG_INFO, "server %" PRId64 ": member %s of the cluster is heard", peers->server->id,
           ws_wire_name(name, peer->id));
  } else if (peer->silent) {
    ws_log(WS_LOG_WARN, "server %" PRId64 ": member %s of the cluster is heard again", peers->server->id,
           ws_wire_name(name, peer->id));
  }
  peer->silent = false;
  peer->seen_ms = now_ms;
  return peer;
}

static struct ws_peer_stream *ws_peers_stream(const struct ws_peer *peer, uint64_t hash) {
  const struct ws_peer_stream wanted = {.stream = hash};
  return ws_tree_find(&peer->tree, &wanted, ws_peers_compare_streams);
}

/* Makes the entry of a subject, whose messages up to `last` are not missed. NULL: no memory. */
static struct ws_peer_stream *ws_peers_begin(struct ws_peers *peers, struct ws_peer *peer, uint64_t hash,
                                             uint64_t last) {
  struct ws_peer_stream *stream = ws_peers_has_memory(peers, sizeof *stream) ? ws_mem_calloc(1, sizeof *stream) : NULL;
  if (!stream)
    return NULL;
  stream->stream = hash;
  stream->last = last;
  if (ws_tree_add(&peer->tree, stream, ws_peers_compare_streams)) {
    ws_mem_free(stream);
    return NULL;
  }
  ws_list_add(&peer->streams, &stream->of_peer);
  ws_peers_charge(peers, (int64_t)(sizeof *stream + WS_PEERS_ALLOCATOR));
  return stream;
}

/* ---- messages */

/* The parts are delivered, or of a message that will not be whole. */
static void ws_peers_give_up_parts(struct ws_peers *peers, struct ws_peer *peer, struct ws_peer_stream *stream) {
  if (stream->parts && stream->got < stream->size)
    peer->missed++;
  ws_peers_drop_parts(peers, stream);
}

/* Messages up to `number`, of which this is the first that came, were sent: what lies between is missing. */
static void ws_peers_advance(struct ws_peers *peers, struct ws_peer *peer, struct ws_peer_stream *stream,
                             uint64_t since, uint64_t number, bool came) {
  uint64_t before = since > stream->last ? since : stream->last;
  ws_peers_give_up_parts(peers, peer, stream);
  peer->missed += number - before - (came ? 1 : 0);
  stream->last = number;
}

static enum ws_peers_outcome ws_peers_add_part(struct ws_peers *peers, struct ws_peer *peer,
                                               struct ws_peer_stream *stream, const struct ws_wire *head,
                                               const uint8_t *bytes, size_t n, struct ws_peers_message *message) {
  if (stream->size != head->total || stream->got != head->offset) {
    ws_peers_give_up_parts(peers, peer, stream);
    return WS_PEERS_NOTHING;
  }
  memcpy(stream->parts + stream->got, bytes, n);
  stream->got += n;
  *message = (struct ws_peers_message){stream->parts, stream->size};
  return stream->got == stream->size ? WS_PEERS_WHOLE : WS_PEERS_NOTHING;
}

static enum ws_peers_outcome ws_peers_begin_parts(struct ws_peers *peers, struct ws_peer *peer,
                                                  struct ws_peer_stream *stream, const struct ws_wire *head,
                                                  int64_t now_ms) {
  stream->parts = ws_peers_has_memory(peers, head->total) ? ws_mem_alloc(head->total) : NULL;
  if (!stream->parts) {
    peer->missed++;
    return WS_PEERS_NOTHING;
  }
  stream->size = head->total;
  stream->got = 0;
  stream->deadline_ms = now_ms + WS_PEERS_PARTS_MS;
  ws_peers_charge(peers, (int64_t)stream->size);
  return WS_PEERS_WHOLE;
}

/* As a client's message is checked. */
static enum ws_peers_outcome ws_peers_check(const struct ws_peers_message *message, const char **problem) {
  if (ws_utf8_check(message->bytes, message->size) == message->size)
    return WS_PEERS_WHOLE;
  *problem = "it is not UTF-8";
  return WS_PEERS_WRONG;
}

static const char *ws_peers_problem(const struct ws_peers *peers, const struct ws_wire *head) {
  if (head->opcode != WS_OPCODE_TEXT)
    return "it is not text";
  if (head->total > (uint64_t)peers->server->rules.limits.max_message_bytes)
    return "it is larger than maxMessageBytes";
  return NULL;
}

/* Numbers first: what is dropped for another reason is not missing too. */
enum ws_peers_outcome ws_peers_hear(struct ws_peers *peers, const struct ws_wire *head, uint64_t hash,
                                    const uint8_t *bytes, size_t n, int64_t now_ms, struct ws_peers_message *message,
                                    const char **problem) {
  if (memcmp(head->sender, peers->self, WS_WIRE_ID) == 0)
    return WS_PEERS_NOTHING;
  bool whole = head->offset == 0 && n == head->total;
  struct ws_peer *peer = ws_peers_meet(peers, head->sender, now_ms);
  struct ws_peer_stream *stream = peer ? ws_peers_stream(peer, hash) : NULL;
  if (peer && !stream && head->offset == 0)
    stream = ws_peers_begin(peers, peer, hash, peer->new || hash ? head->number - 1 : head->since);
  if (peer)
    peer->new = false;
  if (!stream && head->offset > 0)
    return WS_PEERS_NOTHING;
  if (!stream) {
    *problem = "there is no memory for it";
    return WS_PEERS_WRONG;
  }
  if (stream->parts && head->number == stream->last && head->offset > 0) {
    enum ws_peers_outcome outcome = ws_peers_add_part(peers, peer, stream, head, bytes, n, message);
    return outcome == WS_PEERS_WHOLE ? ws_peers_check(message, problem) : outcome;
  }
  if (head->number <= stream->last)
    return WS_PEERS_NOTHING;
  ws_peers_advance(peers, peer, stream, head->since, head->number, head->offset == 0);
  *problem = ws_peers_problem(peers, head);
  if (*problem)
    return WS_PEERS_WRONG;
  *message = (struct ws_peers_message){bytes, n};
  if (whole)
    return ws_peers_check(message, problem);
  if (head->offset > 0 || ws_peers_begin_parts(peers, peer, stream, head, now_ms) != WS_PEERS_WHOLE)
    return WS_PEERS_NOTHING;
  return ws_peers_add_part(peers, peer, stream, head, bytes, n, message);
}

void ws_peers_lost(struct ws_peers *peers, const struct ws_wire *head) {
  struct ws_peer *peer = ws_peers_find(peers, head->sender);
  if (peer)
    peer->missed++;
}

/* ---- beats */

static void ws_peers_beat_entry(struct ws_peers *peers, struct ws_peer *peer, const struct ws_wire_entry *entry) {
  struct ws_peer_stream *stream = ws_peers_stream(peer, entry->stream);
  /* Of a topic nothing was heard yet: its subscription may have come later than the message. */
  if (!stream && entry->stream == 0)
    stream = ws_peers_begin(peers, peer, 0, peer->new ? entry->number : entry->since);
  if (stream && entry->number > stream->last)
    ws_peers_advance(peers, peer, stream, entry->since, entry->number, false);
}

void ws_peers_beat(struct ws_peers *peers, const struct ws_wire *head, const uint8_t *entries, int64_t now_ms) {
  if (memcmp(head->sender, peers->self, WS_WIRE_ID) == 0)
    return;
  struct ws_peer *peer = ws_peers_meet(peers, head->sender, now_ms);
  if (!peer)
    return;
  for (uint64_t i = 0; head->kind == WS_WIRE_BEAT && i < head->number; i++) {
    struct ws_wire_entry entry;
    ws_wire_decode_entry(&entry, entries + WS_WIRE_ENTRY * i);
    ws_peers_beat_entry(peers, peer, &entry);
  }
  peer->new = false;
  if (head->kind == WS_WIRE_LEAVE) {
    char name[WS_WIRE_NAME];
    ws_log(WS_LOG_INFO, "server %" PRId64 ": member %s of the cluster has stopped", peers->server->id,
           ws_wire_name(name, peer->id));
    ws_peers_drop(peers, peer);
  }
}

void ws_peers_forget(struct ws_peers *peers, uint64_t hash) {
  for (struct ws_list_node *node = peers->all.first; node; node = node->next) {
    struct ws_peer *peer = ws_container_of(node, struct ws_peer, of_peers);
    struct ws_peer_stream *stream = ws_peers_stream(peer, hash);
    if (stream)
      ws_peers_drop_stream(peers, peer, stream);
  }
}

/* ---- time */

static void ws_peers_tick_peer(struct ws_peers *peers, struct ws_peer *peer, int64_t now_ms) {
  char name[WS_WIRE_NAME];
  for (struct ws_list_node *node = peer->streams.first; node; node = node->next) {
    struct ws_peer_stream *stream = ws_container_of(node, struct ws_peer_stream, of_peer);
    if (stream->parts && (stream->got == stream->size || now_ms > stream->deadline_ms))
      ws_peers_give_up_parts(peers, peer, stream);
  }
  if (peer->missed > 0)
    ws_log(WS_LOG_WARN, "server %" PRId64 ": messages of member %s of the cluster that were missed: %" PRIu64,
           peers->server->id, ws_wire_name(name, peer->id), peer->missed);
  peer->missed = 0;
  if (now_ms - peer->seen_ms > WS_PEERS_FORGOTTEN_MS) {
    ws_peers_drop(peers, peer);
  } else if (now_ms - peer->seen_ms > WS_PEERS_SILENT_MS && !peer->silent) {
    peer->silent = true;
    ws_log(WS_LOG_WARN, "server %" PRId64 ": member %s of the cluster has become silent", peers->server->id,
           ws_wire_name(name, peer->id));
  }
}

void ws_peers_tick(struct ws_peers *peers, bool connected, int64_t now_ms) {
  struct ws_list_node *next;
  for (struct ws_list_node *node = peers->all.first; node; node = next) {
    struct ws_peer *peer = ws_container_of(node, struct ws_peer, of_peers);
    next = node->next;
    if (!connected)
      peer->seen_ms = now_ms;
    ws_peers_tick_peer(peers, peer, now_ms);
  }
}
