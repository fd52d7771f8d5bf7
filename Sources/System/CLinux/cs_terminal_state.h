// Between cs_signals.c and cs_terminal.c.
#pragma once

/// Puts the terminal back, once, by calls that a signal handler may make.
void cs_crash_reset_terminal(void);
