#include "fault_runs.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "test.h"

enum { PATIENCE_S = 60, LANES = 16 };

/* Arms a fault: the nth call fails, alone or with every allocation after it. */
typedef void arm(long nth);

struct run {
  long nth;
  pid_t pid;
  int counted; /* pipe on which the run reports its number of calls */
};

static long first_fault = 1;
static long last_fault = 100000;
static void (*prepare_run)(void);

static void start_run(struct run *run, void (*conversation)(void), arm *arm_fault, long nth) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  *run = (struct run){.nth = nth, .pid = fork(), .counted = ends[0]};
  if (run->pid == 0) {
    alarm(PATIENCE_S);
    prepare_run();
    arm_fault(nth);
    conversation();
    long calls = ws_fault_count();
    if (write(ends[1], &calls, sizeof calls) != sizeof calls)
      _exit(91);
    exit(0);
  }
  close(ends[1]);
}

/* Returns the number of calls. */
static long end_run(const struct run *run) {
  long calls = -1;
  int status;
  ssize_t n = read(run->counted, &calls, sizeof calls);
  close(run->counted);
  assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
  if (n != sizeof calls || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail_msg("with call %ld failing: %s %d", run->nth, WIFEXITED(status) ? "status" : "signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return calls;
}

/* The number of calls in a conversation varies with its timing, so this stops when LANES runs one after the other have
 * not reached their faults. LANES runs are always on their way. Returns the number of faults that were reached. */
static long fail_in_turn(void (*conversation)(void), arm *arm_fault) {
  struct run runs[LANES];
  long failed = 0, begun = 0, ended = 0, missed = 0;
  while (missed < LANES && first_fault + ended <= last_fault) {
    for (; begun < ended + LANES && first_fault + begun <= last_fault; begun++)
      start_run(&runs[begun % LANES], conversation, arm_fault, first_fault + begun);
    const struct run *oldest = &runs[ended++ % LANES];
    bool reached = end_run(oldest) >= oldest->nth;
    failed += reached;
    missed = reached ? 0 : missed + 1;
  }
  while (ended < begun)
    end_run(&runs[ended++ % LANES]);
  return failed;
}

void fault_runs_between(int argc, char **argv) {
  if (argc > 1)
    first_fault = atol(argv[1]);
  if (argc > 2)
    last_fault = atol(argv[2]);
  setenv("OSPREY_WS_LOG", "off", 0);
}

void fault_runs(void (*prepare)(void), void (*conversation)(void)) {
  struct run run;
  prepare_run = prepare;
  start_run(&run, conversation, ws_fault_arm, 0);
  print_message("%ld calls\n", end_run(&run));
  print_message("%ld calls failed in turn\n", fail_in_turn(conversation, ws_fault_arm));
  print_message("%ld calls failed in turn, with all memory after them\n",
                fail_in_turn(conversation, ws_fault_arm_drought));
}
