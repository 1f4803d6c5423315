#pragma once
/* The simulated machine: coroutines for threads, one clock, a network, and the system calls of the runtime.
 *
 * One process simulates one world (main.c forks one for each seed), in one thread of execution. The linker redirects
 * the runtime's calls of the C library to functions __wrap_NAME of these files (meson.build lists them), so the
 * runtime's objects are those of any other program.
 *
 * Everything random comes from sim_random, whose seed is the world's. Time is in microseconds of a clock that moves
 * only when no thread can run.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SIM_MS ((int64_t)1000)
#define SIM_S ((int64_t)1000000)
#define SIM_FOREVER INT64_MAX

/* ---- chance (threads.c) */

struct sim_random {
  uint64_t state;
};

uint64_t sim_random_next(struct sim_random *random);
/* A number in [low, high]. */
int64_t sim_random_in(struct sim_random *random, int64_t low, int64_t high);
/* A number for a seed, so that neighbouring seeds have nothing in common. */
uint64_t sim_mix(uint64_t seed);
/* The schedule's own chance. */
int64_t sim_in(int64_t low, int64_t high);
/* True once in n times; never for n = 0. */
bool sim_once_in(int64_t n);

/* ---- time and threads (threads.c) */

struct sim_thread;

void sim_start(uint64_t seed, int64_t switch_once_in);
int64_t sim_now(void);
/* Starts a thread. The threads of the process stand still while the process is stopped; others (peers) do not. */
struct sim_thread *sim_thread_new(const char *name, bool of_process, void (*run)(void *context), void *context);
struct sim_thread *sim_self(void);
const char *sim_self_name(void);
int sim_self_index(void);
bool sim_thread_is_done(const struct sim_thread *thread);
/* Any thread that can run may run now. Every system call passes through here. */
void sim_point(void);
/* Waits for sim_wake with this key, or until a time. False: the time has come. Spurious wake-ups are true. */
bool sim_block(const void *key, int64_t until);
void sim_wake(const void *key);
void sim_wake_one(const void *key);
void sim_sleep(int64_t us);
/* Calls an event's function at a time, outside the threads. Events of one time are called in the order made. */
void sim_at(int64_t when, void (*run)(void *context, uint64_t number), void *context, uint64_t number);
/* Stops the process for a time: its threads stand still, the network and the peers do not. */
void sim_stop_process(int64_t us);
/* How often the process was stopped, and this thread not scheduled. */
int sim_stops(void);
/* Microseconds for which the process was stopped so far. */
int64_t sim_stopped_us(void);
/* A thread of the program, not of a loop, may be descheduled here for up to half a second. */
void sim_preemption_point(void);
bool sim_is_preempted(int thread);
/* Microseconds for which this thread was. */
int64_t sim_preempted_us(void);
/* Called when no thread can run, before the clock moves. */
extern void (*sim_on_idle)(void);
/* Called before each call of the runtime at which another thread may run. */
extern void (*sim_on_point)(void);
/* Runs the functions given to atexit, the last first. */
void sim_run_atexit(void);
/* What exit() calls behind them; it does not return. */
extern void (*sim_on_exit)(void);
long sim_steps(void);
/* Visits what the threads that have not ended were given, and their stacks; not those of main, which asks. */
void sim_threads_visit(void (*visit)(const void *bytes, size_t size));

/* ---- the network (network.c) */

struct sim_link {
  int64_t latency_us;
  int64_t bytes_per_s;
  int32_t send_room, receive_room;
  int32_t segment;
};

enum sim_sock_state { SIM_NEW, SIM_LISTENING, SIM_CONNECTING, SIM_CONNECTED, SIM_DEAD };

struct sim_sock {
  enum sim_sock_state state;
  struct sockaddr_in local, remote;
  bool bound, closed, of_process, v6, is_client;
  int fd; /* of the process; -1 for a peer's socket */
  int error;
  bool reset;      /* a reset arrived */
  bool eof;        /* the other end's FIN arrived */
  bool write_shut; /* shutdown(SHUT_WR) or close */
  bool never_switch;
  struct sim_sock *other;
  struct sim_link link;
  /* Bytes from this end to the other: written >= sent >= delivered >= read, and delivered >= acked. */
  uint8_t *bytes; /* from offset `base` on */
  size_t room;
  uint64_t base, written, sent, delivered, acked, read, read_known;
  bool fin_sent;
  bool pump_waits, ack_waits, window_waits; /* an event will come */
  int64_t free_at, last_arrival, stalled_until;
  /* When the other end last showed life, as this end's kernel knows it. */
  int64_t heard_at, acked_at, backed_up_since, opened_at;
  /* Of handlers, of slow ones, of slow open handlers and of ClientHellos: when input arrived where none was. */
  long calls_at_arrival, slow_calls_at_arrival, slow_opens_at_arrival, hellos_at_arrival;
  bool troubled; /* a fault of the network struck it */
  /* A listener's. */
  struct sim_sock *queue[256];
  int queued;
  struct sim_sock *next; /* of all sockets */
  void *owner;           /* a peer */
};

extern struct sim_sock *sim_socks;
/* The kinds of link that new connections get: one is drawn for each. */
extern struct sim_link sim_links[4];
extern int sim_link_count;
/* Once in so many calls: EINTR, short reads and writes, failures of accept and of socket options. 0: never. */
struct sim_faults {
  int64_t interrupted, partial, accept_fails, no_buffers, no_thread, descheduled;
};
extern struct sim_faults sim_faults;
/* Faults drawn so far which a connection or a call may rightly suffer from. */
extern int sim_faults_struck;

struct sim_sock *sim_sock_new(bool of_process);
int sim_sock_bind(struct sim_sock *sock, const struct sockaddr *address);
int sim_sock_listen(struct sim_sock *sock);
int sim_sock_connect(struct sim_sock *sock, const struct sockaddr *address);
struct sim_sock *sim_sock_accept(struct sim_sock *listener);
/* As recv and send on a descriptor that does not block: a count, or -1 with errno. */
ssize_t sim_sock_recv(struct sim_sock *sock, void *bytes, size_t size);
ssize_t sim_sock_send(struct sim_sock *sock, const void *bytes, size_t size);
void sim_sock_shutdown(struct sim_sock *sock);
void sim_sock_close(struct sim_sock *sock);
/* Breaks the connection: both ends find a reset. */
void sim_sock_break(struct sim_sock *sock);
/* Holds back what the socket sends for a time. */
void sim_sock_stall(struct sim_sock *sock, int64_t us);
/* EPOLL flags. */
uint32_t sim_sock_ready(const struct sim_sock *sock);
size_t sim_sock_readable(const struct sim_sock *sock);
size_t sim_sock_unacked(const struct sim_sock *sock);
/* Nobody answers at this address. */
#define SIM_BLACK_HOLE "10.9.9.9"

/* ---- descriptors (poller.c) */

extern int sim_fd_limit;
int sim_fd_count(void);
struct sim_sock *sim_fd_sock(int fd);
/* A socket, pipe or eventfd became ready, perhaps. */
void sim_ready_changed(int fd);
/* For a loop thread: when its latest wait returned, and for how long since a time it did not listen: it was kept from
 * waiting, or a wait took longer than asked. The first 250 ms of each such time do not count. */
int64_t sim_listened_at(int thread);
int64_t sim_away_since(int thread, int64_t since);
/* For all threads together. */
int64_t sim_away_in_all(int64_t since);
/* True if a thread waits for this descriptor in epoll_wait or poll. */
bool sim_is_awaited(int fd);
/* Sends a signal to the process. */
void sim_signal(int signal);

/* ---- names (names.c) */

struct sim_name {
  const char *name;
  int64_t delay_us; /* SIM_FOREVER: never */
  int error;        /* EAI_ */
  const char *addresses[3];
};

extern const struct sim_name sim_names[];

/* ---- memory (memory.c) */

/* The simulation's own memory is none of the process's. */
/* Zeroed memory that costs nothing where nobody writes to it. */
void *sim_map(size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

/* Bytes and blocks that the process has allocated now. */
size_t sim_memory_bytes(void);
/* Checks that no freed block was written to. Returns what is wrong; NULL if nothing. */
const char *sim_memory_check(void);
/* Blocks that no static variable, no stack of another thread and no other such block leads to. */
int sim_memory_leaks(char *text, size_t room);

/* ---- events and failures (trace.c) */

/* Notes an event: into the hash, the ring of last events, and the trace. */
__attribute__((format(printf, 1, 2))) void sim_note(const char *format, ...);
/* An invariant does not hold. Does not return. */
__attribute__((format(printf, 2, 3), noreturn)) void sim_fail(const char *oracle, const char *format, ...);
/* All is in order: ends the world. */
_Noreturn void sim_finish(void);
