/* Runs worlds: new seeds for a time, the seeds that ever failed, one seed with its trace, or the shortest scenario of a
 * seed that still fails. Each world is a process of its own, forked from this one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "oracle.h"
#include "plan.h"
#include "program.h"
#include "sim.h"
#include "unit/support/tls_fixture.h"

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __real_close(int fd);

enum { RING = 512, LINE = 200, CPU_SECONDS_MAX = 60, NIGHT_FAILURES_MAX = 1000 };

/* What a world leaves behind, in shared memory. */
struct outcome {
  bool finished;
  char oracle[32], failure[512];
  uint64_t hash;
  int64_t virtual_us;
  long steps, notes;
  int elements;
  char ring[RING][LINE];
};

static struct outcome *outcome;
static bool traces;

/* ---- events */

void sim_note(const char *format, ...) {
  char *line = outcome->ring[outcome->notes++ % RING];
  va_list values;
  int n = snprintf(line, LINE, "%4" PRId64 ".%06" PRId64 " ", sim_now() / SIM_S, sim_now() % SIM_S);
  va_start(values, format);
  vsnprintf(line + n, (size_t)(LINE - n), format, values);
  va_end(values);
  for (const char *p = line; *p; p++)
    outcome->hash = (outcome->hash ^ (uint8_t)*p) * 1099511628211u;
  if (traces)
    printf("%s\n", line);
}

static _Noreturn void leave(void) {
  outcome->virtual_us = sim_now();
  outcome->steps = sim_steps();
  fflush(stdout);
  _exit(0);
}

void sim_fail(const char *oracle, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(outcome->failure, sizeof outcome->failure, format, values);
  va_end(values);
  snprintf(outcome->oracle, sizeof outcome->oracle, "%s", oracle);
  leave();
}

void sim_finish(void) {
  outcome->finished = true;
  leave();
}

/* ---- randomness: OpenSSL's too */

static struct sim_random secrets;

static int random_bytes(unsigned char *bytes, int n) {
  for (int i = 0; i < n; i++)
    bytes[i] = (unsigned char)sim_random_next(&secrets);
  return 1;
}

static int random_status(void) {
  return 1;
}

static const RAND_METHOD random_method = {.bytes = random_bytes, .pseudorand = random_bytes, .status = random_status};

int __wrap_RAND_bytes(unsigned char *bytes, int n) {
  return random_bytes(bytes, n);
}

/* ---- a world */

static _Noreturn void run_world(uint64_t seed, const bool dropped[PLAN_DROPS]) {
  char loops[8];
  plan_make(&plan, seed, dropped);
  outcome->elements = plan.elements;
  if (traces)
    plan_print(&plan);
  snprintf(loops, sizeof loops, "%d", plan.loops);
  setenv("OSPREY_WS_LOOPS", loops, 1);
  setenv("OSPREY_WS_LOG", "debug", 1);
  setenv("OSPREY_WS_POLLER", plan.poll ? "poll" : "epoll", 1);
  secrets.state = seed ^ 0x5ec5e7;
  if (plan.tls)
    RAND_set_rand_method(&random_method);
  memcpy(sim_links, plan.links, sizeof sim_links);
  sim_link_count = plan.link_count;
  sim_faults = plan.faults;
  sim_start(seed, plan.switch_once_in);
  oracle_start();
  /* Its own time: others may have the processors. */
  setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = CPU_SECONDS_MAX}, NULL);
  program_main();
  abort();
}

/* Returns true if the world was in order. */
static bool world(uint64_t seed, const bool dropped[PLAN_DROPS]) {
  memset(outcome, 0, sizeof *outcome - sizeof outcome->ring);
  outcome->hash = 14695981039346656037u;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0)
    run_world(seed, dropped);
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFSIGNALED(status)) {
    snprintf(outcome->oracle, sizeof outcome->oracle, "crash");
    snprintf(outcome->failure, sizeof outcome->failure, "%s", strsignal(WTERMSIG(status)));
  } else if (!outcome->finished && !outcome->oracle[0]) {
    snprintf(outcome->oracle, sizeof outcome->oracle, "simulation");
    snprintf(outcome->failure, sizeof outcome->failure, "the world ended without a word, status %d", status);
  }
  return outcome->finished;
}

static void print_drops(const bool dropped[PLAN_DROPS]) {
  const char *comma = " --without ";
  for (int i = 0; i < PLAN_DROPS; i++)
    if (dropped[i]) {
      printf("%s%d", comma, i);
      comma = ",";
    }
}

static void report(uint64_t seed, const bool dropped[PLAN_DROPS], long lines) {
  long first = outcome->notes > lines ? outcome->notes - lines : 0;
  if (outcome->notes - first > RING)
    first = outcome->notes - RING;
  for (long i = first; i < outcome->notes && !traces; i++)
    printf("  %s\n", outcome->ring[i % RING]);
  printf("FAILED: invariant %s: %s\n  replay: tools/test simulation --seed %" PRIu64, outcome->oracle, outcome->failure,
         seed);
  print_drops(dropped);
  printf("\n");
}

/* ---- the shrinker: leaves out what the failure does not need */

static void shrink(uint64_t seed, bool dropped[PLAN_DROPS]) {
  char oracle[sizeof outcome->oracle];
  if (world(seed, dropped)) {
    printf("seed %" PRIu64 " does not fail\n", seed);
    return;
  }
  memcpy(oracle, outcome->oracle, sizeof oracle);
  int elements = outcome->elements;
  int left = elements;
  for (int step = elements / 2; step >= 1; step /= 2) {
    bool progress = true;
    while (progress) {
      progress = false;
      for (int at = 0; at < elements; at += step) {
        bool before[PLAN_DROPS];
        memcpy(before, dropped, sizeof before);
        int count = 0;
        for (int i = at; i < at + step && i < elements; i++) {
          count += !dropped[i];
          dropped[i] = true;
        }
        if (count && !world(seed, dropped) && strcmp(oracle, outcome->oracle) == 0) {
          left -= count;
          progress = step == 1;
        } else {
          memcpy(dropped, before, sizeof before);
        }
      }
    }
  }
  world(seed, dropped);
  printf("%d of %d elements are left\n", left, elements);
  report(seed, dropped, 60);
}

/* ---- many worlds */

struct totals {
  long worlds, failures, steps;
  double virtual_s;
};

static double real_seconds(void) {
  struct timespec now;
  __real_clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool count_world(struct totals *totals, uint64_t seed, const bool dropped[PLAN_DROPS], bool twice) {
  bool good = world(seed, dropped);
  uint64_t hash = outcome->hash;
  totals->worlds++;
  totals->steps += outcome->steps;
  totals->virtual_s += (double)outcome->virtual_us / 1e6;
  if (!good) {
    totals->failures++;
    report(seed, dropped, 25);
  } else if (twice) {
    world(seed, dropped);
    if (hash != outcome->hash) {
      totals->failures++;
      printf("FAILED: seed %" PRIu64 " gives the hash %016" PRIx64 ", then %016" PRIx64 "\n", seed, hash,
             outcome->hash);
      good = false;
    }
  }
  return good;
}

static void print_totals(const struct totals *totals, double seconds) {
  printf("%ld worlds, %ld failures; %.1f virtual hours (%.2f years) in %.1f s: %.0f worlds/s, %.0f times real time, "
         "%.0f steps a world\n",
         totals->worlds, totals->failures, totals->virtual_s / 3600, totals->virtual_s / 3600 / 24 / 365.25, seconds,
         (double)totals->worlds / seconds, totals->virtual_s / seconds, (double)totals->steps / (double)totals->worlds);
  fflush(stdout);
}

static void parse_drops(bool dropped[PLAN_DROPS], char *list) {
  for (char *item = strtok(list, ", "); item; item = strtok(NULL, ", "))
    dropped[atoi(item) % PLAN_DROPS] = true;
}

/* A line is a seed, perhaps with the elements to leave out (SEED-LIST), and what it found. */
static void run_kept(struct totals *totals, const char *file) {
  char line[256];
  FILE *seeds = fopen(file, "r");
  if (!seeds)
    return;
  while (fgets(line, sizeof line, seeds))
    if (line[0] >= '0' && line[0] <= '9') {
      bool dropped[PLAN_DROPS] = {false};
      char *end;
      uint64_t seed = strtoull(line, &end, 10);
      if (*end == '-') {
        end[strcspn(end, " ")] = '\0';
        parse_drops(dropped, end + 1);
      }
      count_world(totals, seed, dropped, true);
    }
  fclose(seeds);
}

static int run_many(const char *kept, uint64_t first, long count, double seconds, long failures_max,
                    const char *theme) {
  static const bool none[PLAN_DROPS];
  struct totals totals = {0};
  double begun = real_seconds();
  double told = begun;
  if (kept) {
    run_kept(&totals, kept);
    printf("kept seeds: %ld worlds, %ld failures\n", totals.worlds, totals.failures);
  }
  printf("new seeds from %" PRIu64 "\n", first);
  for (long i = 0; (count == 0 || i < count) && totals.failures < failures_max; i++) {
    double now = real_seconds();
    if (seconds > 0 && now - begun > seconds)
      break;
    if (now - told > 600) {
      print_totals(&totals, now - begun);
      told = now;
    }
    if (!theme || strcmp(theme, plan_theme(first + (uint64_t)i)) == 0)
      count_world(&totals, first + (uint64_t)i, none, i < 50);
  }
  print_totals(&totals, real_seconds() - begun);
  return totals.failures ? 1 : 0;
}

/* ---- the command line */

/* Its dates and its key differ from run to run, its size and that of its signatures do not. */
static void make_certificate(void) {
  static struct tls_identity identity;
  static const struct tls_request request = {
      .name = "simulated", .alternatives = "IP:10.0.0.1", .from_days = -1, .to_days = 30, .authority = 1, .uniform = 1};
  tls_fixture_issue(&identity, &request);
  program_certificate = identity.certificate_file;
  program_key = identity.key_file;
  setenv("SSL_CERT_FILE", identity.certificate_file, 1);
}

/* What a client sends first over TLS. Its size is the same in every process. */
static void make_hello(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *ssl = SSL_new(context);
  BIO *out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl);
  program_hello_size = BIO_read(out, program_hello, sizeof program_hello);
  SSL_free(ssl);
  SSL_CTX_free(context);
}

int main(int argc, char **argv) {
  static bool dropped[PLAN_DROPS];
  const char *kept = NULL, *theme = NULL;
  uint64_t seed = 0, first = 0;
  long count = 0, failures = 1;
  double seconds = 0;
  bool shrinks = false;
  if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE) && personality(ADDR_NO_RANDOMIZE) >= 0)
    execv("/proc/self/exe", argv);
  getrandom(&first, 5, 0);
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "0";
    if (strcmp(argv[i], "--seed") == 0)
      seed = strtoull(value, NULL, 10), i++;
    else if (strcmp(argv[i], "--from") == 0)
      first = strtoull(value, NULL, 10), i++;
    else if (strcmp(argv[i], "--count") == 0)
      count = atol(value), i++;
    else if (strcmp(argv[i], "--seconds") == 0)
      seconds = atof(value), i++;
    else if (strcmp(argv[i], "--hours") == 0)
      seconds = atof(value) * 3600, failures = NIGHT_FAILURES_MAX, i++;
    else if (strcmp(argv[i], "--failures") == 0)
      failures = atol(value), i++;
    else if (strcmp(argv[i], "--kept") == 0)
      kept = value, i++;
    else if (strcmp(argv[i], "--theme") == 0)
      theme = value, i++;
    else if (strcmp(argv[i], "--without") == 0)
      parse_drops(dropped, argv[++i]);
    else if (strcmp(argv[i], "--shrink") == 0)
      shrinks = true;
    else
      return fprintf(stderr, "usage: simulation [--seed N [--without LIST] [--shrink]] [--from N] [--count N] "
                             "[--seconds N | --hours N] [--theme NAME] [--kept FILE] [--failures N]\n"),
             2;
  }
  outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  /* No block of a world is given back to the kernel: the page faults would cost more than the world. */
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 1 << 20);
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
  make_certificate();
  make_hello();
  int status;
  if (!seed) {
    status = run_many(kept, first, count, count ? 0 : seconds > 0 ? seconds : 60, failures, theme);
  } else if (shrinks) {
    shrink(seed, dropped);
    status = 0;
  } else {
    traces = true;
    status = world(seed, dropped) ? 0 : 1;
    if (status)
      report(seed, dropped, 0);
    else
      printf("in order; hash %016" PRIx64 ", %.1f virtual seconds\n", outcome->hash, (double)outcome->virtual_us / 1e6);
  }
  tls_fixture_remove();
  return status;
}
