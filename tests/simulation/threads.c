/* Coroutines for threads, the scheduler, the clock, and the pthread calls of the runtime. */
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "sim.h"

enum { THREADS = 192, STACK = 1024 * 1024, EVENTS = 1048576, TLS_MAX = 2048, SPIN_MAX = 3000000 };

/* ---- chance */

/* splitmix64 */
uint64_t sim_random_next(struct sim_random *random) {
  uint64_t z = random->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

int64_t sim_random_in(struct sim_random *random, int64_t low, int64_t high) {
  return high <= low ? low : low + (int64_t)(sim_random_next(random) % (uint64_t)(high - low + 1));
}

static struct sim_random schedule;
static int64_t switch_once_in;

int64_t sim_in(int64_t low, int64_t high) {
  return sim_random_in(&schedule, low, high);
}

bool sim_once_in(int64_t n) {
  return n > 0 && sim_in(1, n) == 1;
}

void *sim_map(size_t size) {
  return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* ---- threads */

enum thread_state { READY, BLOCKED, DONE };

struct sim_thread {
  enum thread_state state;
  char name[32];
  bool of_process, detached, started, timed_out, preempted;
  int locks; /* that it holds */
  int64_t preempted_us;
  int preemptions;
  void *stack;
  const unsigned char *stack_at; /* where it left off */
  jmp_buf context;
  ucontext_t first;
  const void *key;
  int64_t until;
  int saved_errno;
  unsigned char tls[TLS_MAX];
  void (*run)(void *);
  void *(*run_pthread)(void *);
  void *argument;
};

static struct sim_thread *threads; /* THREADS of them; the first is the program's main thread */
static int thread_count;
static struct sim_thread *current;
static int64_t now_us, frozen_until, stopped_us;
static int stops;
static long steps, spin;
static bool is_looking; /* sim_on_idle runs: its calls are nobody's */
void (*sim_on_idle)(void);
void (*sim_on_point)(void);
void (*sim_on_exit)(void);

/* The thread-local variables of the executable, which are the runtime's, change with the thread. */
static unsigned char *tls_block;
static size_t tls_size, tls_image_size;
static const void *tls_image;

static int find_tls(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  (void)context;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_TLS) {
      tls_block = info->dlpi_tls_data;
      tls_size = info->dlpi_phdr[i].p_memsz;
      tls_image_size = info->dlpi_phdr[i].p_filesz;
      tls_image = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    }
  return 1; /* the executable is the first */
}

int64_t sim_now(void) {
  return now_us;
}

long sim_steps(void) {
  return steps;
}

struct sim_thread *sim_self(void) {
  return current;
}

const char *sim_self_name(void) {
  return current ? current->name : "-";
}

int sim_self_index(void) {
  return (int)(current - threads);
}

bool sim_thread_is_done(const struct sim_thread *thread) {
  return thread->state == DONE;
}

static void thread_main(void) {
  errno = 0;
  if (current->run_pthread)
    current->run_pthread(current->argument);
  else
    current->run(current->argument);
  current->state = DONE;
  sim_wake(current);
  sim_block(NULL, SIM_FOREVER); /* never returns */
  abort();
}

static struct sim_thread *thread_add(const char *name, bool of_process) {
  struct sim_thread *thread = NULL;
  for (int i = 1; i < thread_count && !thread; i++)
    if (threads[i].state == DONE && threads[i].detached)
      thread = &threads[i];
  if (!thread) {
    if (thread_count == THREADS)
      sim_fail("simulation", "too many threads");
    thread = &threads[thread_count++];
  }
  strncpy(thread->name, name, sizeof thread->name - 1);
  thread->started = thread->detached = thread->preempted = false;
  thread->locks = 0;
  thread->preempted_us = 0;
  thread->preemptions = 0;
  thread->run_pthread = NULL;
  thread->of_process = of_process;
  thread->state = READY;
  return thread;
}

struct sim_thread *sim_thread_new(const char *name, bool of_process, void (*run)(void *context), void *context) {
  struct sim_thread *thread = thread_add(name, of_process);
  thread->run = run;
  thread->argument = context;
  thread->detached = !of_process;
  memset(thread->tls, 0, tls_size);
  memcpy(thread->tls, tls_image, tls_image_size);
  return thread;
}

/* Goes on with `next`. */
static void switch_to(struct sim_thread *next) {
  struct sim_thread *before = current;
  if (next == before)
    return;
  enum { SAVED = 256 };
  __builtin_unwind_init(); /* no pointer is in a register alone: sim_threads_visit */
  before->stack_at = (const unsigned char *)__builtin_frame_address(0) - SAVED;
  before->saved_errno = errno;
  memcpy(before->tls, tls_block, tls_size);
  memcpy(tls_block, next->tls, tls_size);
  current = next;
  if (_setjmp(before->context) == 0) {
    if (next->started)
      _longjmp(next->context, 1);
    next->started = true;
    if (!next->stack)
      next->stack = sim_map(STACK);
    getcontext(&next->first);
    next->first.uc_stack.ss_sp = next->stack;
    next->first.uc_stack.ss_size = STACK;
    makecontext(&next->first, thread_main, 0);
    setcontext(&next->first);
  }
  errno = current->saved_errno;
}

/* ---- events */

struct event {
  int64_t when;
  uint64_t order;
  void (*run)(void *, uint64_t);
  void *context;
  uint64_t number;
};

static struct event *events;
static int event_count;
static uint64_t event_order;

static bool event_before(const struct event *a, const struct event *b) {
  return a->when != b->when ? a->when < b->when : a->order < b->order;
}

void sim_at(int64_t when, void (*run)(void *context, uint64_t number), void *context, uint64_t number) {
  if (event_count == EVENTS)
    sim_fail("simulation", "too many events");
  struct event event = {when < now_us ? now_us : when, event_order++, run, context, number};
  int at = event_count++;
  for (; at > 0 && event_before(&event, &events[(at - 1) / 2]); at = (at - 1) / 2)
    events[at] = events[(at - 1) / 2];
  events[at] = event;
}

static struct event event_take(void) {
  struct event first = events[0];
  struct event last = events[--event_count];
  int at = 0;
  for (int child; (child = 2 * at + 1) < event_count; at = child) {
    if (child + 1 < event_count && event_before(&events[child + 1], &events[child]))
      child++;
    if (!event_before(&events[child], &last))
      break;
    events[at] = events[child];
  }
  events[at] = last;
  return first;
}

/* ---- the scheduler */

static struct sim_thread *pick(void) {
  struct sim_thread *ready[THREADS];
  int count = 0;
  bool frozen = now_us < frozen_until;
  for (int i = 0; i < thread_count; i++)
    if (threads[i].state == READY && !(frozen && threads[i].of_process))
      ready[count++] = &threads[i];
  return count ? ready[count == 1 ? 0 : sim_in(0, count - 1)] : NULL;
}

/* Moves the clock to the next event or deadline, and lets it happen. */
static void pass_time(void) {
  int64_t next = event_count ? events[0].when : SIM_FOREVER;
  bool frozen = now_us < frozen_until;
  if (frozen && frozen_until < next)
    next = frozen_until;
  for (int i = 0; i < thread_count; i++)
    if (threads[i].state == BLOCKED && threads[i].until < next && !(frozen && threads[i].of_process))
      next = threads[i].until;
  for (int i = 0; next == SIM_FOREVER && i < thread_count; i++)
    if (threads[i].state != DONE)
      sim_note("%s %d: state %d, until %lld", threads[i].name, i, (int)threads[i].state, (long long)threads[i].until);
  if (next == SIM_FOREVER)
    sim_fail("5 deadlock", "no thread can run, and nothing is to happen");
  if (next > now_us) {
    now_us = next;
    spin = 0;
  }
  while (event_count && events[0].when <= now_us) {
    struct event event = event_take();
    event.run(event.context, event.number);
  }
  for (int i = 0; i < thread_count; i++)
    if (threads[i].state == BLOCKED && threads[i].until <= now_us &&
        !(now_us < frozen_until && threads[i].of_process)) {
      threads[i].state = READY;
      threads[i].timed_out = true;
    }
}

static void reschedule(void) {
  struct sim_thread *next;
  while ((next = pick()) == NULL) {
    if (now_us >= frozen_until && sim_on_idle) {
      is_looking = true;
      sim_on_idle();
      is_looking = false;
    }
    pass_time();
  }
  if (++spin > SPIN_MAX)
    sim_fail("5 spin", "threads run without end while the clock stands still; now: %s", next->name);
  switch_to(next);
}

void sim_point(void) {
  if (is_looking)
    return;
  if (sim_on_point)
    sim_on_point();
  steps++;
  if (++spin > SPIN_MAX)
    sim_fail("5 spin", "%s runs without end while the clock stands still", current->name);
  if (sim_once_in(switch_once_in))
    reschedule();
}

bool sim_block(const void *key, int64_t until) {
  if (until <= now_us)
    return false;
  steps++;
  current->key = key;
  current->until = until;
  current->timed_out = false;
  if (current->state != DONE)
    current->state = BLOCKED;
  reschedule();
  current->key = NULL;
  return !current->timed_out;
}

void sim_wake(const void *key) {
  for (int i = 0; i < thread_count; i++)
    if (threads[i].state == BLOCKED && threads[i].key == key && key)
      threads[i].state = READY;
}

void sim_wake_one(const void *key) {
  struct sim_thread *waiting[THREADS];
  int count = 0;
  for (int i = 0; i < thread_count; i++)
    if (threads[i].state == BLOCKED && threads[i].key == key)
      waiting[count++] = &threads[i];
  if (count)
    waiting[sim_in(0, count - 1)]->state = READY;
}

void sim_sleep(int64_t us) {
  int64_t until = now_us + us;
  while (sim_block(NULL, until))
    ;
}

void sim_stop_process(int64_t us) {
  int64_t until = now_us + us;
  if (until <= frozen_until)
    return;
  stopped_us += until - (frozen_until > now_us ? frozen_until : now_us);
  frozen_until = until;
  stops++;
  if (us < SIM_FOREVER / 2)
    sim_note("the process is stopped for %lld ms", (long long)(us / SIM_MS));
}

int sim_stops(void) {
  return stops + current->preemptions;
}

int64_t sim_stopped_us(void) {
  return stopped_us - (frozen_until > now_us ? frozen_until - now_us : 0);
}

/* Loop threads stay: what happens on them takes no time. So does who holds a lock, for which they might wait. */
void sim_preemption_point(void) {
  if (is_looking || !sim_faults.descheduled || current == threads || !current->of_process || current->run_pthread ||
      current->locks || current->preempted || !sim_once_in(sim_faults.descheduled))
    return;
  int64_t us = sim_in(1, 500) * SIM_MS;
  sim_note("%s is not scheduled for %lld ms", current->name, (long long)(us / SIM_MS));
  current->preempted = true;
  sim_sleep(us);
  current->preempted = false;
  current->preempted_us += us;
  current->preemptions++;
}

bool sim_is_preempted(int thread) {
  return threads[thread].preempted;
}

int64_t sim_preempted_us(void) {
  return current->preempted_us;
}

void sim_threads_visit(void (*visit)(const void *bytes, size_t size)) {
  for (int i = 1; i < thread_count; i++) {
    const struct sim_thread *thread = &threads[i];
    if (thread->state == DONE)
      continue;
    visit(&thread->argument, sizeof thread->argument);
    if (thread->started)
      visit(thread->stack_at, (size_t)((const unsigned char *)thread->stack + STACK - thread->stack_at));
  }
}

uint64_t sim_mix(uint64_t seed) {
  struct sim_random random = {seed};
  return sim_random_next(&random);
}

void sim_start(uint64_t seed, int64_t once_in) {
  threads = sim_map(sizeof *threads * THREADS);
  events = sim_map(sizeof *events * EVENTS);
  schedule.state = sim_mix(seed);
  switch_once_in = once_in;
  dl_iterate_phdr(find_tls, NULL);
  if (tls_size > TLS_MAX)
    abort();
  now_us = 0;
  current = thread_add("main", true);
  thread_count = 1;
  current->started = true;
}

/* ---- clocks */

/* The machine has been up for a while, and the date is any. */
static void set_time(struct timespec *time, int64_t us, int64_t since_s) {
  time->tv_sec = since_s + us / SIM_S;
  time->tv_nsec = us % SIM_S * 1000;
}

enum { UP_S = 1000, TICK_US = 4000 };

int __wrap_clock_gettime(clockid_t clock, struct timespec *time) {
  if (clock == CLOCK_MONOTONIC)
    set_time(time, now_us, UP_S);
  else if (clock == CLOCK_MONOTONIC_COARSE)
    set_time(time, now_us - now_us % TICK_US, UP_S);
  else
    set_time(time, now_us, 1800000000);
  return 0;
}

time_t __wrap_time(time_t *to) {
  time_t seconds = 1800000000 + now_us / SIM_S;
  if (to)
    *to = seconds;
  return seconds;
}

static int64_t us_of(const struct timespec *time) {
  return (time->tv_sec - UP_S) * SIM_S + time->tv_nsec / 1000;
}

/* ---- locks. A zeroed mutex is free; its first word is 1 + the index of the owner. */

struct sim_mutex {
  int owner;
};

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
  (void)attributes;
  memset(mutex, 0, sizeof *mutex);
  return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex) {
  if (((struct sim_mutex *)mutex)->owner)
    sim_fail("simulation", "a locked mutex is destroyed");
  return 0;
}

static void lock(struct sim_mutex *mutex) {
  while (mutex->owner) {
    if (mutex->owner == sim_self_index() + 1)
      sim_fail("5 deadlock", "%s locks a mutex twice", current->name);
    sim_block(mutex, SIM_FOREVER);
  }
  mutex->owner = sim_self_index() + 1;
  current->locks++;
}

static void unlock(struct sim_mutex *mutex) {
  if (mutex->owner != sim_self_index() + 1)
    sim_fail("simulation", "%s unlocks a mutex that it has not locked", current->name);
  mutex->owner = 0;
  current->locks--;
  sim_wake_one(mutex);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
  sim_point();
  if (!is_looking)
    lock((struct sim_mutex *)mutex);
  return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex) {
  if (!is_looking)
    unlock((struct sim_mutex *)mutex);
  sim_point();
  return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes) {
  (void)condition;
  (void)attributes;
  return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *condition) {
  (void)condition;
  return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  unlock((struct sim_mutex *)mutex);
  bool woken = sim_block(condition, us_of(until));
  lock((struct sim_mutex *)mutex);
  return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition) {
  sim_wake_one(condition);
  sim_point();
  return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition) {
  sim_wake(condition);
  sim_point();
  return 0;
}

/* Values: 0 not begun, 1 running, 2 done. */
int __wrap_pthread_once(pthread_once_t *once, void (*run)(void)) {
  while (*once == 1)
    sim_block(once, SIM_FOREVER);
  if (*once == 2)
    return 0;
  *once = 1;
  run();
  *once = 2;
  sim_wake(once);
  return 0;
}

/* ---- threads of the process */

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *), void *context) {
  (void)attributes;
  sim_point();
  if (sim_once_in(sim_faults.no_thread)) {
    sim_faults_struck++;
    return EAGAIN;
  }
  struct sim_thread *thread = sim_thread_new("thread", true, NULL, context);
  thread->run_pthread = run;
  *id = (pthread_t)thread;
  sim_point();
  return 0;
}

int __wrap_pthread_detach(pthread_t id) {
  ((struct sim_thread *)id)->detached = true;
  return 0;
}

int __wrap_pthread_join(pthread_t id, void **result) {
  struct sim_thread *thread = (struct sim_thread *)id;
  (void)result;
  sim_point();
  while (thread->state != DONE)
    sim_block(thread, SIM_FOREVER);
  return 0;
}

int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  (void)how;
  (void)set;
  (void)before;
  return 0;
}

/* The host's memory keeps no spares: a block that is used after its last release is found. */
int __wrap_pthread_setspecific(pthread_key_t key, const void *value) {
  (void)key;
  (void)value;
  return ENOMEM;
}

/* ---- the end of the process */

static void (*at_exit[8])(void);
static int at_exit_count;

int __wrap_atexit(void (*run)(void)) {
  at_exit[at_exit_count++] = run;
  return 0;
}

void sim_run_atexit(void) {
  while (at_exit_count > 0)
    at_exit[--at_exit_count]();
}

void __wrap_exit(int status) {
  (void)status;
  sim_run_atexit();
  sim_on_exit();
  abort();
}
