/* The host's archive for the test programs: the functions they declare, without the memory hooks. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void *osp_alloc(int64_t size);

void host_signal(void);
void host_wait(void);
int64_t host_free_port(void);
char *host_join(const char *before, int64_t number, const char *after);
int64_t host_close_77(void);
void host_interrupt(void);

static sem_t signalled;

__attribute__((constructor)) static void start(void) {
  sem_init(&signalled, 0, 0);
  setvbuf(stdout, NULL, _IOLBF, 0);
}

void host_signal(void) {
  sem_post(&signalled);
}

/* Waits for a host_signal. Exits after 30 s. */
void host_wait(void) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 30;
  while (sem_timedwait(&signalled, &deadline))
    if (errno == ETIMEDOUT) {
      puts("waited in vain");
      exit(1);
    }
}

int64_t host_free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) ||
      getsockname(fd, (struct sockaddr *)&address, &length))
    exit(1);
  close(fd);
  return ntohs(address.sin_port);
}

/* Returns "${before}${number}${after}", as the host's string interpolation does. */
char *host_join(const char *before, int64_t number, const char *after) {
  enum { SIZE = 256 };
  char *text = osp_alloc(SIZE);
  snprintf(text, SIZE, "%s%" PRId64 "%s", before, number, after);
  return text;
}

/* Closes a descriptor that is not open: returns -1, unless a program's own `close` intercepts the call. */
int64_t host_close_77(void) {
  return close(77);
}

static void *host_interrupt_when_caught(void *unused) {
  struct sigaction now;
  do {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    sigaction(SIGINT, NULL, &now);
  } while (now.sa_handler == SIG_DFL);
  kill(getpid(), SIGINT);
  return unused;
}

/* Sends SIGINT to this process once it handles the signal. */
void host_interrupt(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, host_interrupt_when_caught, NULL))
    exit(1);
  pthread_detach(thread);
}
