#pragma once
/* IDs of servers, connections and timers: generation-tagged handles.
 *
 * An ID is a positive number made of a generation, a place in a table and a kind. Each kind has
 * a table. The place that has been free longest is reused first, with the next generation, so a number returns only
 * after 2^31 uses of its place.
 *
 * The word of a slot has everything that a lookup needs in one atomic load: the generation, whether the object is
 * alive, the loop thread that owns it, and the number of pins. The owner retires the handle; the last unpin frees the
 * object. So a lookup takes no lock and never touches freed memory:
 *  - the owning loop thread may use the object without a pin, because only that thread retires it;
 *  - any other thread pins it.
 * Issuing and recycling take a lock, but no message does either. The tables are never freed, because a thread may look
 * up an ID after main has returned.
 */
#include <stdbool.h>
#include <stdint.h>

enum ws_handle_kind { WS_HANDLE_SERVER, WS_HANDLE_CONNECTION, WS_HANDLE_TIMER };

enum ws_handle_state {
  WS_HANDLE_ALIVE,
  WS_HANDLE_GONE,       /* it was alive, and of this kind */
  WS_HANDLE_UNKNOWN,    /* never issued */
  WS_HANDLE_OTHER_KIND, /* issued, of another kind */
};

enum { WS_HANDLE_OWNERS = 64, WS_HANDLE_NO_OWNER = WS_HANDLE_OWNERS - 1 };

/* Issues an ID for `object`, owned by the loop thread of index `owner` (WS_HANDLE_NO_OWNER: by none). 0: no memory, or
 * 2^24 IDs of this kind are alive. */
int64_t ws_handle_issue(enum ws_handle_kind kind, void *object, unsigned owner);

/* Looks up without a pin, on loop thread `owner`. NULL if the object is not alive, or not owned by that thread. */
void *ws_handle_owned(enum ws_handle_kind kind, int64_t id, unsigned owner);

/* Looks up and pins. NULL, with the reason in *state. Each pin is given back by ws_handle_unpin. */
void *ws_handle_pin(enum ws_handle_kind kind, int64_t id, enum ws_handle_state *state);

/* Adds a pin to an object that the caller has pinned or owns. A server is pinned by each of its connections: a slot has
 * room for 2^25 pins, and a server for 2^24 connections. */
void ws_handle_pin_again(int64_t id);

/* Gives a pin back. Returns true if it was the last one of a retired handle: the caller frees the object. */
bool ws_handle_unpin(int64_t id);

/* Ends the ID, once: look-ups find WS_HANDLE_GONE from now on. Returns true if there is no pin: the caller frees the
 * object; else whoever gives the last pin back does. */
bool ws_handle_retire(int64_t id);

/* The kind of an ID, if it is one, and a kind's name: "server", "connection", "timer". */
enum ws_handle_kind ws_handle_kind_of(int64_t id);
const char *ws_handle_kind_name(enum ws_handle_kind kind);

/* Returns true if the object of this ID is alive. */
bool ws_handle_is_alive(enum ws_handle_kind kind, int64_t id);
