/* Threads of the program: ospreyc links it with --wrap=pthread_create, so that every thread prepares for crashes. */
#include "osprey_rt_crash.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct thread_start {
  void *(*run)(void *context);
  void *context;
};

int thread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *context),
                  void *context) __asm__("__wrap_pthread_create");
int thread_create_really(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *context),
                         void *context) __asm__("__real_pthread_create");

static void *thread_run(void *context) {
  struct thread_start start = *(struct thread_start *)context;
  free(context);
  osprey_rt_crash_thread_begins();
  return start.run(start.context);
}

int thread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *context), void *context) {
  struct thread_start *start = malloc(sizeof *start);
  if (!start)
    return EAGAIN;
  *start = (struct thread_start){run, context};
  int error = thread_create_really(thread, attributes, thread_run, start);
  if (error)
    free(start);
  return error;
}
