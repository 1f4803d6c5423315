#pragma once
/* Identifiers of servers and connections.
 *
 * An ID is a positive number: generation, place in a table, kind. Servers and connections have a table each and share
 * the space of numbers. A place is used again only after every place that was free before it, and with its next
 * generation, so that a number comes again after 2^31 uses of its place: never within reach.
 *
 * A slot's word holds what a look-up must know in one atomic load: the generation, whether the object is alive, the
 * loop that owns it and the number of pins. A pin keeps the object's memory from being freed; its owner retires the
 * handle first, and frees when the last pin is gone. So a look-up is lock-free and memory-safe in any thread:
 *  - the owning loop's thread may use the object without a pin: only that thread retires it;
 *  - any other thread pins it.
 * Issuing and recycling take a lock; messages do neither. The tables live as long as the program: a thread that
 * outlives main may still look something up.
 */
#include <stdbool.h>
#include <stdint.h>

enum ws_handle_kind { WS_HANDLE_SERVER = 0, WS_HANDLE_CONNECTION = 1 };

enum ws_handle_state {
  WS_HANDLE_ALIVE,
  WS_HANDLE_GONE,       /* it was one, of this kind */
  WS_HANDLE_UNKNOWN,    /* never issued */
  WS_HANDLE_OTHER_KIND, /* issued, of the other kind */
};

enum { WS_HANDLE_OWNERS = 64, WS_HANDLE_NO_OWNER = WS_HANDLE_OWNERS - 1 };

/* Issues an ID for `object`, owned by loop `owner` (WS_HANDLE_NO_OWNER: by none). 0: no memory, or 2^24 are alive. */
int64_t ws_handle_issue(enum ws_handle_kind kind, void *object, unsigned owner);

/* Looks up without a pin, for thread of loop `owner`: NULL if the object is another loop's, or not alive. */
void *ws_handle_owned(enum ws_handle_kind kind, int64_t id, unsigned owner);

/* Looks up and pins; NULL with *state telling why not. Each pin is given back by ws_handle_unpin. */
void *ws_handle_pin(enum ws_handle_kind kind, int64_t id, enum ws_handle_state *state);

/* One more pin of what the caller has pinned, or owns. There is room for 2^25: a server is pinned by each of its
 * connections, of which there may be 2^24. */
void ws_handle_pin_again(int64_t id);

/* Gives a pin back. True: it was the last one of a retired handle, and the caller frees the object. */
bool ws_handle_unpin(int64_t id);

/* The ID ends: look-ups find WS_HANDLE_GONE from now on. True: there is no pin, and the caller frees the object; false:
 * whoever gives the last pin back does. Once for each ID. */
bool ws_handle_retire(int64_t id);

/* Whether the object of this ID is alive. */
bool ws_handle_is_alive(enum ws_handle_kind kind, int64_t id);
