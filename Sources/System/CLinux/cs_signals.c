#define _GNU_SOURCE
#include "cs_signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cs_terminal_state.h"

static sigset_t handled(int kinds) {
    sigset_t set;
    sigemptyset(&set);
    if (kinds & CS_SIGNALS_END) {
        const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
        for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) sigaddset(&set, numbers[index]);
    }
    if (kinds & CS_SIGNALS_OTHER) {
        const int numbers[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGUSR1};
        for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) sigaddset(&set, numbers[index]);
    }
    return set;
}

int cs_signals_block(void) {
    sigset_t set = handled(CS_SIGNALS_END | CS_SIGNALS_OTHER);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return -errno;
    // A recording that reaches RLIMIT_FSIZE is a write that fails (EFBIG), not the end of every call.
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR) return -errno;
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cs_signals_unblock(void) {
    sigset_t set = handled(CS_SIGNALS_END | CS_SIGNALS_OTHER);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int cs_signals_open(int kinds) {
    sigset_t set = handled(kinds);
    int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int cs_signals_end_waits(void) {
    sigset_t set;
    if (sigpending(&set) != 0) return 0;
    return sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGQUIT) == 1 || sigismember(&set, SIGTERM) == 1 ||
           sigismember(&set, SIGHUP) == 1;
}

int cs_signals_next(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t count = read(descriptor, &info, sizeof info);
    if (count == (ssize_t)sizeof info) return (int)info.ssi_signo;
    return count < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

int cs_signals_stop(int whole_group) {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    if (kill(whole_group ? 0 : getpid(), SIGTSTP) < 0) return -errno;
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    return -pthread_sigmask(SIG_BLOCK, &stop, NULL);
}

int cs_signals_die_of(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    raise(number);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

// From here on: only what signal-safety(7) allows.
static void crashed(int number) {
    int saved = errno;
    cs_crash_reset_terminal();
    signal(number, SIG_DFL);
    // Taken when the handler returns. A fault of the processor repeats there, so that a core dump shows the fault itself.
    raise(number);
    errno = saved;
}

int cs_crash_stack(void) {
    static _Thread_local int installed;
    if (installed) return 0;
    stack_t stack = {.ss_size = 64 * 1024};
    stack.ss_sp = malloc(stack.ss_size);  // For the life of the thread.
    if (!stack.ss_sp) return -ENOMEM;
    if (sigaltstack(&stack, NULL) < 0) {
        int error = errno;
        free(stack.ss_sp);
        return -error;
    }
    installed = 1;
    return 0;
}

int cs_crash_install(void) {
    int result = cs_crash_stack();
    if (result < 0) return result;
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    // The signals of the loop must not come in between; other crashes may.
    action.sa_mask = handled(CS_SIGNALS_END | CS_SIGNALS_OTHER);
    const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
        if (sigaction(numbers[index], &action, NULL) < 0) return -errno;
    }
    return 0;
}
