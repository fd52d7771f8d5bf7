/// Signals read from a descriptor, and what is done for the terminal when the process crashes.
/// Every function gives a result at or above zero, or a negated errno.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Blocks WINCH, INT, QUIT, TERM, HUP, CONT, TSTP and USR1 in the calling thread and in those that it starts from now on,
/// and ignores PIPE and XFSZ. To be called before any other thread exists.
int cs_signals_block(void);

/// Undoes `cs_signals_block` in the calling thread.
int cs_signals_unblock(void);

/// Which of the blocked signals a descriptor is for: those that end the process (INT, QUIT, TERM, HUP), and the rest.
enum { CS_SIGNALS_END = 1, CS_SIGNALS_OTHER = 2 };

/// A non-blocking descriptor that is readable while one of the blocked signals of these kinds waits.
int cs_signals_open(int kinds);

/// Whether SIGINT, SIGQUIT, SIGTERM or SIGHUP is pending: 1 or 0.
int cs_signals_end_waits(void);

/// The number of the next waiting signal; 0 where there is none.
int cs_signals_next(int descriptor);

/// Stops the process, and returns once it is continued. With `whole_group` its process group too, as the terminal's stop key
/// would, so that a shell sees its job stop also where a script stands between.
int cs_signals_stop(int whole_group);

/// Lets the process die of a signal, as if it had never been blocked. Returns only if the signal does not kill.
int cs_signals_die_of(int number);

/// Installs the handler of SEGV, BUS, FPE, ILL, TRAP, ABRT and SYS: it runs on a stack of its own, leaves the
/// terminal as `cs_crash_terminal` was told, writes what `cs_errors_hold` holds back, restores the default action and
/// raises the signal again.
int cs_crash_install(void);

/// Gives the calling thread a stack for the handler, so that it survives an overflow of the thread's own.
int cs_crash_stack(void);

/// Arms the handler: `bytes` go to `descriptor` and its line settings become those that `cs_terminal_save` saved.
int cs_crash_terminal(int descriptor, const uint8_t *bytes, size_t count);

/// Disarms it: the terminal is the shell's again.
void cs_crash_terminal_done(void);

/// Saves the line settings of a terminal; `cs_terminal_restore` puts them back.
int cs_terminal_save(int descriptor);
int cs_terminal_restore(int descriptor);

/// Makes the keys for interrupt and stop ordinary keys and leaves the one for QUIT as the way out where the screen hangs.
int cs_terminal_keys(int descriptor);

/// Throws away what was written to a terminal and is not taken yet, so that a write which waits for room goes on.
int cs_terminal_discard(int descriptor);

/// The size of a terminal in cells.
int cs_terminal_size(int descriptor, int *columns, int *rows);

/// Holds back what is written to standard error while it would spoil the screen, if it goes to a terminal.
int cs_errors_hold(void);

/// Keeps what is held back below a bound: a library that complains without end must not fill the memory.
int cs_errors_trim(void);

/// Gives standard error back and writes to it what was held.
int cs_errors_release(void);

/// The width of a character by the C library in the present locale: 0, 1, 2, or -1 if it can't be shown.
int cs_character_width(uint32_t scalar);
